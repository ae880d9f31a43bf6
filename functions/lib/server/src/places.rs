//! How many connections clients have at one moment: what somebody sends before a request is whole costs memory, and each
//! connection a file descriptor, whoever it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use registry::access::Address;

/// How many connections there may be. Those beyond it are closed at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From one address.
    pub per_address: usize,
    /// From all of them.
    pub in_all: usize,
}

/// Who has how many connections.
#[derive(Clone)]
pub(crate) struct Places(Arc<Taken>);

struct Taken {
    limits: Limits,
    by_address: Mutex<HashMap<Address, usize>>,
}

/// The place of one connection, free again when it is dropped.
pub(crate) struct Place {
    taken: Arc<Taken>,
    address: Address,
}

impl Places {
    pub(crate) fn new(limits: Limits) -> Self {
        Self(Arc::new(Taken { limits, by_address: Mutex::default() }))
    }

    /// Takes a place for a connection from this address, if there is one.
    pub(crate) fn take(&self, address: &Address) -> Option<Place> {
        let Limits { per_address, in_all } = self.0.limits;
        let mut by_address = self.0.by_address();
        let own = by_address.get(address).copied().unwrap_or_default();
        if own >= per_address || by_address.values().sum::<usize>() >= in_all {
            return None;
        }
        by_address.insert(address.clone(), own + 1);
        Some(Place { taken: Arc::clone(&self.0), address: address.clone() })
    }
}

impl Taken {
    fn by_address(&self) -> MutexGuard<'_, HashMap<Address, usize>> {
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_address = self.taken.by_address();
        if let Some(count) = by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_more_than_a_share_and_all_together_no_more_than_there_is() {
        let places = Places::new(Limits { per_address: 2, in_all: 3 });
        let [one, two] = ["192.0.2.1", "192.0.2.2"].map(Address::new);
        let held = [places.take(&one), places.take(&one)];
        assert!(held.iter().all(Option::is_some) && places.take(&one).is_none());
        let last = places.take(&two);
        assert!(last.is_some() && places.take(&two).is_none());
        drop(held);
        assert!(places.take(&two).is_some() && places.take(&one).is_some());
        drop(last);
        assert!(places.0.by_address().is_empty());
    }
}
