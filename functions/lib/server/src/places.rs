//! How many connections clients have at one moment: what somebody sends before a request is whole costs memory, and each
//! connection a file descriptor, whoever it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use registry::access::Address;

/// How many connections there may be. Those beyond it are closed at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From one address, or network of IPv6.
    pub per_address: usize,
    /// From all of them.
    pub in_all: usize,
}

/// Why there is no place for a connection.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(crate) enum Full {
    #[error("its address or network has {0} already")]
    Network(usize),
    #[error("there are {0} already")]
    All(usize),
}

/// Who has how many connections.
#[derive(Clone)]
pub(crate) struct Places(Arc<Taken>);

struct Taken {
    limits: Limits,
    by_network: Mutex<HashMap<Address, usize>>,
}

/// The place of one connection, free again when it is dropped.
pub(crate) struct Place {
    taken: Arc<Taken>,
    network: Address,
}

impl Places {
    pub(crate) fn new(limits: Limits) -> Self {
        Self(Arc::new(Taken { limits, by_network: Mutex::default() }))
    }

    /// Takes a place for a connection from this address, if there is one.
    pub(crate) fn take(&self, address: &Address) -> Result<Place, Full> {
        let Limits { per_address, in_all } = self.0.limits;
        let network = address.network();
        let mut by_network = self.0.by_network();
        let own = by_network.get(&network).copied().unwrap_or_default();
        let all = by_network.values().sum::<usize>();
        if own >= per_address {
            return Err(Full::Network(own));
        }
        if all >= in_all {
            return Err(Full::All(all));
        }
        by_network.insert(network.clone(), own + 1);
        Ok(Place { taken: Arc::clone(&self.0), network })
    }
}

impl Taken {
    fn by_network(&self) -> MutexGuard<'_, HashMap<Address, usize>> {
        self.by_network.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_network = self.taken.by_network();
        if let Some(count) = by_network.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                by_network.remove(&self.network);
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
        assert!(held.iter().all(Result::is_ok) && places.take(&one).is_err());
        let last = places.take(&two);
        assert!(last.is_ok() && places.take(&two).is_err());
        drop(held);
        assert!(places.take(&two).is_ok() && places.take(&one).is_ok());
        drop(last);
        assert!(places.0.by_network().is_empty());
    }

    #[test]
    fn all_addresses_of_a_network_are_one() {
        let places = Places::new(Limits { per_address: 2, in_all: 9 });
        let [one, two, three] = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(Address::new);
        let held = [places.take(&one), places.take(&two)];
        assert!(held.iter().all(Result::is_ok) && places.take(&three).is_err());
        assert!(places.take(&Address::new("2001:db8:0:1::3")).is_ok());
        drop(held);
        assert!(places.take(&three).is_ok() && places.0.by_network().is_empty());
    }
}
