//! Counted calls.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::lock::lock;

/// What was counted for one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Requests with a valid signature, refused and repeated ones included.
    pub calls: u64,
    /// Items read (found or not, filtered out or not) or written by requests that succeeded.
    pub items: u64,
}

/// The calls since the start or the last reset, by operation name such as `TransactWriteItems`.
#[derive(Debug, Default)]
pub struct Calls(Mutex<BTreeMap<String, Count>>);

impl Calls {
    /// Returns the number of calls of `operation`.
    pub fn of(&self, operation: &str) -> u64 {
        self.count(operation).calls
    }

    /// Returns the number of items that `operation` read or wrote.
    pub fn items_of(&self, operation: &str) -> u64 {
        self.count(operation).items
    }

    /// Returns the number of calls of all operations.
    pub fn total(&self) -> u64 {
        lock(&self.0).values().map(|count| count.calls).sum()
    }

    /// Returns every operation that was called.
    pub fn all(&self) -> BTreeMap<String, Count> {
        lock(&self.0).clone()
    }

    /// Starts again at zero.
    pub fn reset(&self) {
        lock(&self.0).clear();
    }

    fn count(&self, operation: &str) -> Count {
        lock(&self.0).get(operation).copied().unwrap_or_default()
    }

    pub(crate) fn add_call(&self, operation: &str) {
        lock(&self.0).entry(operation.to_owned()).or_default().calls += 1;
    }

    pub(crate) fn add_items(&self, operation: &str, items: u64) {
        lock(&self.0).entry(operation.to_owned()).or_default().items += items;
    }
}
