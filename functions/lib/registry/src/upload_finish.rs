//! The commit of an upload: its bytes become a blob that the repository has.

use futures_util::StreamExt;
use oci::{ContentRange, Digest, Hasher, RepositoryName, UploadId};

use crate::beginning::refuse_ending;
use crate::ports::{AppendState, ByteStream, ObjectKey, StoreError, StoreErrorKind};
use crate::records::{Lane, UploadRecord};
use crate::upload_commit::Verified;
use crate::uploads::{OpenUpload, Progress, is_finished, upload_unknown};
use crate::{Blob, Error, Principal, Registry, in_own_task};

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
        body: ByteStream,
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
                Err(lost @ (Error::UploadUnknown { .. } | Error::UploadInUse(_))) => {
                    // Perhaps the same commit, sent twice, has ended it.
                    let seen = registry.upload_seen(&repository, &id, &digest).await?;
                    match seen.was_committed(&repository, principal.as_str(), &digest) {
                        true => registry.blob_head(&repository, &digest).await,
                        false => Err(lost),
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
        body: ByteStream,
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

    /// Takes the last chunk and refuses bytes that do not have the digest (P5).
    async fn upload_take_last(
        &self,
        upload: &mut OpenUpload,
        digest: &Digest,
        range: Option<ContentRange>,
        body: ByteStream,
    ) -> Result<Verified, Error> {
        let acknowledged_bytes = upload.record.append.size_bytes;
        let Progress { record, hasher, is_interrupted } =
            self.upload_take(upload, Some(digest), range, body).await?;
        if is_interrupted {
            return Err(Error::UploadInterrupted { id: upload.id.clone(), offset: acknowledged_bytes });
        }
        let has_own_bytes = record.append.size_bytes != acknowledged_bytes;
        let mut verified = Verified { record, has_own_bytes, is_finished: false, unwatch: None };
        if hasher.algorithm() == digest.algorithm() {
            let actual = hasher.finish();
            return if actual == *digest { Ok(verified) } else { Err(mismatch(digest, actual)) };
        }
        // The client named another algorithm than was hashed on the way: the stored bytes are read once more.
        if self.finish_once(upload, &mut verified).await?.is_some() {
            return Err(Error::UploadInUse(upload.id.clone()));
        }
        let verified = self.object_verify(upload, verified.record, digest).await?;
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
            actual => Ok(actual.map(|_| Verified::object(record, None))),
        }
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

    /// Ends the session, and with it the object that is of no use to it.
    async fn upload_kill(&self, upload: &OpenUpload) -> Result<(), Error> {
        match self.upload_end(upload.clone()).await {
            Ok(_) => self.forget_object(upload.object()).await,
            // Somebody else has, and knows what becomes of the object.
            Err(Error::UploadUnknown { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

fn mismatch(expected: &Digest, actual: Digest) -> Error {
    Error::DigestMismatch { expected: expected.clone(), actual }
}
