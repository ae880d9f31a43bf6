//! What the stand-in holds: buckets, objects and uploads under one lock, so that every write is atomic.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::dto::{ETag, Metadata};
use s3s::{S3Result, s3_error};
use tempfile::TempDir;

use crate::checksums::{Algorithm, Checksum, ChecksumKind};
use crate::conditions::WriteCondition;
use crate::content::Content;
use crate::events::{Events, ObjectCreated};
use crate::versions::Version;

/// The headers that an object keeps for those who read it.
#[derive(Clone, Default)]
pub(crate) struct KeptHeaders {
    pub(crate) cache_control: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) metadata: Option<Metadata>,
}

/// One object as it was written; never changed, only replaced.
pub(crate) struct Object {
    pub(crate) content: Content,
    pub(crate) etag: String,
    pub(crate) last_modified: SystemTime,
    pub(crate) kept: KeptHeaders,
    /// None where the stand-in was told to compute none (on copies).
    pub(crate) checksum: Option<Checksum>,
    /// Number, size and checksum of each part, in order; none unless it was uploaded in parts.
    pub(crate) parts: Vec<(i32, u64, Checksum)>,
}

impl Object {
    pub(crate) fn etag(&self) -> ETag {
        ETag::Strong(self.etag.clone())
    }
}

/// One part of an upload that is not complete.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) content: Content,
    pub(crate) etag: String,
    pub(crate) last_modified: SystemTime,
    pub(crate) checksum: Checksum,
}

/// A multipart upload that is not complete.
#[derive(Clone)]
pub(crate) struct Upload {
    pub(crate) initiated: SystemTime,
    pub(crate) kept: KeptHeaders,
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) kind: ChecksumKind,
    pub(crate) parts: BTreeMap<i32, Part>,
}

/// Key and upload id; listings come in this order.
pub(crate) type UploadKey = (String, String);

#[derive(Clone, Default)]
pub(crate) struct Bucket {
    pub(crate) objects: BTreeMap<String, Arc<Object>>,
    pub(crate) uploads: BTreeMap<UploadKey, Upload>,
    /// Every version of each key, oldest first, in a bucket that keeps them.
    pub(crate) history: Option<BTreeMap<String, Vec<Version>>>,
    /// What became of completed uploads, for those who ask again: the `ETags` they named, and the object.
    pub(crate) completed: HashMap<UploadKey, (Vec<String>, Arc<Object>)>,
}

impl Bucket {
    pub(crate) fn object(&self, key: &str) -> S3Result<Arc<Object>> {
        let object = self.objects.get(key).cloned();
        object.ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."))
    }

    pub(crate) fn upload(&mut self, upload: &UploadKey) -> S3Result<&mut Upload> {
        let found = self.uploads.get_mut(upload);
        found.ok_or_else(|| s3_error!(NoSuchUpload, "The specified upload does not exist."))
    }
}

/// All buckets, and the folder of their bytes.
pub(crate) struct Store {
    buckets: Mutex<BTreeMap<String, Bucket>>,
    folder: TempDir,
    events: Arc<Events>,
    sequence: AtomicU64,
}

impl Store {
    pub(crate) fn new(folder: TempDir, events: Arc<Events>) -> Self {
        Self { buckets: Mutex::default(), folder, events, sequence: AtomicU64::new(0) }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn buckets(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        lock(&self.buckets)
    }

    /// Runs `work` on one bucket, alone.
    pub(crate) fn bucket<T>(&self, name: &str, work: impl FnOnce(&mut Bucket) -> S3Result<T>) -> S3Result<T> {
        let mut buckets = self.buckets();
        let bucket = buckets.get_mut(name);
        work(bucket.ok_or_else(|| s3_error!(NoSuchBucket, "The specified bucket does not exist"))?)
    }

    pub(crate) fn object(&self, bucket: &str, key: &str) -> S3Result<Arc<Object>> {
        self.bucket(bucket, |bucket| bucket.object(key))
    }

    /// Makes `object` the one under `key` if `condition` holds; called within [`Store::bucket`].
    pub(crate) fn publish(
        &self,
        (name, bucket): (&str, &mut Bucket),
        key: &str,
        object: Object,
        condition: &WriteCondition,
    ) -> S3Result<Arc<Object>> {
        condition.check(bucket.objects.get(key))?;
        let object = Arc::new(object);
        bucket.set(key, Some(object.clone()), self.next_number());
        self.events.send(&ObjectCreated {
            bucket: name.to_owned(),
            key: key.to_owned(),
            size_bytes: object.content.size_bytes(),
            etag: object.etag.clone(),
            sequencer: format!("{:016X}", self.next_number()),
        });
        Ok(object)
    }

    /// A number that no other call gets.
    pub(crate) fn next_number(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed)
    }
}

/// The time in whole seconds, which is what the dates of HTTP can say.
pub(crate) fn now() -> SystemTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

/// Locks, also after a panic elsewhere: the failed test has said what went wrong.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
