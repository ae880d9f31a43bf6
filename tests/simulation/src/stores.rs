//! The stores of one process: those in memory, behind the gate.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use registry::ports::{
    AppendState, Appended, ByteStream, Item, ItemStore, KeptState, Key, ObjectKey, ObjectStore, Query,
    StoreError, StoreErrorKind, TransactError, Write,
};
use registry::testing::{Call, MemoryItems, MemoryObjects};

use crate::gate::{Gate, Pass, ProcessId};

/// What a process finds that reads an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    /// What was written last.
    Strong,
    /// Of a tag, at times what it found the last time.
    EventualOfTags,
}

/// What a process found the last time.
type Memory = Mutex<BTreeMap<Key, Option<Item>>>;

/// A store as one process reaches it.
pub(crate) struct Gated<S> {
    pub(crate) inner: Arc<S>,
    gate: Arc<Gate>,
    process: ProcessId,
    memory: Option<Memory>,
}

impl<S> Gated<S> {
    pub(crate) fn new(inner: &Arc<S>, gate: &Arc<Gate>, process: ProcessId, reads: Reads) -> Self {
        let memory = (reads == Reads::EventualOfTags).then(Mutex::default);
        Self { inner: Arc::clone(inner), gate: Arc::clone(gate), process, memory }
    }

    /// Every second read of a tag is of the past.
    fn remembered(&self, keys: &[Key], found: Vec<Option<Item>>) -> Vec<Option<Item>> {
        let Some(memory) = &self.memory else { return found };
        let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
        let stale = |(key, found): (&Key, Option<Item>)| match memory.remove(key) {
            Some(past) => past,
            None if !key.pk.ends_with("#T") => found,
            None => {
                memory.insert(key.clone(), found.clone());
                found
            }
        };
        keys.iter().zip(found).map(stale).collect()
    }

    pub(crate) async fn around<T, E: From<StoreError>>(
        &self,
        call: Call,
        work: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        let failed = |kind| E::from(StoreError::new(kind, format!("injected at {call:?}")));
        match self.gate.call(self.process, call).await {
            Pass::Failed(kind) => Err(failed(kind)),
            Pass::LostReply => {
                work.await?;
                Err(failed(StoreErrorKind::Unavailable))
            }
            Pass::Done | Pass::SentAgain => {
                let done = work.await;
                self.gate.reply(self.process, call).await;
                done
            }
        }
    }
}

#[async_trait]
impl ItemStore for Gated<MemoryItems> {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        let found = self.around(Call::ItemsGet, self.inner.get(keys)).await?;
        Ok(self.remembered(keys, found))
    }

    async fn query(&self, query: Query) -> Result<Vec<Item>, StoreError> {
        self.around(Call::ItemsQuery, self.inner.query(query)).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactError> {
        let call = Call::ItemsTransact;
        match self.gate.call(self.process, call).await {
            Pass::Failed(kind) => Err(StoreError::new(kind, format!("injected at {call:?}")).into()),
            Pass::LostReply => {
                self.inner.transact(writes).await?;
                Err(StoreError::new(StoreErrorKind::Unavailable, format!("injected at {call:?}")).into())
            }
            Pass::SentAgain => {
                let first = self.inner.transact(writes.clone()).await;
                // Others may come in between.
                self.gate.call(self.process, call).await;
                match first {
                    Ok(()) => self.inner.transact(writes).await,
                    refused => refused,
                }
            }
            Pass::Done => {
                let done = self.inner.transact(writes).await;
                self.gate.reply(self.process, call).await;
                done
            }
        }
    }
}

#[async_trait]
impl ObjectStore for Gated<MemoryObjects> {
    async fn put(&self, key: &ObjectKey, bytes: Bytes) -> Result<(), StoreError> {
        self.around(Call::ObjectPut, self.inner.put(key, bytes)).await
    }

    async fn get(&self, key: &ObjectKey, range: Range<u64>) -> Result<Option<ByteStream>, StoreError> {
        self.around(Call::ObjectGet, self.inner.get(key, range)).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        self.around(Call::ObjectHead, self.inner.head(key)).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.around(Call::ObjectDelete, self.inner.delete(key)).await
    }

    async fn append(
        &self,
        key: &ObjectKey,
        kept: &mut dyn KeptState,
        body: ByteStream,
    ) -> Result<Appended, StoreError> {
        self.around(Call::ObjectAppend, self.inner.append(key, kept, body)).await
    }

    async fn finish(
        &self,
        key: &ObjectKey,
        state: &AppendState,
        kept: &mut dyn KeptState,
    ) -> Result<(), StoreError> {
        self.around(Call::ObjectFinish, self.inner.finish(key, state, kept)).await
    }

    async fn abort(&self, key: &ObjectKey, state: &AppendState) -> Result<(), StoreError> {
        self.around(Call::ObjectAbort, self.inner.abort(key, state)).await
    }
}
