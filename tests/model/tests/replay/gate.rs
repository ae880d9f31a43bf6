//! Stores whose calls wait until somebody lets them happen, one by one.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use oci::UploadId;
use registry::ports::{
    AppendState, Appended, Arrived, ByteStream, Conflict, Copied, Item, ItemStore, KeptState, Key, ObjectKey,
    ObjectStore, Query, SignedUploads, StoreError, TransactError, VerifiedCopy, Write,
};
use registry::testing::MemoryObjects;
use tokio::sync::oneshot;

/// `sha256:` and 64 digits.
const DIGEST_LEN: usize = 71;

/// Whether a call may change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Write,
}

/// How a call is let happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    Once,
    /// It happens, and waits to happen again, as if its reply had been lost.
    Again,
    /// It is refused as a store may do that is under load.
    Refused,
}

struct Waiting {
    kind: Kind,
    /// The first item that is read.
    item: Option<Key>,
    pass: oneshot::Sender<Pass>,
}

/// Where the calls of one process wait.
#[derive(Default)]
pub(crate) struct Gate {
    waiting: Mutex<VecDeque<Waiting>>,
    /// How many writes have happened.
    written: Mutex<usize>,
}

impl Gate {
    /// Returns what waits.
    pub(crate) fn waits(&self) -> Option<Kind> {
        self.waiting().front().map(|waiting| waiting.kind)
    }

    /// Returns whether this item is read first by what waits.
    pub(crate) fn waits_for(&self, item: &Key) -> bool {
        self.waiting().front().is_some_and(|waiting| waiting.item.as_ref() == Some(item))
    }

    /// Returns how many writes have happened.
    pub(crate) fn written(&self) -> usize {
        *self.written.lock().unwrap()
    }

    /// Lets the call happen that waits.
    pub(crate) fn open(&self, pass: Pass) {
        let waiting = self.waiting().pop_front().expect("nothing waits");
        waiting.pass.send(pass).expect("the call has gone away");
    }

    async fn wait(&self, kind: Kind, item: Option<Key>) -> Pass {
        let (pass, passed) = oneshot::channel();
        self.waiting().push_back(Waiting { kind, item, pass });
        match passed.await {
            Ok(pass) => pass,
            // The process has died.
            Err(_) => std::future::pending().await,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap()
    }

    async fn read<T>(&self, call: impl Future<Output = T> + Send) -> T {
        self.wait(Kind::Read, None).await;
        call.await
    }

    async fn write<T, E>(&self, call: impl Future<Output = Result<T, E>> + Send) -> Result<T, E> {
        self.wait(Kind::Write, None).await;
        let done = call.await;
        if done.is_ok() {
            *self.written.lock().unwrap() += 1;
        }
        done
    }
}

/// Which suspects a process is shown when it reads the review queue.
pub(crate) type Shown = Arc<dyn Fn(Vec<Item>) -> Vec<Item> + Send + Sync>;

fn are_of_one_digest(one: &Key, other: &Key) -> bool {
    digest(one).zip(digest(other)).is_none_or(|(one, other)| one == other)
}

/// Returns the digest that the item is about.
fn digest(key: &Key) -> Option<&str> {
    let start = [&key.pk, &key.sk].into_iter().find_map(|part| Some(&part[part.find("sha256:")?..]))?;
    start.get(..DIGEST_LEN)
}

/// The items behind a gate.
pub(crate) struct GatedItems {
    pub(crate) inner: Arc<dyn ItemStore>,
    pub(crate) gate: Arc<Gate>,
    /// What is seen of the review queue; reading it does not wait.
    pub(crate) shown: Option<Shown>,
}

#[async_trait]
impl ItemStore for GatedItems {
    /// What is about several digests is read at several moments, as a store may do that answers for each item.
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        let mut found = Vec::new();
        for keys in keys.chunk_by(are_of_one_digest) {
            self.gate.wait(Kind::Read, keys.first().cloned()).await;
            found.extend(self.inner.get(keys).await?);
        }
        Ok(found)
    }

    async fn query(&self, query: Query) -> Result<Vec<Item>, StoreError> {
        match &self.shown {
            Some(shown) if query.pk.starts_with("Q#") => Ok(shown(self.inner.query(query).await?)),
            _ => self.gate.read(self.inner.query(query)).await,
        }
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactError> {
        loop {
            let pass = self.gate.wait(Kind::Write, None).await;
            if pass == Pass::Refused {
                let conflict = Conflict { key: writes[0].key().clone(), found: None };
                return Err(TransactError::Conflict(Box::new(conflict)));
            }
            let done = self.inner.transact(writes.clone()).await;
            if done.is_ok() {
                *self.gate.written.lock().unwrap() += 1;
            }
            if pass == Pass::Once || done.is_err() {
                return done;
            }
        }
    }
}

/// The objects behind a gate.
pub(crate) struct GatedObjects {
    pub(crate) inner: Arc<MemoryObjects>,
    pub(crate) gate: Arc<Gate>,
}

impl GatedObjects {
    /// Takes what a client sends past the registry.
    pub(crate) async fn receive(&self, id: UploadId, bytes: Bytes) {
        self.gate.wait(Kind::Write, None).await;
        self.inner.receive(id, bytes);
    }
}

#[async_trait]
impl SignedUploads for GatedObjects {
    async fn signed_put(&self, id: &UploadId) -> Result<String, StoreError> {
        self.inner.signed_put(id).await
    }
}

#[async_trait]
impl VerifiedCopy for GatedObjects {
    async fn copy_upload(&self, id: &UploadId, to: &ObjectKey) -> Result<Option<Copied>, StoreError> {
        self.gate.write(self.inner.copy_upload(id, to)).await
    }

    async fn arrived_uploads(
        &self,
        after: Option<&UploadId>,
        limit: usize,
    ) -> Result<Vec<Arrived>, StoreError> {
        self.gate.read(self.inner.arrived_uploads(after, limit)).await
    }
}

#[async_trait]
impl ObjectStore for GatedObjects {
    async fn put(&self, key: &ObjectKey, bytes: Bytes) -> Result<(), StoreError> {
        self.gate.write(self.inner.put(key, bytes)).await
    }

    async fn get(&self, key: &ObjectKey, range: Range<u64>) -> Result<Option<ByteStream>, StoreError> {
        self.gate.read(self.inner.get(key, range)).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        self.gate.read(self.inner.head(key)).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.gate.write(self.inner.delete(key)).await
    }

    async fn append(
        &self,
        key: &ObjectKey,
        kept: &mut dyn KeptState,
        body: ByteStream,
    ) -> Result<Appended, StoreError> {
        self.gate.write(self.inner.append(key, kept, body)).await
    }

    async fn finish(
        &self,
        key: &ObjectKey,
        state: &AppendState,
        kept: &mut dyn KeptState,
    ) -> Result<(), StoreError> {
        self.gate.write(self.inner.finish(key, state, kept)).await
    }

    async fn abort(&self, key: &ObjectKey, state: &AppendState) -> Result<(), StoreError> {
        self.gate.write(self.inner.abort(key, state)).await
    }
}
