//! The commit itself: one transaction in which verified bytes become a blob that the repository has.

use oci::{Digest, RepositoryName, UploadId};

use crate::beginning::refuse_ending;
use crate::ports::{AppendState, Condition, Conflict, Item, ObjectKey, Write};
use crate::records::{
    BlobRecord, BlobState, LinkOrigin, LinkRecord, LinkState, Record, SuspectRecord, UploadRecord,
    UploadState, keys,
};
use crate::registry::ATTEMPTS;
use crate::uploads::{OpenUpload, Places};
use crate::{Blob, Error, Registry};

/// What the commit read: the session, what is known of the blob already, and the repository.
pub(crate) struct Seen {
    pub(crate) upload: Option<Item>,
    blob: Option<Item>,
    link: Option<Item>,
    pub(crate) repository: Option<Item>,
}

/// Bytes that have the digest, and whether they are an object already.
pub(crate) struct Verified {
    pub(crate) record: UploadRecord,
    /// Whether the commit has brought some of them, so that they are not in the session's item.
    pub(crate) has_own_bytes: bool,
    pub(crate) is_finished: bool,
    /// Takes the object's suspect out of the review queue, when a commit gives it a digest; that is refused if a collector
    /// has moved the suspect meanwhile.
    pub(crate) unwatch: Option<Write>,
}

impl Registry {
    pub(crate) async fn upload_seen(
        &self,
        repository: &RepositoryName,
        id: &UploadId,
        digest: &Digest,
    ) -> Result<Seen, Error> {
        let keys = [
            keys::upload(id),
            keys::blob(digest),
            keys::link(repository, digest),
            keys::repository(repository),
        ];
        let mut found = self.stores.items.get(&keys).await?.into_iter();
        let mut next = || found.next().flatten();
        Ok(Seen { upload: next(), blob: next(), link: next(), repository: next() })
    }

    /// Commits verified bytes; starts again when the blob or link changed in between.
    pub(crate) async fn upload_commit(
        &self,
        upload: &mut OpenUpload,
        mut verified: Verified,
        digest: &Digest,
        mut seen: Seen,
    ) -> Result<Blob, Error> {
        for _ in 0..ATTEMPTS {
            refuse_ending(&verified.record.repository, seen.repository.as_ref())?;
            if let Some(blob) = self.upload_commit_once(upload, &mut verified, digest, &seen).await? {
                return Ok(blob);
            }
            let record = &verified.record;
            seen = self.upload_seen(&record.repository, &upload.id, digest).await?;
            if seen.was_committed(&record.repository, &record.principal, digest) {
                return self.blob_head(&record.repository, digest).await;
            }
            let now = self.upload_overtaken(upload, seen.upload.as_ref())?;
            if now.item.version != upload.item.version {
                *upload = verified.follow(upload, now)?;
            }
        }
        Err(Error::Contended)
    }

    /// Commits, unless something has changed since it was seen.
    async fn upload_commit_once(
        &self,
        upload: &mut OpenUpload,
        verified: &mut Verified,
        digest: &Digest,
        seen: &Seen,
    ) -> Result<Option<Blob>, Error> {
        let object = match seen.usable_object() {
            Some(object) => object,
            None if self.finish_once(upload, verified).await?.is_some() => return Ok(None),
            None => upload.object().clone(),
        };
        let record = &verified.record;
        let blob = BlobRecord { state: BlobState::Live, object, size_bytes: record.append.size_bytes };
        let mut writes = self.commit_writes(upload, record, digest, &blob, seen);
        if blob.object == record.object {
            writes.extend(verified.unwatch.clone());
        }
        if self.transact(writes).await?.is_some() {
            return Ok(None);
        }
        self.discard_duplicate(upload, verified, &blob.object).await;
        let link = seen.link_to(&blob, self.now().after(self.lifetimes.lease));
        Ok(Some(Blob::of(digest, &link)))
    }

    /// Makes the bytes an object, unless somebody else has written the session since it was read.
    pub(crate) async fn finish_once(
        &self,
        upload: &mut OpenUpload,
        verified: &mut Verified,
    ) -> Result<Option<Conflict>, Error> {
        if verified.is_finished {
            return Ok(None);
        }
        let (object, state) = (upload.object().clone(), verified.state(upload).clone());
        let mut places = Places::of(self, upload);
        let finished = self.stores.objects.finish(&object, &state, &mut places).await;
        match (finished, places.conflict()) {
            (Ok(()), _) => {
                verified.is_finished = true;
                Ok(None)
            }
            (Err(_), Some(conflict)) => Ok(Some(conflict)),
            (Err(error), None) => Err(error.into()),
        }
    }

    fn commit_writes(
        &self,
        upload: &OpenUpload,
        record: &UploadRecord,
        digest: &Digest,
        blob: &BlobRecord,
        seen: &Seen,
    ) -> Vec<Write> {
        let repository = &record.repository;
        let epoch = self.fresh_version();
        let committed = UploadRecord { state: UploadState::Committed(digest.clone()), ..record.clone() };
        let link = seen.link_to(blob, self.now().after(self.lifetimes.lease));
        let suspect = SuspectRecord::Link { repository: repository.clone(), digest: digest.clone() };
        vec![
            self.put(
                upload.item.key.clone(),
                epoch.clone(),
                Record::Upload(committed),
                Condition::Version(upload.item.version.clone()),
            ),
            Write::Delete(keys::open_upload(repository, &upload.id), Condition::Always),
            self.blob_write(digest, blob, seen.blob.as_ref()),
            self.put(keys::blob_edge(digest, repository), epoch.clone(), Record::BlobEdge, Condition::Always),
            self.put(
                keys::link(repository, digest),
                epoch,
                Record::Link(link),
                Condition::unchanged(seen.link.as_ref()),
            ),
            self.suspect(suspect, self.lifetimes.lease),
        ]
    }

    /// A live blob stays as it is; any other becomes live with an epoch of its own.
    fn blob_write(&self, digest: &Digest, blob: &BlobRecord, seen: Option<&Item>) -> Write {
        let key = keys::blob(digest);
        match seen.filter(|item| item.record.as_blob().is_some_and(|blob| blob.state == BlobState::Live)) {
            Some(live) => Write::Check(key, Condition::Version(live.version.clone())),
            None => {
                self.put(key, self.fresh_version(), Record::Blob(blob.clone()), Condition::unchanged(seen))
            }
        }
    }

    /// Forgets bytes that the registry had already. Nothing refers to them, so failing here loses nothing.
    async fn discard_duplicate(&self, upload: &OpenUpload, verified: &Verified, used: &ObjectKey) {
        if used == upload.object() {
            return;
        }
        if verified.is_finished {
            return self.forget_object(upload.object()).await;
        }
        if let Err(error) = self.stores.objects.abort(upload.object(), &verified.record.append).await {
            tracing::warn!(upload_id = %upload.id, error = %error, "duplicate bytes stay for the collector");
        }
    }
}

impl Verified {
    /// Returns an object whose bytes were read.
    pub(crate) fn object(record: UploadRecord, unwatch: Option<Write>) -> Self {
        Self { record, has_own_bytes: false, is_finished: true, unwatch }
    }

    /// Returns where the bytes are.
    fn state<'a>(&'a self, upload: &'a OpenUpload) -> &'a AppendState {
        if self.has_own_bytes { &self.record.append } else { &upload.record.append }
    }

    /// Returns the session as another request has left it, if the commit is still one of it.
    ///
    /// Once its bytes are an object nothing else can become of the session, whatever chunk was taken meanwhile.
    fn follow(&self, upload: &OpenUpload, now: OpenUpload) -> Result<OpenUpload, Error> {
        let is_as_long = now.record.append.size_bytes == upload.record.append.size_bytes;
        match now.object() == &self.record.object && (is_as_long || self.is_finished) {
            true => Ok(now),
            false => Err(Error::UploadInUse(now.id)),
        }
    }
}

impl Seen {
    /// Returns whether this very session has made the blob before, and the repository still has it.
    pub(crate) fn was_committed(
        &self,
        repository: &RepositoryName,
        principal: &str,
        digest: &Digest,
    ) -> bool {
        let upload = self.upload.as_ref().and_then(|item| item.record.as_upload());
        let is_same = upload.is_some_and(|upload| {
            upload.repository == *repository
                && upload.principal == principal
                && upload.state == UploadState::Committed(digest.clone())
        });
        is_same && self.link.as_ref().and_then(crate::blobs::readable_link).is_some()
    }

    /// Returns where the bytes are, if the registry has them: what is dying can be revived, what is dead cannot.
    fn usable_object(&self) -> Option<ObjectKey> {
        let blob = self.blob.as_ref()?.record.as_blob()?;
        (blob.state != BlobState::Dead).then(|| blob.object.clone())
    }

    fn link_to(&self, blob: &BlobRecord, lease_until: crate::ports::Timestamp) -> LinkRecord {
        LinkRecord {
            state: LinkState::Live,
            object: blob.object.clone(),
            size_bytes: blob.size_bytes,
            lease_until,
            origin: LinkOrigin::Uploaded,
        }
    }
}
