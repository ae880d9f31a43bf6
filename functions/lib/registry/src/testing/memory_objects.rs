//! Objects in memory.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use oci::{Algorithm, Digest, UploadId};
use serde::{Deserialize, Serialize};

use crate::ports::{
    AppendState, Appended, Arrived, ByteStream, Clock, Copied, KeptState, ObjectInfo, ObjectKey, ObjectScan,
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
    /// What appends have left at their places, for each beginning of the upload.
    uploads: BTreeMap<ObjectKey, Vec<BTreeMap<usize, Bytes>>>,
    direct: BTreeMap<UploadId, (Timestamp, Bytes)>,
}

impl Shelf {
    /// Returns the bytes that the state stands for, as far as they are there.
    fn appended(&self, key: &ObjectKey, state: &AppendState) -> Bytes {
        let Some(appends) = Appends::of(state) else { return Bytes::new() };
        let places = self.uploads.get(key).and_then(|beginnings| beginnings.get(appends.beginning));
        let at = |part: &Part| places?.get(&part.place).filter(|bytes| hash(bytes) == part.hash).cloned();
        appends.parts.iter().filter_map(at).collect::<Vec<_>>().concat().into()
    }
}

/// How far an upload has come: like S3's parts, appends have numbered places, and what comes to a place later stays.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Appends {
    beginning: usize,
    parts: Vec<Part>,
    /// The first place that nobody was given.
    next: usize,
}

/// What an append has left, and how it is told from what came to its place later.
#[derive(Clone, Serialize, Deserialize)]
struct Part {
    place: usize,
    size_bytes: usize,
    hash: u64,
}

fn gone(key: &ObjectKey) -> StoreError {
    StoreError::new(StoreErrorKind::AlreadyFinished, format!("upload of {key} is gone"))
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

impl Appends {
    /// Returns what the state says; nothing before the first append.
    fn of(state: &AppendState) -> Option<Self> {
        serde_json::from_str(&state.store).ok()
    }

    /// Takes a place that is nobody else's.
    async fn reserve(mut self, kept: &mut dyn KeptState) -> Result<(Self, usize), StoreError> {
        let place = self.next;
        self.next += 1;
        kept.replace(self.state()).await?;
        Ok((self, place))
    }

    fn state(&self) -> AppendState {
        let size_bytes = self.parts.iter().map(|part| part.size_bytes as u64).sum();
        AppendState { size_bytes, store: serde_json::to_string(self).unwrap_or_default() }
    }
}

/// Holds objects in memory.
#[derive(Default)]
pub struct MemoryObjects {
    shelf: Mutex<Shelf>,
    has_tails: bool,
}

impl MemoryObjects {
    /// Returns a store in which a finish needs a place, too, as on S3 when the end of an upload is too short for a part.
    pub fn with_tails() -> Self {
        Self { has_tails: true, ..Self::default() }
    }

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

    /// Begins an upload; nobody else knows of it yet.
    fn begin(&self, key: &ObjectKey) -> (Appends, usize) {
        let mut shelf = self.shelf();
        let beginnings = shelf.uploads.entry(key.clone()).or_default();
        beginnings.push(BTreeMap::new());
        (Appends { beginning: beginnings.len() - 1, next: 1, ..Appends::default() }, 0)
    }

    /// Writes what is last a second time, to this place.
    fn copy_tail(&self, key: &ObjectKey, state: &AppendState, place: usize) -> Result<(), StoreError> {
        let mut shelf = self.shelf();
        let Some(appends) = Appends::of(state) else { return Ok(()) };
        let beginnings = shelf.uploads.get_mut(key).and_then(|uploads| uploads.get_mut(appends.beginning));
        let places = beginnings.ok_or_else(|| gone(key))?;
        let tail = appends.parts.last().and_then(|part| places.get(&part.place)).cloned();
        places.extend(tail.map(|tail| (place, tail)));
        Ok(())
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
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
        kept: &mut dyn KeptState,
        mut body: ByteStream,
    ) -> Result<Appended, StoreError> {
        self.refuse_finished(key, None)?;
        let (mut bytes, mut interrupted) = (BytesMut::new(), None);
        while let Some(piece) = body.next().await {
            match piece {
                Ok(piece) => bytes.extend_from_slice(&piece),
                Err(error) => interrupted = Some(error),
            }
        }
        if bytes.is_empty() {
            return Ok(Appended { state: kept.state().clone(), interrupted });
        }
        let (mut appends, place) = match Appends::of(kept.state()) {
            Some(begun) => begun.reserve(kept).await?,
            None => self.begin(key),
        };
        let mut shelf = self.shelf();
        let beginnings = shelf.uploads.get_mut(key).and_then(|uploads| uploads.get_mut(appends.beginning));
        let places = beginnings.ok_or_else(|| gone(key))?;
        appends.parts.push(Part { place, size_bytes: bytes.len(), hash: hash(&bytes) });
        places.insert(place, bytes.freeze());
        Ok(Appended { state: appends.state(), interrupted })
    }

    async fn finish(
        &self,
        key: &ObjectKey,
        state: &AppendState,
        kept: &mut dyn KeptState,
    ) -> Result<(), StoreError> {
        self.refuse_finished(key, Some(state.size_bytes))?;
        if let (true, Some(begun)) = (self.has_tails, Appends::of(kept.state())) {
            let (_, place) = begun.reserve(kept).await?;
            self.copy_tail(key, state, place)?;
        }
        let mut shelf = self.shelf();
        if shelf.objects.contains_key(key) {
            return Ok(());
        }
        let bytes = shelf.appended(key, state);
        if bytes.len() as u64 != state.size_bytes {
            return Err(gone(key));
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
        let stored = |beginnings: &Vec<BTreeMap<usize, Bytes>>| {
            beginnings.iter().flat_map(BTreeMap::values).map(Bytes::len).sum()
        };
        let uploads = shelf.uploads.iter().map(|(key, beginnings)| info(key, stored(beginnings), true));
        Ok(objects.chain(uploads).collect())
    }
}
