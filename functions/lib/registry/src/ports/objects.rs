//! Objects: bytes of any length under a key that is used once.
//!
//! Shaped after S3 (whole puts, ranged gets, uploads in parts); files follow easily.

use std::fmt;
use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;

use super::StoreError;

/// Bytes on their way; an error ends them.
pub type ByteStream = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// Where an object is: `data/<shard>/<ulid>`, never reused, never made from what a client sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Returns the key of a new object; `unique` must never have been used before.
    pub fn fresh(unique: ulid::Ulid) -> Self {
        let shard = unique.random() & 0xff;
        Self(format!("data/{shard:02x}/{unique}"))
    }

    /// Returns the key that a store reports, for stores that list their objects.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How far an upload has come, as the store needs to know it; kept in the upload's item.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AppendState {
    /// How many bytes are durable.
    pub size_bytes: u64,
    /// What only the store understands (part numbers, a multipart id).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub store: String,
}

/// The state of an upload where it is kept, from which several processes may go on at once.
#[async_trait]
pub trait KeptState: Send {
    /// Returns the state as it was read, or as it was replaced last.
    fn state(&self) -> &AppendState;

    /// Puts another state in its place, of as many bytes: in it are places that are the caller's alone from then on.
    ///
    /// Refused if somebody else has written there meanwhile ([`StoreErrorKind::Overtaken`](super::StoreErrorKind)).
    async fn replace(&mut self, state: AppendState) -> Result<(), StoreError>;
}

/// A state that nobody else goes on from.
#[async_trait]
impl KeptState for AppendState {
    fn state(&self) -> &AppendState {
        self
    }

    async fn replace(&mut self, state: AppendState) -> Result<(), StoreError> {
        *self = state;
        Ok(())
    }
}

/// What an append has made durable.
#[derive(Debug)]
pub struct Appended {
    /// The state to go on from.
    pub state: AppendState,
    /// Why the bytes ended early, if they did; what came before is durable and counted in `state`.
    pub interrupted: Option<std::io::Error>,
}

/// A listed object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Where it is.
    pub key: ObjectKey,
    /// How long it is.
    pub size_bytes: u64,
    /// Whether it is an upload that was never finished.
    pub is_unfinished: bool,
}

/// Holds objects.
///
/// An object appears whole or not at all, and what is acknowledged survives a power cut.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// Stores a whole object.
    async fn put(&self, key: &ObjectKey, bytes: Bytes) -> Result<(), StoreError>;

    /// Returns the bytes `start..end` of the object, or `None` if there is no such object.
    ///
    /// The range must lie within the object.
    async fn get(
        &self,
        key: &ObjectKey,
        range: std::ops::Range<u64>,
    ) -> Result<Option<ByteStream>, StoreError>;

    /// Returns how long the object is, or `None` if there is none (an unfinished upload is none).
    async fn head(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError>;

    /// Removes the object; removing what is not there is fine.
    async fn delete(&self, key: &ObjectKey) -> Result<(), StoreError>;

    /// Appends bytes to the upload of `key`, from the state that is kept; the default state begins one.
    ///
    /// An upload that is finished refuses, here or at the next `finish`
    /// ([`StoreErrorKind::AlreadyFinished`](super::StoreErrorKind)); its object stays as it is.
    /// Takes all bytes that `body` yields. When `body` breaks off, what it yielded is kept. On an error the kept
    /// state stays good, and bytes beyond it are in nobody's way. One append of an upload at a time is the caller's
    /// duty within a process; across processes the store replaces the kept state before it writes where another
    /// append from that state would write, too.
    async fn append(
        &self,
        key: &ObjectKey,
        kept: &mut dyn KeptState,
        body: ByteStream,
    ) -> Result<Appended, StoreError>;

    /// Makes the upload an object, as far as `state` goes: the kept state, or what an append from it has left.
    ///
    /// Repeating it with another size is refused ([`StoreErrorKind::AlreadyFinished`](super::StoreErrorKind)), with
    /// the same state it may be: then the caller has to look what the object holds. So it is of an upload whose bytes
    /// are gone: then there is no object.
    async fn finish(
        &self,
        key: &ObjectKey,
        state: &AppendState,
        kept: &mut dyn KeptState,
    ) -> Result<(), StoreError>;

    /// Forgets the upload; repeating it is fine, a finished object stays.
    async fn abort(&self, key: &ObjectKey, state: &AppendState) -> Result<(), StoreError>;
}

/// Walks every object and unfinished upload there is; a check from storage alone needs it.
#[async_trait]
pub trait ObjectScan: Send + Sync {
    /// Returns everything that is stored, in any order.
    async fn scan(&self) -> Result<Vec<ObjectInfo>, StoreError>;
}
