//! One caller at a time for each key, within this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// A lock for each key that somebody holds or waits for.
#[derive(Default)]
pub(crate) struct Locks {
    held: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// Holds one key until dropped.
pub(crate) struct LockGuard {
    locks: Arc<Locks>,
    key: String,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Locks {
    /// Waits until nobody else holds `key`.
    pub(crate) async fn lock(self: &Arc<Self>, key: &str) -> LockGuard {
        let lock = self.table().entry(key.to_owned()).or_default().clone();
        let guard = Some(lock.lock_owned().await);
        LockGuard { locks: Arc::clone(self), key: key.to_owned(), guard }
    }

    /// Takes the key if nobody has it.
    pub(crate) fn try_lock(self: &Arc<Self>, key: &str) -> Option<LockGuard> {
        let lock = self.table().entry(key.to_owned()).or_default().clone();
        let guard = lock.try_lock_owned().ok();
        guard.map(|guard| LockGuard { locks: Arc::clone(self), key: key.to_owned(), guard: Some(guard) })
    }

    fn table(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<tokio::sync::Mutex<()>>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        let mut table = self.locks.table();
        self.guard = None;
        if table.get(&self.key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            table.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_caller_waits_and_nothing_is_left() {
        let locks = Arc::new(Locks::default());
        let first = locks.lock("a").await;
        let waiting = tokio::spawn({
            let locks = Arc::clone(&locks);
            async move { drop(locks.lock("a").await) }
        });
        let _other_key = locks.lock("b").await;
        assert!(!waiting.is_finished());
        drop(first);
        waiting.await.expect("the second caller gets the lock");
        assert_eq!(locks.table().len(), 1);
    }
}
