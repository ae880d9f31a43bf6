//! Objects in memory.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use oci::{Algorithm, Digest, UploadId};

use crate::ports::{
    AppendState, Appended, Arrived, ByteStream, Clock, Copied, ObjectInfo, ObjectKey, ObjectScan,
    ObjectStore, SignedDownloads, SignedUploads, StoreError, StoreErrorKind, SystemClock, Timestamp,
    VerifiedCopy,
};

/// The beginning of signed URLs.
const SIGNED_URL: &str = "https://objects.invalid/";

/// The same of URLs that are good for a HEAD and nothing else.
const SIGNED_HEAD_URL: &str = "https://heads.invalid/";

#[derive(Default)]
struct Shelf {
    objects: BTreeMap<ObjectKey, Bytes>,
    /// What each append has left. One that comes late, on a state of long ago, spoils no other.
    uploads: BTreeMap<ObjectKey, Vec<Bytes>>,
    direct: BTreeMap<UploadId, (Timestamp, Bytes)>,
}

impl Shelf {
    /// Returns the bytes that the state stands for.
    fn appended(&self, key: &ObjectKey, state: &AppendState) -> Bytes {
        let number = state.store.parse::<usize>().ok();
        let bytes = number.and_then(|number| self.uploads.get(key)?.get(number)).cloned().unwrap_or_default();
        let end = usize::try_from(state.size_bytes).unwrap_or(usize::MAX);
        bytes.slice(..end.min(bytes.len()))
    }
}

/// Holds objects in memory.
#[derive(Default)]
pub struct MemoryObjects(Mutex<Shelf>);

impl MemoryObjects {
    /// Takes what a client sends past the registry.
    pub fn receive(&self, id: UploadId, bytes: Bytes) {
        self.shelf().direct.insert(id, (SystemClock.now(), bytes));
    }

    /// Answers a client that goes where a signed URL leads; `None` if there is no such object.
    pub fn serve(&self, url: &str) -> Option<Bytes> {
        let key = ObjectKey::stored(url.strip_prefix(SIGNED_URL)?);
        self.shelf().objects.get(&key).cloned()
    }

    /// Answers a HEAD where a signed URL leads with the length; `None` if there is no such object.
    pub fn serve_head(&self, url: &str) -> Option<u64> {
        let key = ObjectKey::stored(url.strip_prefix(SIGNED_HEAD_URL)?);
        self.shelf().objects.get(&key).map(|bytes| bytes.len() as u64)
    }

    /// Refuses if the upload is an object already, unless it has this size.
    fn refuse_finished(&self, key: &ObjectKey, size_bytes: Option<u64>) -> Result<(), StoreError> {
        match self.shelf().objects.get(key).map(|bytes| bytes.len() as u64) {
            found @ Some(_) if found != size_bytes => {
                Err(StoreError::new(StoreErrorKind::AlreadyFinished, format!("object {key}")))
            }
            _ => Ok(()),
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ObjectStore for MemoryObjects {
    async fn put(&self, key: &ObjectKey, bytes: Bytes) -> Result<(), StoreError> {
        self.shelf().objects.insert(key.clone(), bytes);
        Ok(())
    }

    async fn get(&self, key: &ObjectKey, range: Range<u64>) -> Result<Option<ByteStream>, StoreError> {
        let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let bytes =
            self.shelf().objects.get(key).map(|bytes| bytes.slice(index(range.start)..index(range.end)));
        Ok(bytes.map(|bytes| futures_util::stream::iter([Ok(bytes)]).boxed()))
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        Ok(self.shelf().objects.get(key).map(|bytes| bytes.len() as u64))
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.shelf().objects.remove(key);
        Ok(())
    }

    async fn append(
        &self,
        key: &ObjectKey,
        state: &AppendState,
        mut body: ByteStream,
    ) -> Result<Appended, StoreError> {
        self.refuse_finished(key, None)?;
        let mut bytes = BytesMut::from(self.shelf().appended(key, state));
        let mut interrupted = None;
        while let Some(piece) = body.next().await {
            match piece {
                Ok(piece) => bytes.extend_from_slice(&piece),
                Err(error) => interrupted = Some(error),
            }
        }
        let mut shelf = self.shelf();
        let uploads = shelf.uploads.entry(key.clone()).or_default();
        let state = AppendState { size_bytes: bytes.len() as u64, store: uploads.len().to_string() };
        uploads.push(bytes.freeze());
        Ok(Appended { state, interrupted })
    }

    async fn finish(&self, key: &ObjectKey, state: &AppendState) -> Result<(), StoreError> {
        self.refuse_finished(key, Some(state.size_bytes))?;
        let mut shelf = self.shelf();
        if shelf.objects.contains_key(key) {
            return Ok(());
        }
        let bytes = shelf.appended(key, state);
        if bytes.len() as u64 != state.size_bytes {
            return Err(StoreError::new(StoreErrorKind::AlreadyFinished, format!("upload of {key} is gone")));
        }
        shelf.uploads.remove(key);
        shelf.objects.insert(key.clone(), bytes);
        Ok(())
    }

    async fn abort(&self, key: &ObjectKey, _state: &AppendState) -> Result<(), StoreError> {
        self.shelf().uploads.remove(key);
        Ok(())
    }
}

#[async_trait]
impl SignedDownloads for MemoryObjects {
    async fn signed_get(&self, key: &ObjectKey) -> Result<String, StoreError> {
        Ok(format!("{SIGNED_URL}{key}"))
    }

    async fn signed_head(&self, key: &ObjectKey) -> Result<String, StoreError> {
        Ok(format!("{SIGNED_HEAD_URL}{key}"))
    }
}

#[async_trait]
impl SignedUploads for MemoryObjects {
    async fn signed_put(&self, id: &UploadId) -> Result<String, StoreError> {
        Ok(format!("X-Amz-Signature={id}"))
    }
}

#[async_trait]
impl VerifiedCopy for MemoryObjects {
    async fn copy_upload(&self, id: &UploadId, to: &ObjectKey) -> Result<Option<Copied>, StoreError> {
        let mut shelf = self.shelf();
        let Some((_, bytes)) = shelf.direct.get(id).cloned() else { return Ok(None) };
        let copied = Copied { digest: Digest::of(Algorithm::Sha256, &bytes), size_bytes: bytes.len() as u64 };
        shelf.objects.insert(to.clone(), bytes);
        Ok(Some(copied))
    }

    async fn arrived_uploads(
        &self,
        after: Option<&UploadId>,
        limit: usize,
    ) -> Result<Vec<Arrived>, StoreError> {
        let shelf = self.shelf();
        let beyond = shelf.direct.iter().filter(|(id, _)| after.is_none_or(|after| *id > after));
        Ok(beyond.take(limit).map(|(id, (at, _))| Arrived { id: id.clone(), at: *at }).collect())
    }
}

#[async_trait]
impl ObjectScan for MemoryObjects {
    async fn scan(&self) -> Result<Vec<ObjectInfo>, StoreError> {
        let shelf = self.shelf();
        let info = |key: &ObjectKey, size: usize, is_unfinished| ObjectInfo {
            key: key.clone(),
            size_bytes: size as u64,
            is_unfinished,
        };
        let objects = shelf.objects.iter().map(|(key, bytes)| info(key, bytes.len(), false));
        let last = |appends: &Vec<Bytes>| appends.last().map_or(0, Bytes::len);
        let uploads = shelf.uploads.iter().map(|(key, appends)| info(key, last(appends), true));
        Ok(objects.chain(uploads).collect())
    }
}
