//! Stores that let other tasks go first, as often as a seed says: every order of calls can come up.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use oci::UploadId;
use registry::ports::{
    AppendState, Appended, Arrived, ByteStream, Copied, Item, ItemStore, KeptState, Key, ObjectKey,
    ObjectStore, Query, Random, StoreError, TransactError, VerifiedCopy, Write,
};
use registry::testing::SeededRandom;

/// One call in so many is slow, before it happens or after: others overtake it by several calls.
const SLOW_ONE_IN: u128 = 4;

/// A slow call steps aside less often than this.
const STEPS: u128 = 24;

/// A store whose calls step aside before they happen and before they answer.
pub(crate) struct Yielding<S: ?Sized> {
    inner: Arc<S>,
    random: Arc<SeededRandom>,
}

impl<S: ?Sized> Yielding<S> {
    pub(crate) fn new(inner: Arc<S>, random: Arc<SeededRandom>) -> Self {
        Self { inner, random }
    }

    async fn around<T>(&self, call: impl Future<Output = T> + Send) -> T {
        self.step_aside().await;
        let done = call.await;
        self.step_aside().await;
        done
    }

    async fn step_aside(&self) {
        let bits = self.random.bits();
        let steps = if bits.is_multiple_of(SLOW_ONE_IN) { (bits / SLOW_ONE_IN) % STEPS } else { 0 };
        for _ in 0..steps {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl<S: ItemStore + ?Sized> ItemStore for Yielding<S> {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        self.around(self.inner.get(keys)).await
    }

    async fn query(&self, query: Query) -> Result<Vec<Item>, StoreError> {
        self.around(self.inner.query(query)).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactError> {
        self.around(self.inner.transact(writes)).await
    }
}

#[async_trait]
impl<S: ObjectStore + ?Sized> ObjectStore for Yielding<S> {
    async fn put(&self, key: &ObjectKey, bytes: Bytes) -> Result<(), StoreError> {
        self.around(self.inner.put(key, bytes)).await
    }

    async fn get(&self, key: &ObjectKey, range: Range<u64>) -> Result<Option<ByteStream>, StoreError> {
        self.around(self.inner.get(key, range)).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        self.around(self.inner.head(key)).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.around(self.inner.delete(key)).await
    }

    async fn append(
        &self,
        key: &ObjectKey,
        kept: &mut dyn KeptState,
        body: ByteStream,
    ) -> Result<Appended, StoreError> {
        self.around(self.inner.append(key, kept, body)).await
    }

    async fn finish(
        &self,
        key: &ObjectKey,
        state: &AppendState,
        kept: &mut dyn KeptState,
    ) -> Result<(), StoreError> {
        self.around(self.inner.finish(key, state, kept)).await
    }

    async fn abort(&self, key: &ObjectKey, state: &AppendState) -> Result<(), StoreError> {
        self.around(self.inner.abort(key, state)).await
    }
}

#[async_trait]
impl<S: VerifiedCopy + ?Sized> VerifiedCopy for Yielding<S> {
    async fn copy_upload(&self, id: &UploadId, to: &ObjectKey) -> Result<Option<Copied>, StoreError> {
        self.around(self.inner.copy_upload(id, to)).await
    }

    async fn arrived_uploads(
        &self,
        after: Option<&UploadId>,
        limit: usize,
    ) -> Result<Vec<Arrived>, StoreError> {
        self.around(self.inner.arrived_uploads(after, limit)).await
    }
}
