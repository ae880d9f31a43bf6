//! What was asked of the stand-in, for tests that count.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::lock;

/// Counts of calls and bytes since the start or the last [`Calls::reset`].
#[derive(Debug, Default)]
pub struct Calls {
    operations: Mutex<BTreeMap<String, u64>>,
    received_bytes: AtomicU64,
    sent_bytes: AtomicU64,
}

impl Calls {
    /// How often an operation (such as `PutObject`) was called with a valid signature, faults included.
    pub fn count(&self, operation: &str) -> u64 {
        lock(&self.operations).get(operation).copied().unwrap_or_default()
    }

    /// All operations that were called, each with its count.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        lock(&self.operations).clone()
    }

    /// Bytes of request bodies as they came over the wire, `aws-chunked` framing included.
    pub fn received_bytes(&self) -> u64 {
        self.received_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of response bodies, errors included.
    pub fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::Relaxed)
    }

    /// Starts all counts at zero again.
    pub fn reset(&self) {
        lock(&self.operations).clear();
        self.received_bytes.store(0, Ordering::Relaxed);
        self.sent_bytes.store(0, Ordering::Relaxed);
    }

    pub(crate) fn called(&self, operation: &str) {
        *lock(&self.operations).entry(operation.to_owned()).or_default() += 1;
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.received_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
