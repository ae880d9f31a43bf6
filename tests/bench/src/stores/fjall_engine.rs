//! fjall as the item store.

use std::collections::HashSet;
use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use slipway_bench::Result;

use crate::engine::{Engine, Kind, Transact};

const SMALL_MEMTABLE_BYTES: u64 = 8 << 20;

pub(crate) struct FjallEngine {
    database: Database,
    items: Keyspace,
    mode: PersistMode,
}

impl FjallEngine {
    pub(crate) fn open(kind: Kind, folder: &Path, cache_bytes: usize) -> Result<Self> {
        let database = Database::builder(folder).cache_size(cache_bytes as u64).open()?;
        let items = database.keyspace("items", || options(kind))?;
        let mode = if kind == Kind::FjallAll { PersistMode::SyncAll } else { PersistMode::SyncData };
        Ok(Self { database, items, mode })
    }
}

fn options(kind: Kind) -> KeyspaceCreateOptions {
    match kind {
        Kind::FjallSmall => KeyspaceCreateOptions::default().max_memtable_size(SMALL_MEMTABLE_BYTES),
        _ => KeyspaceCreateOptions::default(),
    }
}

impl Engine for FjallEngine {
    fn commit(&self, group: &[Transact]) -> Result<Vec<bool>> {
        let mut batch = self.database.batch().durability(Some(self.mode));
        // A batch cannot be read, so what earlier transactions of the group put is remembered here.
        let mut pending = HashSet::new();
        let mut applied = Vec::with_capacity(group.len());
        for transact in group {
            let holds = match transact.must_exist.as_deref() {
                Some(key) => pending.contains(key) || self.items.contains_key(key)?,
                None => true,
            };
            applied.push(holds);
            for (key, value) in transact.puts.iter().filter(|_| holds) {
                pending.insert(key.as_slice());
                batch.insert(&self.items, key.as_slice(), value.as_slice());
            }
        }
        batch.commit()?;
        Ok(applied)
    }

    fn get(&self, key: &[u8]) -> Result<Option<usize>> {
        Ok(self.items.get(key)?.map(|value| value.len()))
    }

    fn scan(&self, start: &[u8], limit: usize) -> Result<usize> {
        let mut count = 0;
        for item in self.items.range(start..).take(limit) {
            let (key, value) = item.into_inner()?;
            count += usize::from(&*key >= start && !value.is_empty());
        }
        Ok(count)
    }
}
