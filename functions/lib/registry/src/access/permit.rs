//! What can be done with a permit: for each right, the operations that need it.

use std::marker::PhantomData;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use oci::{Algorithm, ContentRange, Digest, Manifest, Reference, RepositoryName, Tag, UploadId};

use crate::access::gate::Gate;
use crate::access::{AccessError, Caller, Party, Permission};
use crate::beginning::{Beginner, Beginning};
use crate::ports::{ByteStream, Write};
use crate::records::{AuditOutcome, Lane};
use crate::{
    Blob, Error, ManifestPut, ManifestsPage, MountOutcome, Page, Principal, ReferrersPage, Registry,
    StoredManifest, TagMove, UploadStatus,
};

/// A right: to pull, to push or to delete.
pub trait Right {
    /// The permission that it takes.
    const PERMISSION: Permission;
}

/// The right to read.
#[derive(Debug)]
pub enum Pull {}

/// The right to upload, mount, push and tag.
#[derive(Debug)]
pub enum Push {}

/// The right to delete.
#[derive(Debug)]
pub enum Delete {}

impl Right for Pull {
    const PERMISSION: Permission = Permission::Pull;
}

impl Right for Push {
    const PERMISSION: Permission = Permission::Push;
}

impl Right for Delete {
    const PERMISSION: Permission = Permission::Delete;
}

/// The proof that somebody has a right in a repository, and the way to use it. Only a [`Gate`] makes one.
pub struct Permit<R> {
    pub(super) registry: Registry,
    pub(super) gate: Gate,
    pub(super) caller: Caller,
    pub(super) principal: Principal,
    pub(super) repository: RepositoryName,
    pub(super) right: PhantomData<R>,
}

impl<R> Permit<R> {
    /// Returns the repository that it is for.
    pub fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// Returns for whom the holder's requests count.
    pub(crate) fn party(&self) -> Party {
        self.caller.party()
    }

    async fn audit(&self, action: &str, target: &str) {
        if let Some(access) = self.gate.access() {
            let target = format!("{}{target}", self.repository);
            access.audit(&self.caller, action, &target, AuditOutcome::Done, "").await;
        }
    }
}

impl Permit<Pull> {
    /// Finds a manifest by tag or digest.
    pub async fn manifest_get(&self, reference: &Reference) -> Result<StoredManifest, Error> {
        self.registry.manifest_get(&self.repository, reference).await
    }

    /// Returns the bytes of a manifest, exactly as pushed.
    pub async fn manifest_read(&self, manifest: &StoredManifest) -> Result<Bytes, Error> {
        self.registry.manifest_read(manifest).await
    }

    /// Finds a blob for reading.
    pub async fn blob_get(&self, digest: &Digest) -> Result<Blob, Error> {
        self.registry.blob_get(&self.repository, digest).await
    }

    /// Finds a blob and holds it for at least half a lease, referenced or not (P9).
    pub async fn blob_head(&self, digest: &Digest) -> Result<Blob, Error> {
        self.registry.blob_head(&self.repository, digest).await
    }

    /// Returns the bytes of a range, which must lie within the blob.
    pub async fn blob_read(&self, blob: &Blob, range: Range<u64>) -> Result<ByteStream, Error> {
        self.registry.blob_read(blob, range).await
    }

    /// Returns a URL under which the store itself serves the blob, if it can.
    pub async fn blob_url(&self, blob: &Blob) -> Result<Option<String>, Error> {
        self.registry.blob_url(blob).await
    }

    /// Returns a URL under which the store itself answers a HEAD of the blob, if it can.
    pub async fn blob_head_url(&self, blob: &Blob) -> Result<Option<String>, Error> {
        self.registry.blob_head_url(blob).await
    }

    /// Lists up to `limit` tags beyond `last`, in the order of their bytes.
    pub async fn tag_list(&self, limit: usize, last: Option<&str>) -> Result<Page<Tag>, Error> {
        self.registry.tag_list(&self.repository, limit, last).await
    }

    /// Lists manifests beyond `last`, also those without a tag; see [`ManifestsPage`].
    pub async fn manifest_list(&self, limit: usize, last: Option<&str>) -> Result<ManifestsPage, Error> {
        self.registry.manifest_list(&self.repository, limit, last).await
    }

    /// Lists up to `limit` moves of the tag, or of all tags, from before the move `before`: of each tag, the latest
    /// first.
    pub async fn tag_history(
        &self,
        tag: Option<&Tag>,
        limit: usize,
        before: Option<&str>,
    ) -> Result<Vec<TagMove>, Error> {
        self.registry.tag_history(&self.repository, tag, limit, before).await
    }

    /// Lists what refers to the subject, of one type or all.
    pub async fn referrer_list(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
        limit: usize,
        last: Option<&str>,
    ) -> Result<ReferrersPage, Error> {
        self.registry.referrer_list(&self.repository, subject, artifact_type, limit, last).await
    }
}

impl Permit<Push> {
    /// Begins an upload; `algorithm` is what its digest will be made with, as far as the client said.
    pub async fn upload_begin(&self, algorithm: Algorithm, lane: Lane) -> Result<UploadStatus, Error> {
        self.registry.upload_begin(&self.repository, &self.principal, algorithm, lane).await
    }

    /// Returns where an upload of this caller stands.
    pub async fn upload_status(&self, id: &UploadId) -> Result<UploadStatus, Error> {
        self.registry.upload_status(&self.repository, &self.principal, id).await
    }

    /// Appends a chunk. With a range it has to begin where the upload stands, and to be as long as it says.
    pub async fn upload_append(
        &self,
        id: &UploadId,
        range: Option<ContentRange>,
        body: ByteStream,
    ) -> Result<UploadStatus, Error> {
        self.registry.upload_append(&self.repository, &self.principal, id, range, body).await
    }

    /// Takes the last chunk, which may be empty, and makes the upload a blob with this digest.
    pub async fn upload_finish(
        &self,
        id: &UploadId,
        digest: &Digest,
        range: Option<ContentRange>,
        body: ByteStream,
    ) -> Result<Blob, Error> {
        self.registry.upload_finish(&self.repository, &self.principal, id, digest, range, body).await
    }

    /// Cancels the upload.
    pub async fn upload_cancel(&self, id: &UploadId) -> Result<(), Error> {
        self.registry.upload_cancel(&self.repository, &self.principal, id).await
    }

    /// Returns whether clients can send such an upload to the store itself.
    pub fn offers_direct_uploads(&self, algorithm: Algorithm) -> bool {
        self.registry.offers_direct_uploads(algorithm)
    }

    /// Returns what a client has to show there.
    pub async fn direct_upload_query(&self, id: &UploadId) -> Result<String, Error> {
        self.registry.direct_upload_query(id).await
    }

    /// Uploads a blob in one go.
    pub async fn blob_put(&self, digest: &Digest, body: ByteStream) -> Result<Blob, Error> {
        self.registry.blob_put(&self.repository, &self.principal, digest, body).await
    }

    /// Mounts the blob from `from`, or from any repository that has it, as far as the caller may pull there (P6).
    pub async fn blob_mount(
        &self,
        digest: &Digest,
        from: Option<&RepositoryName>,
    ) -> Result<MountOutcome, AccessError> {
        let sources = match from {
            Some(from) => vec![from.clone()],
            None => self.registry.mount_candidates(digest).await?,
        };
        let sources = self.gate.readable(&self.caller, sources).await?;
        Ok(self.registry.blob_mount(&self.repository, digest, &sources).await?)
    }

    /// Stores the manifest and moves the tags to it, all visible at one moment.
    ///
    /// A repository that is not there begins with it, if the caller may push there right now; the permit may be older.
    pub async fn manifest_put(
        &self,
        digest: Digest,
        manifest: Manifest,
        bytes: Bytes,
        tags: Vec<Tag>,
    ) -> Result<(), AccessError> {
        let words: Vec<&str> = tags.iter().map(Tag::as_str).collect();
        let trace = self.trace("manifest.push", &digest, &words.join(","));
        let put = ManifestPut {
            repository: &self.repository,
            principal: &self.principal,
            digest,
            manifest,
            bytes,
            tags,
            beginner: self,
            trace,
        };
        match self.registry.manifest_put(&put).await {
            Err(Error::RepositoryUnknown(name)) => {
                Err(self.gate.forbidden(&self.caller, &name, Permission::Push).await)
            }
            result => Ok(result?),
        }
    }

    /// Puts the tag back to where it pointed before its last move, or to this manifest of its history.
    pub async fn tag_restore(&self, tag: &Tag, digest: Option<&Digest>) -> Result<Digest, Error> {
        let trace = |digest: &Digest| self.trace("tag.restore", digest, tag.as_str());
        self.registry.tag_restore(&self.repository, &self.principal, tag, digest, trace).await
    }

    fn trace(&self, action: &str, digest: &Digest, detail: &str) -> Option<Write> {
        let access = self.gate.access()?;
        let target = format!("{}@{digest}", self.repository);
        Some(access.audit_write(&self.caller, action, &target, AuditOutcome::Done, detail))
    }
}

#[async_trait]
impl Beginner for Permit<Push> {
    async fn beginning(&self) -> Result<Beginning, Error> {
        self.gate.beginning(&self.caller, &self.repository).await
    }
}

impl Permit<Delete> {
    /// Deletes the tag alone.
    pub async fn tag_delete(&self, tag: &Tag) -> Result<(), Error> {
        self.registry.tag_delete(&self.repository, &self.principal, tag).await?;
        self.audit("tag.delete", &format!(":{tag}")).await;
        Ok(())
    }

    /// Deletes the manifest and every tag that points to it, unless an index needs it.
    pub async fn manifest_delete(&self, digest: &Digest) -> Result<(), Error> {
        self.registry.manifest_delete(&self.repository, &self.principal, digest, None).await?;
        self.audit("manifest.delete", &format!("@{digest}")).await;
        Ok(())
    }

    /// Takes the blob from the repository, unless a manifest there needs it.
    pub async fn blob_delete(&self, digest: &Digest) -> Result<(), Error> {
        self.registry.blob_delete(&self.repository, digest).await?;
        self.audit("blob.delete", &format!("@{digest}")).await;
        Ok(())
    }
}
