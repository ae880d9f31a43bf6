//! Items in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use bytes::Bytes;

use crate::ports::{
    Conflict, Direction, Item, ItemScan, ItemStore, Key, Query, StoreError, TransactError, Unreadable,
    Version, Write,
};
use crate::records::Record;

#[derive(Default)]
struct Table {
    rows: BTreeMap<Key, (Version, Record)>,
    spoilt: BTreeSet<Key>,
}

/// Holds items in memory.
#[derive(Default)]
pub struct MemoryItems(Mutex<Table>);

impl MemoryItems {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has what is there understood by nobody, until it is written anew.
    pub fn spoil(&self, key: Key) {
        self.table().spoilt.insert(key);
    }
}

impl Table {
    fn read(&self, key: &Key, (version, record): &(Version, Record)) -> Result<Item, Unreadable> {
        match self.spoilt.contains(key) {
            true => {
                Err(Unreadable { key: key.clone(), bytes: Bytes::new(), problem: "it is spoilt".to_owned() })
            }
            false => Ok(Item { key: key.clone(), version: version.clone(), record: record.clone() }),
        }
    }

    fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        Ok(self.rows.get(key).map(|value| self.read(key, value)).transpose()?)
    }
}

#[async_trait]
impl ItemStore for MemoryItems {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        let table = self.table();
        keys.iter().map(|key| table.get(key)).collect()
    }

    async fn query(&self, query: Query) -> Result<Vec<Item>, StoreError> {
        let rows = self.query_each(query).await?;
        Ok(rows.into_iter().collect::<Result<_, _>>()?)
    }

    async fn query_each(&self, query: Query) -> Result<Vec<Result<Item, Unreadable>>, StoreError> {
        let table = self.table();
        let first = Key::new(query.pk.clone(), "");
        let in_range = table
            .rows
            .range((Bound::Included(first), Bound::Unbounded))
            .take_while(|(key, _)| key.pk == query.pk)
            .filter(|(key, _)| key.sk.starts_with(&query.prefix));
        let after = query.after.as_deref();
        Ok(match query.direction {
            Direction::Ascending => in_range
                .filter(|(key, _)| after.is_none_or(|after| key.sk.as_str() > after))
                .take(query.limit)
                .map(|(key, value)| table.read(key, value))
                .collect(),
            Direction::Descending => {
                let mut rows: Vec<_> = in_range
                    .filter(|(key, _)| after.is_none_or(|after| key.sk.as_str() < after))
                    .map(|(key, value)| table.read(key, value))
                    .collect();
                rows.reverse();
                rows.truncate(query.limit);
                rows
            }
        })
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactError> {
        super::items_contract::assert_well_formed(&writes);
        let mut table = self.table();
        for write in &writes {
            let version = table.rows.get(write.key()).map(|(version, _)| version);
            if !write.condition().holds(version) {
                let found = table.get(write.key())?;
                return Err(TransactError::Conflict(Box::new(Conflict { key: write.key().clone(), found })));
            }
        }
        for write in writes {
            if !matches!(write, Write::Check(..)) {
                table.spoilt.remove(write.key());
            }
            match write {
                Write::Put(item, _) => drop(table.rows.insert(item.key, (item.version, item.record))),
                Write::Delete(key, _) => drop(table.rows.remove(&key)),
                Write::Check(..) => {}
            }
        }
        Ok(())
    }
}

#[async_trait]
impl ItemScan for MemoryItems {
    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Item>, StoreError> {
        let table = self.table();
        let from = after.map_or(Bound::Unbounded, |key| Bound::Excluded(key.clone()));
        let rows = table.rows.range((from, Bound::Unbounded));
        Ok(rows.filter_map(|(key, value)| table.read(key, value).ok()).take(limit).collect())
    }

    async fn unreadable(&self) -> Result<Vec<Unreadable>, StoreError> {
        let table = self.table();
        Ok(table.rows.iter().filter_map(|(key, value)| table.read(key, value).err()).collect())
    }
}
