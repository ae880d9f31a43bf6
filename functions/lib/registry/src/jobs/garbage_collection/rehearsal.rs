//! Stores for a run that changes nothing: what it writes is seen by itself alone.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::queue::sk;
use crate::Stores;
use crate::ports::{
    Abilities, AppendState, Appended, ByteStream, Conflict, Direction, Item, ItemStore, KeptState, Key,
    ObjectKey, ObjectStore, Query, StoreError, StoreErrorKind, TransactError, Unreadable, Write,
};

/// Returns stores that read from these.
pub(super) fn stores(real: &Stores) -> Stores {
    Stores {
        items: Arc::new(Draft { real: Arc::clone(&real.items), changed: Mutex::default() }),
        objects: Arc::new(Untouched(Arc::clone(&real.objects))),
        clock: Arc::clone(&real.clock),
        random: Arc::clone(&real.random),
        abilities: Abilities::default(),
    }
}

/// Items as they would be: what was written here, and under it the real ones.
struct Draft {
    real: Arc<dyn ItemStore>,
    changed: Mutex<BTreeMap<Key, Option<Item>>>,
}

impl Draft {
    fn changed(&self) -> MutexGuard<'_, BTreeMap<Key, Option<Item>>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed_in(&self, query: &Query) -> BTreeMap<String, Option<Item>> {
        let is_asked =
            |key: &Key| key.pk == query.pk && key.sk.starts_with(&query.prefix) && is_beyond(query, &key.sk);
        let changed = self.changed();
        changed
            .iter()
            .filter(|(key, _)| is_asked(key))
            .map(|(key, item)| (key.sk.clone(), item.clone()))
            .collect()
    }
}

fn is_beyond(query: &Query, sk: &str) -> bool {
    query.after.as_deref().is_none_or(|after| match query.direction {
        Direction::Ascending => sk > after,
        Direction::Descending => sk < after,
    })
}

#[async_trait]
impl ItemStore for Draft {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        let real = self.real.get(keys).await?;
        let changed = self.changed();
        Ok(keys.iter().zip(real).map(|(key, real)| changed.get(key).cloned().unwrap_or(real)).collect())
    }

    async fn query(&self, query: Query) -> Result<Vec<Item>, StoreError> {
        let rows = self.query_each(query).await?;
        Ok(rows.into_iter().collect::<Result<_, _>>()?)
    }

    async fn query_each(&self, query: Query) -> Result<Vec<Result<Item, Unreadable>>, StoreError> {
        let changed = self.changed_in(&query);
        let limit = query.limit.saturating_add(changed.len());
        let real = self.real.query_each(Query { limit, ..query.clone() }).await?;
        let mut rows: BTreeMap<String, Option<_>> =
            real.into_iter().map(|row| (sk(&row).to_owned(), Some(row))).collect();
        rows.extend(changed.into_iter().map(|(sk, item)| (sk, item.map(Ok))));
        let rows = rows.into_values().flatten();
        Ok(match query.direction {
            Direction::Ascending => rows.take(query.limit).collect(),
            Direction::Descending => rows.rev().take(query.limit).collect(),
        })
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactError> {
        let keys: Vec<Key> = writes.iter().map(|write| write.key().clone()).collect();
        for (write, found) in writes.iter().zip(self.get(&keys).await?) {
            if !write.condition().holds(found.as_ref().map(|item| &item.version)) {
                return Err(TransactError::Conflict(Box::new(Conflict { key: write.key().clone(), found })));
            }
        }
        let mut changed = self.changed();
        for write in writes {
            match write {
                Write::Put(item, _) => drop(changed.insert(item.key.clone(), Some(item))),
                Write::Delete(key, _) => drop(changed.insert(key, None)),
                Write::Check(..) => {}
            }
        }
        Ok(())
    }
}

/// Objects that stay as they are. What would be deleted is not asked for again.
struct Untouched(Arc<dyn ObjectStore>);

impl Untouched {
    fn refused() -> StoreError {
        StoreError::new(StoreErrorKind::Unavailable, "a rehearsal stores nothing")
    }
}

#[async_trait]
impl ObjectStore for Untouched {
    async fn put(&self, _key: &ObjectKey, _bytes: Bytes) -> Result<(), StoreError> {
        Err(Self::refused())
    }

    async fn get(&self, key: &ObjectKey, range: Range<u64>) -> Result<Option<ByteStream>, StoreError> {
        self.0.get(key, range).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        self.0.head(key).await
    }

    async fn delete(&self, _key: &ObjectKey) -> Result<(), StoreError> {
        Ok(())
    }

    async fn append(
        &self,
        _key: &ObjectKey,
        _kept: &mut dyn KeptState,
        _body: ByteStream,
    ) -> Result<Appended, StoreError> {
        Err(Self::refused())
    }

    async fn finish(
        &self,
        _key: &ObjectKey,
        _state: &AppendState,
        _kept: &mut dyn KeptState,
    ) -> Result<(), StoreError> {
        Err(Self::refused())
    }

    async fn abort(&self, _key: &ObjectKey, _state: &AppendState) -> Result<(), StoreError> {
        Ok(())
    }
}
