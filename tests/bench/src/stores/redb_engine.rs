//! redb as the item store.

use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use slipway_bench::Result;

use crate::engine::{Engine, Kind, Transact};

const ITEMS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("items");

pub(crate) struct RedbEngine {
    database: Database,
    kind: Kind,
}

impl RedbEngine {
    pub(crate) fn open(kind: Kind, folder: &Path, cache_bytes: usize) -> Result<Self> {
        let mut builder = Database::builder();
        let database = builder.set_cache_size(cache_bytes).create(folder.join("items.redb"))?;
        let engine = Self { database, kind };
        if engine.is_empty()? {
            let transaction = engine.database.begin_write()?;
            transaction.open_table(ITEMS)?;
            transaction.commit()?;
        }
        Ok(engine)
    }

    fn is_empty(&self) -> Result<bool> {
        Ok(self.database.begin_read()?.list_tables()?.next().is_none())
    }
}

impl Engine for RedbEngine {
    fn commit(&self, group: &[Transact]) -> Result<Vec<bool>> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_two_phase_commit(self.kind == Kind::RedbTwoPhase);
        transaction.set_quick_repair(self.kind == Kind::RedbQuickRepair);
        let mut applied = Vec::with_capacity(group.len());
        {
            let mut items = transaction.open_table(ITEMS)?;
            for transact in group {
                let holds = match &transact.must_exist {
                    Some(key) => items.get(key.as_slice())?.is_some(),
                    None => true,
                };
                applied.push(holds);
                for (key, value) in transact.puts.iter().filter(|_| holds) {
                    items.insert(key.as_slice(), value.as_slice())?;
                }
            }
        }
        transaction.commit()?;
        Ok(applied)
    }

    fn get(&self, key: &[u8]) -> Result<Option<usize>> {
        let items = self.database.begin_read()?.open_table(ITEMS)?;
        Ok(items.get(key)?.map(|value| value.value().len()))
    }

    fn scan(&self, start: &[u8], limit: usize) -> Result<usize> {
        let items = self.database.begin_read()?.open_table(ITEMS)?;
        let mut count = 0;
        for item in items.range(start..)?.take(limit) {
            let (key, value) = item?;
            count += usize::from(key.value() >= start && !value.value().is_empty());
        }
        Ok(count)
    }
}
