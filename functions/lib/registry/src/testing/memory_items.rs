//! Items in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::ports::{
    Conflict, Direction, Item, ItemScan, ItemStore, Key, Query, StoreError, TransactError, Version, Write,
};
use crate::records::Record;

type Table = BTreeMap<Key, (Version, Record)>;

/// Holds items in memory.
#[derive(Default)]
pub struct MemoryItems(Mutex<Table>);

impl MemoryItems {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn item(key: &Key, (version, record): &(Version, Record)) -> Item {
    Item { key: key.clone(), version: version.clone(), record: record.clone() }
}

#[async_trait]
impl ItemStore for MemoryItems {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        let table = self.table();
        Ok(keys.iter().map(|key| table.get(key).map(|value| item(key, value))).collect())
    }

    async fn query(&self, query: Query) -> Result<Vec<Item>, StoreError> {
        let table = self.table();
        let first = Key::new(query.pk.clone(), "");
        let in_range = table
            .range((Bound::Included(first), Bound::Unbounded))
            .take_while(|(key, _)| key.pk == query.pk)
            .filter(|(key, _)| key.sk.starts_with(&query.prefix));
        let after = query.after.as_deref();
        Ok(match query.direction {
            Direction::Ascending => in_range
                .filter(|(key, _)| after.is_none_or(|after| key.sk.as_str() > after))
                .take(query.limit)
                .map(|(key, value)| item(key, value))
                .collect(),
            Direction::Descending => {
                let mut items: Vec<Item> = in_range
                    .filter(|(key, _)| after.is_none_or(|after| key.sk.as_str() < after))
                    .map(|(key, value)| item(key, value))
                    .collect();
                items.reverse();
                items.truncate(query.limit);
                items
            }
        })
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactError> {
        super::items_contract::assert_well_formed(&writes);
        let mut table = self.table();
        for write in &writes {
            let found = table.get(write.key());
            if !write.condition().holds(found.map(|(version, _)| version)) {
                let found = found.map(|value| item(write.key(), value));
                return Err(TransactError::Conflict(Box::new(Conflict { key: write.key().clone(), found })));
            }
        }
        for write in writes {
            match write {
                Write::Put(item, _) => drop(table.insert(item.key, (item.version, item.record))),
                Write::Delete(key, _) => drop(table.remove(&key)),
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
        Ok(table.range((from, Bound::Unbounded)).take(limit).map(|(key, value)| item(key, value)).collect())
    }
}
