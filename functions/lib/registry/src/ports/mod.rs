//! The few things a registry needs from the outside world, each a trait with its promises written down.

mod abilities;
mod items;
mod objects;
mod outside;

pub use abilities::{Abilities, Arrived, Copied, SignedDownloads, SignedUploads, Trash, VerifiedCopy};
pub use items::{
    Condition, Conflict, Direction, Item, ItemScan, ItemStore, Key, Query, TransactError, Unreadable,
    Version, Write,
};
pub use items::{TRANSACT_BYTES_MAX, TRANSACT_WRITES_MAX};
pub use objects::{
    AppendState, Appended, ByteStream, KeptState, ObjectInfo, ObjectKey, ObjectScan, ObjectStore,
};
pub use outside::{Clock, Random, SystemClock, SystemRandom, Timestamp};

/// What kind of trouble a store is in, as far as a caller can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// The store wants fewer calls; nothing was written.
    Throttled,
    /// The store could not be asked, or its answer was lost: a write may have happened.
    Unavailable,
    /// There is no room left, or the store is read-only; nothing was written.
    Full,
    /// The upload is an object already, so nothing can be appended; nothing was written.
    AlreadyFinished,
    /// Somebody else has gone on with the upload meanwhile; what was written counts for nothing.
    Overtaken,
    /// What the store holds cannot be understood.
    Corrupt,
}

/// A store could not do its work.
#[derive(Debug, thiserror::Error)]
#[error("store is {kind:?}: {context}")]
pub struct StoreError {
    /// What a caller can act on.
    pub kind: StoreErrorKind,
    /// What was being done, for the log.
    pub context: String,
    /// The cause, for the log.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// Returns an error without a cause.
    pub fn new(kind: StoreErrorKind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), source: None }
    }

    /// Returns an error of this kind that keeps its cause.
    pub fn caused(
        kind: StoreErrorKind,
        context: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { kind, context: context.into(), source: Some(source.into()) }
    }

    /// Returns whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        !matches!(self.kind, StoreErrorKind::AlreadyFinished | StoreErrorKind::Corrupt)
    }
}
