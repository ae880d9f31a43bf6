//! Manifests: reading them by tag or by digest.
//!
//! - `put`, with its steps `prepare` and `look`: a push.
//! - `delete`, `removal`: a deletion; `collect`: one that nobody asked for; `suspects`: what the collector is told.
//! - `edges`: what leads to a manifest, which a deletion and the collector ask.
//! - `list`: lists of them. `cache`: those that were read or written lately.

pub(crate) mod cache;
pub(crate) mod collect;
pub(crate) mod delete;
pub(crate) mod edges;
mod list;
mod look;
pub(crate) mod prepare;
mod put;
mod removal;
pub(crate) mod suspects;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use oci::{Digest, MediaType, Reference, RepositoryName};

use crate::manifests::cache::Cached;
use crate::records::{ManifestBody, ManifestRecord, keys};
use crate::{Error, Registry};

pub use list::ManifestsPage;
pub(crate) use put::ManifestPut;

/// A manifest that can be pulled.
#[derive(Clone)]
pub struct StoredManifest {
    /// Its digest.
    pub digest: Digest,
    cached: std::sync::Arc<Cached>,
}

impl StoredManifest {
    /// Returns its media type, as pushed.
    pub fn media_type(&self) -> &MediaType {
        &self.cached.record.media_type
    }

    /// Returns its length.
    pub fn size_bytes(&self) -> u64 {
        self.cached.record.size_bytes
    }
}

impl Registry {
    /// Finds a manifest. A tag is read strongly every time (P8).
    pub(crate) async fn manifest_get(
        &self,
        repository: &RepositoryName,
        reference: &Reference,
    ) -> Result<StoredManifest, Error> {
        let found = match reference {
            Reference::Digest(digest) => self.manifest_by_digest(repository, digest).await?,
            Reference::Tag(tag) => {
                let item = self.get(keys::tag(repository, tag)).await?;
                match item.as_ref().and_then(|item| item.record.as_tag()) {
                    Some(tag) => self.manifest_of_tag(repository, &tag.digest).await?,
                    None => None,
                }
            }
        };
        found.ok_or_else(|| manifest_unknown(repository, reference))
    }

    /// Returns the manifest's bytes, exactly as pushed.
    pub(crate) async fn manifest_read(&self, manifest: &StoredManifest) -> Result<Bytes, Error> {
        self.manifest_bytes(&manifest.cached.record).await
    }

    pub(crate) async fn manifest_bytes(&self, record: &ManifestRecord) -> Result<Bytes, Error> {
        let object = match &record.body {
            ManifestBody::Inline(bytes) => return Ok(bytes.clone()),
            ManifestBody::Object(object) => object,
        };
        let missing = || Error::Damaged(format!("object {object} of a manifest cannot be read"));
        let mut stream = self.stores.objects.get(object, 0..record.size_bytes).await?.ok_or_else(missing)?;
        let mut bytes = BytesMut::new();
        while let Some(piece) = stream.next().await {
            bytes.extend_from_slice(&piece.map_err(|_| missing())?);
        }
        Ok(bytes.freeze())
    }

    async fn manifest_by_digest(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<StoredManifest>, Error> {
        let cached = self.manifest_cache.get(repository, digest).filter(|cached| cached.is_fresh(self.now()));
        match cached {
            Some(cached) => Ok(Some(StoredManifest { digest: digest.clone(), cached })),
            None => self.manifest_load(repository, digest).await,
        }
    }

    /// A tag that was just read proves that its manifest is live, however long ago that was read.
    async fn manifest_of_tag(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<StoredManifest>, Error> {
        let has_bytes = |cached: &std::sync::Arc<Cached>| cached.has_bytes(self.now(), self.lifetimes.object);
        match self.manifest_cache.get(repository, digest).filter(has_bytes) {
            Some(cached) => Ok(Some(StoredManifest { digest: digest.clone(), cached })),
            None => self.manifest_load(repository, digest).await,
        }
    }

    async fn manifest_load(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<StoredManifest>, Error> {
        let asked = self.manifest_cache.moment(self.now());
        let item = self.get(keys::manifest(repository, digest)).await?;
        let live = item.as_ref().and_then(|item| {
            let record = item.record.as_manifest().filter(|record| record.state.is_visible())?;
            Some(self.manifest_cache.insert(repository, digest, &item.version, record, asked))
        });
        Ok(live.map(|cached| StoredManifest { digest: digest.clone(), cached }))
    }
}

pub(crate) fn manifest_unknown(repository: &RepositoryName, reference: &Reference) -> Error {
    Error::ManifestUnknown { repository: repository.clone(), reference: reference.clone() }
}
