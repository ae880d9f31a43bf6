//! A store around another that counts calls and fails on demand.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use oci::UploadId;

use crate::ports::{
    AppendState, Appended, Arrived, ByteStream, Copied, Item, ItemStore, KeptState, Key, ObjectKey,
    ObjectStore, Query, StoreError, StoreErrorKind, TransactError, Unreadable, VerifiedCopy, Write,
};

/// A call of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the port's method of that name")]
pub enum Call {
    ItemsGet,
    ItemsQuery,
    ItemsTransact,
    ObjectPut,
    ObjectGet,
    ObjectHead,
    ObjectDelete,
    ObjectAppend,
    ObjectFinish,
    ObjectAbort,
    CopyUpload,
    ArrivedUploads,
    SignedGet,
    SignedHead,
    SignedPut,
}

impl Call {
    /// Returns whether the call goes to the item store.
    pub fn is_of_items(self) -> bool {
        matches!(self, Self::ItemsGet | Self::ItemsQuery | Self::ItemsTransact)
    }
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It happens.
    Done,
    /// It fails, and nothing happened.
    Failed(StoreErrorKind),
    /// It happens, but the caller is told that it failed.
    LostReply,
}

/// Decides over each call before it happens.
pub trait Hook: Send + Sync {
    /// Returns what becomes of the call.
    fn decide(&self, call: Call) -> Outcome;
}

impl<F: Fn(Call) -> Outcome + Send + Sync> Hook for F {
    fn decide(&self, call: Call) -> Outcome {
        self(call)
    }
}

/// A store whose calls a hook decides over.
pub struct Hooked<S: ?Sized> {
    inner: Arc<S>,
    hook: Arc<dyn Hook>,
}

impl<S: ?Sized> Hooked<S> {
    /// Puts the hook before the store.
    pub fn new(inner: Arc<S>, hook: Arc<dyn Hook>) -> Self {
        Self { inner, hook }
    }

    async fn around<T, E: From<StoreError>>(
        &self,
        call: Call,
        work: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        let injected = |kind| E::from(StoreError::new(kind, format!("injected at {call:?}")));
        match self.hook.decide(call) {
            Outcome::Done => work.await,
            Outcome::Failed(kind) => Err(injected(kind)),
            Outcome::LostReply => {
                work.await?;
                Err(injected(StoreErrorKind::Unavailable))
            }
        }
    }
}

#[async_trait]
impl<S: ItemStore + ?Sized> ItemStore for Hooked<S> {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        self.around(Call::ItemsGet, self.inner.get(keys)).await
    }

    async fn query(&self, query: Query) -> Result<Vec<Item>, StoreError> {
        self.around(Call::ItemsQuery, self.inner.query(query)).await
    }

    async fn query_each(&self, query: Query) -> Result<Vec<Result<Item, Unreadable>>, StoreError> {
        self.around(Call::ItemsQuery, self.inner.query_each(query)).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactError> {
        self.around(Call::ItemsTransact, self.inner.transact(writes)).await
    }
}

#[async_trait]
impl<S: ObjectStore + ?Sized> ObjectStore for Hooked<S> {
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

#[async_trait]
impl<S: VerifiedCopy + ?Sized> VerifiedCopy for Hooked<S> {
    async fn copy_upload(&self, id: &UploadId, to: &ObjectKey) -> Result<Option<Copied>, StoreError> {
        self.around(Call::CopyUpload, self.inner.copy_upload(id, to)).await
    }

    async fn arrived_uploads(
        &self,
        after: Option<&UploadId>,
        limit: usize,
    ) -> Result<Vec<Arrived>, StoreError> {
        self.around(Call::ArrivedUploads, self.inner.arrived_uploads(after, limit)).await
    }
}
