//! Places for work that takes memory: so many for all, and of those so many for one.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places. Cloning it is cheap, and clones share them.
///
/// Who waits for one of their own keeps nobody else waiting: they ask for [`Self::own`] first, then for [`Self::common`].
#[derive(Clone)]
pub struct Shares<K> {
    common: Arc<Semaphore>,
    of_one: usize,
    of_each: Arc<Mutex<HashMap<K, Weak<Semaphore>>>>,
}

/// What one has of the places, free again when it is dropped.
pub struct Share {
    /// The semaphores are never closed.
    _permit: Option<OwnedSemaphorePermit>,
}

impl<K: Clone + Eq + Hash> Shares<K> {
    /// Returns so many places, and so many of them for one.
    pub fn new(places: usize, of_one: usize) -> Self {
        Self { common: Arc::new(Semaphore::new(places)), of_one, of_each: Arc::default() }
    }

    /// Waits until this one has fewer than they may have.
    pub async fn own(&self, one: &K) -> Share {
        Share { _permit: self.of(one).acquire_owned().await.ok() }
    }

    /// Waits until all together have fewer than there are.
    pub async fn common(&self) -> Share {
        Share { _permit: Arc::clone(&self.common).acquire_owned().await.ok() }
    }

    fn of(&self, one: &K) -> Arc<Semaphore> {
        let mut of_each = self.of_each.lock().unwrap_or_else(PoisonError::into_inner);
        of_each.retain(|_, own| own.strong_count() > 0);
        let known = of_each.get(one).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let own = Arc::new(Semaphore::new(self.of_one));
            of_each.insert(one.clone(), Arc::downgrade(&own));
            own
        })
    }
}
