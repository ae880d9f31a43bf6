//! Manifests that were read or written here lately. A manifest's bytes never change under its digest.

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
}

#[derive(Clone)]
struct BodyWeight;

impl Weighter<CacheKey, std::sync::Arc<Cached>> for BodyWeight {
    fn weight(&self, _key: &CacheKey, cached: &std::sync::Arc<Cached>) -> u64 {
        const BESIDE_BODY: u64 = 512;
        match &cached.record.body {
            ManifestBody::Inline(bytes) => bytes.len() as u64 + BESIDE_BODY,
            ManifestBody::Object(_) => BESIDE_BODY,
        }
    }
}

/// The cache, keyed by repository and digest: what one repository has says nothing about another.
pub(crate) struct ManifestCache {
    cache: Cache<CacheKey, std::sync::Arc<Cached>, BodyWeight>,
}

impl Default for ManifestCache {
    fn default() -> Self {
        Self { cache: Cache::with_weighter(1_000, CAPACITY_BYTES, BodyWeight) }
    }
}

impl ManifestCache {
    pub(crate) fn get(&self, repository: &RepositoryName, digest: &Digest) -> Option<std::sync::Arc<Cached>> {
        self.cache.get(&(repository.clone(), digest.clone()))
    }

    pub(crate) fn insert(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        version: &Version,
        record: &ManifestRecord,
        seen_live: Timestamp,
    ) -> std::sync::Arc<Cached> {
        let cached =
            std::sync::Arc::new(Cached { version: version.clone(), record: record.clone(), seen_live });
        self.cache.insert((repository.clone(), digest.clone()), cached.clone());
        cached
    }

    pub(crate) fn remove(&self, repository: &RepositoryName, digest: &Digest) {
        self.cache.remove(&(repository.clone(), digest.clone()));
    }
}
