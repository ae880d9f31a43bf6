//! Manifests that were read or written here lately. A manifest's bytes never change under its digest.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use oci::{Digest, RepositoryName};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::ports::{Timestamp, Version};
use crate::records::{ManifestBody, ManifestRecord};

/// How much memory the manifests may take.
const CAPACITY_BYTES: u64 = 8 * 1024 * 1024;

/// How long a manifest counts as not deleted by another process. Deletions in this one are seen at once.
const FRESH: Duration = Duration::from_secs(1);

type CacheKey = (RepositoryName, Digest);

/// A live manifest.
#[derive(Clone)]
pub(crate) struct Cached {
    pub(crate) version: Version,
    pub(crate) record: ManifestRecord,
    seen_live: Timestamp,
}

impl Cached {
    /// Returns whether nobody can have deleted it long enough ago for that to matter.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.seen_live.after(FRESH)
    }

    /// Returns whether its bytes are where the record says. One that was deleted and pushed anew has them in another object;
    /// the old one stays so long after the deletion, of which half is left to whoever reads it now.
    pub(crate) fn has_bytes(&self, now: Timestamp, object_stays: Duration) -> bool {
        match self.record.body {
            ManifestBody::Inline(_) => true,
            ManifestBody::Object(_) => now < self.seen_live.after(object_stays / 2),
        }
    }
}

#[derive(Clone)]
struct BodyWeight;

impl Weighter<CacheKey, Arc<Cached>> for BodyWeight {
    fn weight(&self, _key: &CacheKey, cached: &Arc<Cached>) -> u64 {
        const BESIDE_BODY: u64 = 512;
        match &cached.record.body {
            ManifestBody::Inline(bytes) => bytes.len() as u64 + BESIDE_BODY,
            ManifestBody::Object(_) => BESIDE_BODY,
        }
    }
}

/// The cache, keyed by repository and digest: what one repository has says nothing about another.
pub(crate) struct ManifestCache {
    cache: Cache<CacheKey, Arc<Cached>, BodyWeight>,
    /// How many removals there were: a manifest that was read before one must not come in after it.
    removals: AtomicU64,
}

/// A moment before a manifest was read.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    time: Timestamp,
    removals: u64,
}

impl Default for ManifestCache {
    fn default() -> Self {
        Self {
            cache: Cache::with_weighter(1_000, CAPACITY_BYTES, BodyWeight),
            removals: AtomicU64::default(),
        }
    }
}

impl ManifestCache {
    pub(crate) fn get(&self, repository: &RepositoryName, digest: &Digest) -> Option<Arc<Cached>> {
        self.cache.get(&(repository.clone(), digest.clone()))
    }

    /// Returns the moment to give to `insert`; take it before reading the manifest.
    pub(crate) fn moment(&self, time: Timestamp) -> Moment {
        Moment { time, removals: self.removals.load(Ordering::SeqCst) }
    }

    pub(crate) fn insert(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        version: &Version,
        record: &ManifestRecord,
        read: Moment,
    ) -> Arc<Cached> {
        let cached =
            Arc::new(Cached { version: version.clone(), record: record.clone(), seen_live: read.time });
        let key = (repository.clone(), digest.clone());
        self.cache.insert(key.clone(), Arc::clone(&cached));
        if self.removals.load(Ordering::SeqCst) != read.removals {
            self.cache.remove(&key);
        }
        cached
    }

    pub(crate) fn remove(&self, repository: &RepositoryName, digest: &Digest) {
        self.removals.fetch_add(1, Ordering::SeqCst);
        self.cache.remove(&(repository.clone(), digest.clone()));
    }
}
