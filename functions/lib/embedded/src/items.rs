//! Items in one redb file. See `docs/decisions/0003-redb-for-items.md`.

use std::fs::{self, OpenOptions};
use std::io;
use std::ops::Bound;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use redb::{Database, DatabaseError, ReadOnlyTable, StorageError, TableDefinition};
use registry::ports::{
    Direction, Item, ItemScan, ItemStore, Key, Query, StoreError, StoreErrorKind, TransactError, Unreadable,
    Write,
};
use registry::records;

use crate::damage::unless_damaged;
use crate::group_commit::GroupCommit;
use crate::room::Room;

/// `<pk> 0x00 <sk>` to an encoded item. No key has a zero byte, so bytes order as (pk, sk) does.
pub(crate) const ITEMS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("items");

pub(crate) type Snapshot = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// How much memory the database may take for pages it has read.
const CACHE_BYTES: usize = 4 * 1024 * 1024;

const SEPARATOR: u8 = 0;

const FILE_NAME: &str = "items.redb";

/// Makes the file before the database does: hashes of passwords are nobody else's to read.
fn make_private(file: &Path) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(file).map(|_| ())
}

/// The items of a folder.
pub struct Items {
    snapshot: Arc<ArcSwap<Snapshot>>,
    commits: GroupCommit,
}

/// The database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("the data folder is in use by another process")]
    InUse,
    /// Something else.
    #[error("the database cannot be opened")]
    Failed(#[source] redb::Error),
    /// A check found that it was not whole.
    #[error("the database was damaged, and is whole again without what was damaged")]
    Mended,
}

impl Items {
    /// Opens the items in `folder`, which has to exist.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let (folder, room) = (folder.to_owned(), Room::on_disk_of(folder));
        Self::open_with(room, move || open_file(&folder))
    }

    /// Reads the whole database and compares what it is with its checksums.
    ///
    /// # Errors
    ///
    /// One that is damaged cannot be opened.
    pub fn check(folder: &Path) -> Result<(), OpenError> {
        let is_whole =
            unless_damaged(|| open_file(folder).and_then(|mut database| database.check_integrity()));
        match is_whole {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(OpenError::Mended),
            Ok(Err(error)) => Err(open_error(error.into())),
            Err(error) => Err(open_error(error)),
        }
    }

    /// Returns whether the folder has items; fails where that cannot be seen.
    pub fn exist(folder: &Path) -> io::Result<bool> {
        match fs::metadata(folder.join(FILE_NAME)) {
            Ok(metadata) => Ok(metadata.is_file()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Opens the items by a function that can be asked again after the database failed.
    pub(crate) fn open_with(
        room: Room,
        open: impl FnMut() -> Result<Database, DatabaseError> + Send + 'static,
    ) -> Result<Self, OpenError> {
        let (commits, snapshot) = GroupCommit::start(room, open).map_err(open_error)?;
        Ok(Self { snapshot, commits })
    }
}

fn open_error(error: redb::Error) -> OpenError {
    match error {
        redb::Error::DatabaseAlreadyOpen => OpenError::InUse,
        other => OpenError::Failed(other),
    }
}

fn open_file(folder: &Path) -> Result<Database, DatabaseError> {
    let file = folder.join(FILE_NAME);
    // A first start that was cut off leaves such a file, but comes to no objects.
    if fs::metadata(&file).is_ok_and(|metadata| metadata.len() == 0) && folder.join("data").exists() {
        return Err(StorageError::Corrupted(format!("{FILE_NAME} is empty")).into());
    }
    make_private(&file).map_err(StorageError::Io)?;
    Database::builder().set_cache_size(CACHE_BYTES).create(&file)
}

pub(crate) fn encode_key(key: &Key) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(key.pk.len() + key.sk.len() + 1);
    bytes.extend_from_slice(key.pk.as_bytes());
    bytes.push(SEPARATOR);
    bytes.extend_from_slice(key.sk.as_bytes());
    bytes
}

fn decode_key(bytes: &[u8]) -> Result<Key, StoreError> {
    let damaged = || StoreError::new(StoreErrorKind::Corrupt, "an item has a damaged key");
    let text = std::str::from_utf8(bytes).map_err(|_| damaged())?;
    let (pk, sk) = text.split_once(char::from(SEPARATOR)).ok_or_else(damaged)?;
    Ok(Key::new(pk, sk))
}

pub(crate) fn decode_item(key: Key, bytes: &[u8]) -> Result<Item, StoreError> {
    let (version, record) = records::decode(bytes).map_err(|error| {
        StoreError::caused(StoreErrorKind::Corrupt, format!("item {}/{}", key.pk, key.sk), error)
    })?;
    Ok(Item { key, version, record })
}

fn decode_row(key: Key, bytes: &[u8]) -> Result<Item, Unreadable> {
    match records::decode(bytes) {
        Ok((version, record)) => Ok(Item { key, version, record }),
        Err(error) => {
            Err(Unreadable { key, bytes: Bytes::copy_from_slice(bytes), problem: error.to_string() })
        }
    }
}

/// Turns a failure of the database into one of the port.
pub(crate) fn database_error(error: impl Into<redb::Error>) -> StoreError {
    let error = error.into();
    let kind = match &error {
        redb::Error::Corrupted(_) => StoreErrorKind::Corrupt,
        redb::Error::Io(cause) if crate::files::is_closed(cause) => StoreErrorKind::Full,
        _ => StoreErrorKind::Unavailable,
    };
    StoreError::caused(kind, "the database failed", error)
}

/// Returns the range of keys of the walk; a prefix ends before the same bytes with the last one raised.
fn bounds(query: &Query) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let prefix = encode_key(&Key::new(query.pk.clone(), query.prefix.clone()));
    let mut end = prefix.clone();
    // The last byte is the separator or the end of UTF-8 text, so it can always be raised.
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    let after = query.after.as_ref().map(|after| encode_key(&Key::new(query.pk.clone(), after.clone())));
    match (query.direction, after) {
        (Direction::Ascending, Some(after)) if after >= prefix => {
            (Bound::Excluded(after), Bound::Excluded(end))
        }
        (Direction::Descending, Some(after)) if after < end => {
            (Bound::Included(prefix), Bound::Excluded(after))
        }
        _ => (Bound::Included(prefix), Bound::Excluded(end)),
    }
}

fn is_empty(from: &Bound<Vec<u8>>, to: &Bound<Vec<u8>>) -> bool {
    match (from, to) {
        (Bound::Excluded(from), Bound::Excluded(to)) | (Bound::Included(from), Bound::Excluded(to)) => {
            from >= to
        }
        _ => false,
    }
}

type Entry<'a> = (redb::AccessGuard<'a, &'static [u8]>, redb::AccessGuard<'a, &'static [u8]>);

/// Reads what may be damaged.
fn readable<T>(read: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    unless_damaged(read).map_err(database_error).flatten()
}

fn read_entry(entry: Result<Entry<'_>, StorageError>) -> Result<Result<Item, Unreadable>, StoreError> {
    let (key, value) = entry.map_err(database_error)?;
    Ok(decode_row(decode_key(key.value())?, value.value()))
}

/// Reads run where they are called: as a rule the system has the pages in memory, and a thread would cost more.
#[async_trait]
impl ItemStore for Items {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        let table = self.snapshot.load();
        let read = |key: &Key| match table.get(encode_key(key).as_slice()).map_err(database_error)? {
            Some(value) => decode_item(key.clone(), value.value()).map(Some),
            None => Ok(None),
        };
        readable(|| keys.iter().map(read).collect())
    }

    async fn query(&self, query: Query) -> Result<Vec<Item>, StoreError> {
        let rows = self.query_each(query).await?;
        Ok(rows.into_iter().collect::<Result<_, _>>()?)
    }

    async fn query_each(&self, query: Query) -> Result<Vec<Result<Item, Unreadable>>, StoreError> {
        let (from, to) = bounds(&query);
        if is_empty(&from, &to) {
            return Ok(Vec::new());
        }
        let table = self.snapshot.load();
        let range = (from.as_ref().map(Vec::as_slice), to.as_ref().map(Vec::as_slice));
        readable(|| {
            let range = table.range::<&[u8]>(range).map_err(database_error)?;
            match query.direction {
                Direction::Ascending => range.take(query.limit).map(read_entry).collect(),
                Direction::Descending => range.rev().take(query.limit).map(read_entry).collect(),
            }
        })
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactError> {
        self.commits.commit(writes).await
    }
}

#[async_trait]
impl ItemScan for Items {
    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Item>, StoreError> {
        let table = self.snapshot.load();
        let from = after.map(encode_key).map_or(Bound::Unbounded, Bound::Excluded);
        let range = (from.as_ref().map(Vec::as_slice), Bound::Unbounded);
        readable(|| {
            let mut items = Vec::new();
            for entry in table.range::<&[u8]>(range).map_err(database_error)? {
                if items.len() == limit {
                    break;
                }
                // What is not understood is told by `unreadable`.
                items.extend(read_entry(entry)?.ok());
            }
            Ok(items)
        })
    }

    async fn unreadable(&self) -> Result<Vec<Unreadable>, StoreError> {
        let table = self.snapshot.load();
        readable(|| {
            let mut unreadable = Vec::new();
            for entry in table.range::<&[u8]>(..).map_err(database_error)? {
                unreadable.extend(read_entry(entry)?.err());
            }
            Ok(unreadable)
        })
    }
}
