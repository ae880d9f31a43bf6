//! The commit of an upload: its bytes become a blob that the repository has.

use futures_util::StreamExt;
use oci::{ContentRange, Digest, Hasher, RepositoryName, UploadId};

use crate::beginning::refuse_ending;
use crate::bodies::UploadBody;
use crate::ports::{AppendState, Condition, Conflict, Item, ObjectKey, StoreError, StoreErrorKind, Write};
use crate::records::{
    BlobRecord, BlobState, Lane, LinkOrigin, LinkRecord, LinkState, Record, SuspectRecord, UploadRecord,
    UploadState, keys,
};
use crate::registry::ATTEMPTS;
use crate::uploads::{OpenUpload, Progress, is_finished, upload_unknown};
use crate::{Blob, Error, Principal, Registry, in_own_task};

/// What the commit read: the session, what is known of the blob already, and the repository.
pub(crate) struct Seen {
    upload: Option<Item>,
    blob: Option<Item>,
    link: Option<Item>,
    repository: Option<Item>,
}

/// Bytes that have the digest, and whether they are an object already.
pub(crate) struct Verified {
    pub(crate) record: UploadRecord,
    pub(crate) is_finished: bool,
    /// Takes the object's suspect out of the review queue, when a commit gives it a digest; that is refused if a collector
    /// has moved the suspect meanwhile.
    pub(crate) unwatch: Option<Write>,
}

impl Registry {
    /// Takes the last chunk (which may be empty) and makes the upload a blob with this digest.
    ///
    /// With a wrong digest the session stays where it was, without the last chunk; only a wrong digest of another
    /// algorithm than the session was begun for ends it. Repeating a commit that succeeded succeeds.
    pub(crate) async fn upload_finish(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        id: &UploadId,
        digest: &Digest,
        range: Option<ContentRange>,
        body: UploadBody,
    ) -> Result<Blob, Error> {
        let (registry, repository, principal) = (self.clone(), repository.clone(), principal.clone());
        let (id, digest) = (id.clone(), digest.clone());
        in_own_task(async move {
            let _one_at_a_time = registry.upload_turn(&id).await?;
            let seen = registry.upload_seen(&repository, &id, &digest).await?;
            if seen.was_committed(&repository, principal.as_str(), &digest) {
                return registry.blob_head(&repository, &digest).await;
            }
            let mut upload = registry.upload_usable(&repository, &principal, &id, seen.upload.as_ref())?;
            refuse_ending(&repository, seen.repository.as_ref())?;
            let committed = match registry.upload_take_last(&mut upload, &digest, range, body).await {
                Ok(verified) => registry.upload_commit(&mut upload, verified, &digest, seen).await,
                Err(error) => Err(error),
            };
            match committed {
                Err(error) if is_finished(&error) => {
                    registry.upload_resume_commit(&mut upload, &digest, &error).await
                }
                Err(over @ Error::UploadUnknown { .. }) => {
                    // Perhaps the same commit, sent twice, has ended it.
                    let seen = registry.upload_seen(&repository, &id, &digest).await?;
                    match seen.was_committed(&repository, principal.as_str(), &digest) {
                        true => registry.blob_head(&repository, &digest).await,
                        false => Err(over),
                    }
                }
                committed => committed,
            }
        })
        .await
    }

    /// Uploads a blob in one go.
    pub(crate) async fn blob_put(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        digest: &Digest,
        body: UploadBody,
    ) -> Result<Blob, Error> {
        let upload = self.upload_begin(repository, principal, digest.algorithm(), Lane::Stream).await?;
        let finished = self.upload_finish(repository, principal, &upload.id, digest, None, body).await;
        if finished.is_err() {
            // Nobody knows the session, so nobody can go on with it.
            if let Err(error) = self.upload_cancel(repository, principal, &upload.id).await {
                tracing::warn!(upload_id = %upload.id, error = %error, "a failed upload stays for the collector");
            }
        }
        finished
    }

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

    /// Takes the last chunk and refuses bytes that do not have the digest (P5).
    async fn upload_take_last(
        &self,
        upload: &mut OpenUpload,
        digest: &Digest,
        range: Option<ContentRange>,
        body: UploadBody,
    ) -> Result<Verified, Error> {
        let Progress { record, hasher, is_interrupted } =
            self.upload_take(upload, Some(digest), range, body).await?;
        if is_interrupted {
            let offset = upload.record.append.size_bytes;
            return Err(Error::UploadInterrupted { id: upload.id.clone(), offset });
        }
        if hasher.algorithm() == digest.algorithm() {
            let actual = hasher.finish();
            return match actual == *digest {
                true => Ok(Verified { record, is_finished: false, unwatch: None }),
                false => Err(mismatch(digest, actual)),
            };
        }
        // The client named another algorithm than was hashed on the way: the stored bytes are read once more.
        let mut unverified = Verified { record, is_finished: false, unwatch: None };
        if self.finish_once(upload, &mut unverified).await?.is_some() {
            return Err(Error::UploadInUse(upload.id.clone()));
        }
        let verified = self.object_verify(upload, unverified.record, digest).await?;
        verified.ok_or_else(|| upload_unknown(&upload.record.repository, &upload.id))
    }

    /// Goes on with a commit that came as far as the object, as the store said: its bytes are read once more.
    ///
    /// Another request with the same commit may be quicker. If the registry has the bytes already, it takes the
    /// object away, too.
    async fn upload_resume_commit(
        &self,
        upload: &mut OpenUpload,
        digest: &Digest,
        said: &Error,
    ) -> Result<Blob, Error> {
        let UploadRecord { repository, principal, .. } = upload.record.clone();
        let verified = match self.stores.objects.head(upload.object()).await? {
            Some(size_bytes) => {
                let append = AppendState { size_bytes, ..upload.record.append.clone() };
                let record = UploadRecord { append, ..upload.record.clone() };
                self.object_verify(upload, record, digest).await?
            }
            None => None,
        };
        let seen = self.upload_seen(&repository, &upload.id, digest).await?;
        match verified {
            Some(verified) => self.upload_commit(upload, verified, digest, seen).await,
            None if seen.was_committed(&repository, &principal, digest) => {
                self.blob_head(&repository, digest).await
            }
            None => Err(self.upload_gone(upload, said).await),
        }
    }

    /// Verifies a finished object; `None` if it is not there any more.
    ///
    /// A session whose object is wrong is over: no more bytes can follow.
    async fn object_verify(
        &self,
        upload: &OpenUpload,
        record: UploadRecord,
        digest: &Digest,
    ) -> Result<Option<Verified>, Error> {
        let actual = self.object_digest(upload.object(), record.append.size_bytes, digest).await?;
        match actual {
            Some(actual) if actual != *digest => {
                self.upload_kill(upload).await?;
                Err(mismatch(digest, actual))
            }
            actual => Ok(actual.map(|_| Verified { record, is_finished: true, unwatch: None })),
        }
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
                verified.follow(upload, now)?;
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
    async fn finish_once(
        &self,
        upload: &mut OpenUpload,
        verified: &mut Verified,
    ) -> Result<Option<Conflict>, Error> {
        if verified.is_finished {
            return Ok(None);
        }
        if !verified.has_own_bytes(upload) {
            if let Some(conflict) = self.upload_reserve(upload, Some(0)).await? {
                return Ok(Some(conflict));
            }
            verified.record.append = upload.record.append.clone();
        }
        self.stores.objects.finish(upload.object(), &verified.record.append).await?;
        verified.is_finished = true;
        Ok(None)
    }

    async fn object_digest(
        &self,
        object: &ObjectKey,
        size_bytes: u64,
        like: &Digest,
    ) -> Result<Option<Digest>, Error> {
        let mut hasher = Hasher::new(like.algorithm());
        let stream = self.stores.objects.get(object, 0..size_bytes).await?;
        let Some(mut stream) = stream else { return Ok(None) };
        while let Some(piece) = stream.next().await {
            let broken =
                |error| StoreError::caused(StoreErrorKind::Unavailable, format!("object {object}"), error);
            hasher.update(&piece.map_err(broken)?);
        }
        Ok(Some(hasher.finish()))
    }

    async fn upload_kill(&self, upload: &OpenUpload) -> Result<(), Error> {
        if self.upload_end(upload).await?.is_none() {
            self.forget_object(upload.object()).await;
        }
        Ok(())
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
    /// Returns whether the commit brought bytes, which are at places of their own.
    fn has_own_bytes(&self, upload: &OpenUpload) -> bool {
        self.record.append != upload.record.append
    }

    /// Goes on with the session as another request has left it, if that changes nothing for this commit.
    fn follow(&mut self, upload: &mut OpenUpload, now: OpenUpload) -> Result<(), Error> {
        let is_same = now.record.append.size_bytes == upload.record.append.size_bytes;
        if now.object() != &self.record.object
            || !(self.is_finished || is_same && !self.has_own_bytes(upload))
        {
            return Err(Error::UploadInUse(now.id));
        }
        // Once its bytes are an object nothing else can become of the session, whatever chunk came meanwhile.
        if !self.is_finished {
            self.record.append = now.record.append.clone();
        }
        *upload = now;
        Ok(())
    }
}

impl Seen {
    /// Returns whether this very session has made the blob before, and the repository still has it.
    fn was_committed(&self, repository: &RepositoryName, principal: &str, digest: &Digest) -> bool {
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

fn mismatch(expected: &Digest, actual: Digest) -> Error {
    Error::DigestMismatch { expected: expected.clone(), actual }
}
