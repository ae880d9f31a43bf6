//! Items: small typed records under a partition key and a sort key, written in transactions.
//!
//! Shaped after DynamoDB, so that its adapter stays thin; an embedded database has no trouble following.

use async_trait::async_trait;
use bytes::Bytes;

use super::{StoreError, StoreErrorKind};
use crate::records::{Record, encode};

/// How many writes one transaction may hold (as in a `TransactWriteItems` of DynamoDB).
pub const TRANSACT_WRITES_MAX: usize = 100;

/// How many bytes the items of one transaction may have together (as in a `TransactWriteItems` of DynamoDB: 4 MB).
pub const TRANSACT_BYTES_MAX: usize = 4_000_000;

/// What a store may add to the bytes of an item, at the most.
const ROW_BYTES: usize = 256;

/// Where an item is: items of one partition are ordered by the bytes of their sort key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The partition.
    pub pk: String,
    /// The place in the partition.
    pub sk: String,
}

impl Key {
    /// Returns the key of `sk` in the partition `pk`.
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }
}

/// A name that a writer chose for what it wrote, so that it recognises its own write after a lost reply.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Version(String);

impl Version {
    /// Returns the version with this text, which no other write of the same item may use.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A record and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Where it is.
    pub key: Key,
    /// Which write made it.
    pub version: Version,
    /// What it says.
    pub record: Record,
}

/// What has to be true of the item in place for a write to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing: write in any case.
    Always,
    /// There is no item.
    Absent,
    /// There is an item.
    Present,
    /// The item is the one that this write made.
    Version(Version),
}

impl Condition {
    /// Returns the condition that nothing changed since `seen` was read.
    pub fn unchanged(seen: Option<&Item>) -> Self {
        seen.map_or(Self::Absent, |item| Self::Version(item.version.clone()))
    }

    /// Returns whether the condition holds for the item in place.
    pub fn holds(&self, in_place: Option<&Version>) -> bool {
        match self {
            Self::Always => true,
            Self::Absent => in_place.is_none(),
            Self::Present => in_place.is_some(),
            Self::Version(version) => in_place == Some(version),
        }
    }
}

/// One write of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Puts the item in place of whatever is there.
    Put(Item, Condition),
    /// Removes what is there.
    Delete(Key, Condition),
    /// Changes nothing, and refuses the transaction if the condition does not hold.
    Check(Key, Condition),
}

impl Write {
    /// Returns which item is written.
    pub fn key(&self) -> &Key {
        match self {
            Self::Put(item, _) => &item.key,
            Self::Delete(key, _) | Self::Check(key, _) => key,
        }
    }

    /// Returns the check that nobody has changed what this write put there.
    #[must_use]
    pub fn unchanged(&self) -> Self {
        let condition = match self {
            Self::Put(item, _) => Condition::Version(item.version.clone()),
            Self::Delete(..) => Condition::Absent,
            Self::Check(_, condition) => condition.clone(),
        };
        Self::Check(self.key().clone(), condition)
    }

    /// Returns how many bytes the write takes of a transaction, rather too many than too few.
    ///
    /// What is removed counts as its key: those who remove large items remove few at once.
    pub fn size_bytes(&self) -> usize {
        let record_bytes = match self {
            Self::Put(item, _) => encode(&item.version, &item.record).map_or(0, |bytes| bytes.len()),
            Self::Delete(..) | Self::Check(..) => 0,
        };
        let Key { pk, sk } = self.key();
        ROW_BYTES + pk.len() + sk.len() + record_bytes
    }

    /// Returns what has to be true of the item in place.
    pub fn condition(&self) -> &Condition {
        match self {
            Self::Put(_, condition) | Self::Delete(_, condition) | Self::Check(_, condition) => condition,
        }
    }
}

/// Which way a query walks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// From the smallest sort key up.
    #[default]
    Ascending,
    /// From the largest sort key down.
    Descending,
}

/// A walk over one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The partition.
    pub pk: String,
    /// Only sort keys that begin with this.
    pub prefix: String,
    /// Only sort keys beyond this one (in the direction of the walk); it need not exist.
    pub after: Option<String>,
    /// At most this many items.
    pub limit: usize,
    /// Which way.
    pub direction: Direction,
}

/// A condition did not hold, so nothing of the transaction was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// The item whose condition did not hold (the first, if there are several).
    pub key: Key,
    /// What stood there.
    pub found: Option<Item>,
}

/// A transaction did not happen, or nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum TransactError {
    /// A condition did not hold; nothing was written.
    #[error("item {}/{} is not as expected", .0.key.pk, .0.key.sk)]
    Conflict(Box<Conflict>),
    /// The store failed; with `Unavailable` the writes may have happened.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Holds items.
///
/// Every read sees every write that was acknowledged before it began (strong reads).
#[async_trait]
pub trait ItemStore: Send + Sync {
    /// Returns the items in the order of `keys`, `None` where there is none.
    ///
    /// Each item is read strongly; together they are no snapshot. A key may come more than once.
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError>;

    /// Returns the items of the walk; fewer than `limit` only when there are no more.
    async fn query(&self, query: Query) -> Result<Vec<Item>, StoreError>;

    /// Returns the same, in one call, with what is [`Unreadable`] in its place; a store that cannot tell fails.
    async fn query_each(&self, query: Query) -> Result<Vec<Result<Item, Unreadable>>, StoreError> {
        Ok(self.query(query).await?.into_iter().map(Ok).collect())
    }

    /// Writes all or nothing, durably: what is acknowledged survives a power cut.
    ///
    /// At most [`TRANSACT_WRITES_MAX`] writes of [`TRANSACT_BYTES_MAX`] bytes, each of another item. If several conditions do not hold, the
    /// first that was looked at is the one reported; that is the first, unless another transaction is at its item just then.
    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactError>;
}

/// What is stored under a key, and is no item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Where it is.
    pub key: Key,
    /// What is there; nothing where rows are no bytes.
    pub bytes: Bytes,
    /// Why it is no item.
    pub problem: String,
}

impl From<Unreadable> for StoreError {
    fn from(row: Unreadable) -> Self {
        let Unreadable { key: Key { pk, sk }, problem, .. } = row;
        Self::new(StoreErrorKind::Corrupt, format!("item {pk}/{sk}: {problem}"))
    }
}

/// Walks every item there is; a check from storage alone needs it, no request does.
#[async_trait]
pub trait ItemScan: Send + Sync {
    /// Returns up to `limit` items beyond `after`, in any order that stays the same.
    ///
    /// A store that can tell what is [unreadable](Self::unreadable) leaves it out.
    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Item>, StoreError>;

    /// Returns what is stored and cannot be understood; a store that cannot tell fails in `scan`.
    async fn unreadable(&self) -> Result<Vec<Unreadable>, StoreError> {
        Ok(Vec::new())
    }
}
