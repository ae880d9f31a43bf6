//! Upload sessions: begin, append, ask, cancel. `upload_finish` makes a blob of one.

use std::time::Duration;

use async_trait::async_trait;
use oci::{Algorithm, ContentRange, Digest, Hasher, RepositoryName, UploadId};
use tokio::time::timeout;

use crate::bodies::{kept, unless_empty};
use crate::hashing::hashed;
use crate::locks::LockGuard;
use crate::ports::{
    AppendState, ByteStream, Condition, Conflict, Item, KeptState, ObjectKey, StoreError, StoreErrorKind,
    TransactError, Write,
};
use crate::records::{Lane, Record, SuspectRecord, UploadRecord, UploadState, keys};
use crate::registry::ATTEMPTS;
use crate::{Error, Principal, Registry, in_own_task};

/// How long a request waits for another one that sends to the same upload.
const TURN_WITHIN: Duration = Duration::from_secs(10);

/// Where an upload stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadStatus {
    /// The session.
    pub id: UploadId,
    /// How many bytes are stored.
    pub offset: u64,
}

/// An open session as it was read.
#[derive(Clone)]
pub(crate) struct OpenUpload {
    pub(crate) id: UploadId,
    pub(crate) item: Item,
    pub(crate) record: UploadRecord,
}

/// What an append left: the session's next record, its hash, and whether the bytes came to their end.
pub(crate) struct Progress {
    pub(crate) record: UploadRecord,
    pub(crate) hasher: Hasher,
    pub(crate) is_interrupted: bool,
}

impl Registry {
    /// Begins an upload; `algorithm` is what its digest will be made with, as far as the client said.
    pub(crate) async fn upload_begin(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        algorithm: Algorithm,
        lane: Lane,
    ) -> Result<UploadStatus, Error> {
        let id = self.fresh_upload_id()?;
        let record = UploadRecord {
            state: UploadState::Open,
            repository: repository.clone(),
            principal: principal.as_str().to_owned(),
            object: self.fresh_object_key(),
            append: AppendState::default(),
            algorithm,
            hash_state: Vec::new(),
            lane,
            started: self.now(),
            expires: self.now().after(self.lifetimes.upload),
        };
        let suspect = SuspectRecord::Upload { id: id.to_string(), object: record.object.clone() };
        let version = self.fresh_version();
        self.transact(vec![
            self.put(keys::upload(&id), version.clone(), Record::Upload(record), Condition::Absent),
            self.put(keys::open_upload(repository, &id), version, Record::OpenUpload, Condition::Always),
            self.suspect(suspect, self.lifetimes.upload),
        ])
        .await?;
        Ok(UploadStatus { id, offset: 0 })
    }

    /// Returns where the upload stands.
    pub(crate) async fn upload_status(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        id: &UploadId,
    ) -> Result<UploadStatus, Error> {
        let upload = self.upload_open(repository, principal, id).await?;
        Ok(UploadStatus::of(&upload))
    }

    /// Appends a chunk. With a range it has to begin where the upload stands, and to be as long as it says.
    ///
    /// When the body breaks off, what arrived is kept, unless the chunk had a range.
    pub(crate) async fn upload_append(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        id: &UploadId,
        range: Option<ContentRange>,
        body: ByteStream,
    ) -> Result<UploadStatus, Error> {
        let (registry, repository, principal, id) =
            (self.clone(), repository.clone(), principal.clone(), id.clone());
        // A task of its own: a client that goes away must not stop it between the bytes and the item.
        in_own_task(async move {
            let (body, _kept) = kept(body);
            let _one_at_a_time = registry.upload_turn(&id).await?;
            let mut upload = registry.upload_open(&repository, &principal, &id).await?;
            match registry.upload_take(&mut upload, None, range, body).await {
                Ok(progress) => registry.upload_save(upload, progress).await,
                // A commit got as far as the bytes; all that is left to do with it is to repeat it.
                Err(error) if is_finished(&error) => Err(registry.upload_gone(&upload, &error).await),
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// Waits until nobody else sends to the upload, but not for as long as somebody who is gone may seem to.
    pub(crate) async fn upload_turn(&self, id: &UploadId) -> Result<LockGuard, Error> {
        if let Some(turn) = self.upload_locks.try_lock(id.as_str()) {
            return Ok(turn);
        }
        let turn = timeout(TURN_WITHIN, self.upload_locks.lock(id.as_str())).await;
        turn.map_err(|_| Error::UploadInUse(id.clone()))
    }

    /// Cancels the upload.
    pub(crate) async fn upload_cancel(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        id: &UploadId,
    ) -> Result<(), Error> {
        let upload = self.upload_open(repository, principal, id).await?;
        let upload = self.upload_end(upload).await?;
        // The session is over in any case; bytes that stay are the collector's.
        if let Err(error) = self.stores.objects.abort(upload.object(), &upload.record.append).await {
            tracing::warn!(upload_id = %id, error = %error, "bytes of a cancelled upload stay for the collector");
        }
        Ok(())
    }

    /// Ends the session without a blob, whatever chunk is taken meanwhile; returns it as it was then.
    pub(crate) async fn upload_end(&self, mut upload: OpenUpload) -> Result<OpenUpload, Error> {
        for _ in 0..ATTEMPTS {
            let dead = Record::Upload(UploadRecord { state: UploadState::Dead, ..upload.record.clone() });
            let seen = Condition::Version(upload.item.version.clone());
            let open = keys::open_upload(&upload.record.repository, &upload.id);
            let writes = vec![
                self.put(upload.item.key.clone(), self.fresh_version(), dead, seen),
                Write::Delete(open, Condition::Always),
            ];
            let Some(conflict) = self.transact(writes).await? else { return Ok(upload) };
            upload = self.upload_overtaken(&upload, conflict.found.as_ref())?;
        }
        Err(Error::Contended)
    }

    /// Returns the session if it is open, of this repository and principal, and not expired.
    pub(crate) async fn upload_open(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        id: &UploadId,
    ) -> Result<OpenUpload, Error> {
        let item = self.get(keys::upload(id)).await?;
        self.upload_usable(repository, principal, id, item.as_ref())
    }

    pub(crate) fn upload_usable(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        id: &UploadId,
        item: Option<&Item>,
    ) -> Result<OpenUpload, Error> {
        let open = item.and_then(|item| Some((item, item.record.as_upload()?))).filter(|(_, record)| {
            record.state == UploadState::Open
                && record.repository == *repository
                && record.principal == principal.as_str()
                && record.expires > self.now()
        });
        match open {
            Some((item, record)) => {
                Ok(OpenUpload { id: id.clone(), item: item.clone(), record: record.clone() })
            }
            None => Err(upload_unknown(repository, id)),
        }
    }

    /// Makes the bytes durable and hashes them; in the session's item only places for them are taken.
    ///
    /// The digest says what they are to be hashed with, if they are the first.
    pub(crate) async fn upload_take(
        &self,
        upload: &mut OpenUpload,
        digest: Option<&Digest>,
        range: Option<ContentRange>,
        body: ByteStream,
    ) -> Result<Progress, Error> {
        let (offset, hasher) = (upload.record.append.size_bytes, upload.hasher(digest)?);
        if let Some(range) = range.as_ref().filter(|range| range.start != offset) {
            return Err(Error::ChunkOutOfOrder { id: upload.id.clone(), offset, start: range.start });
        }
        let Some(body) = unless_empty(body).await else {
            let expected = range.map_or(0, |range| range.len());
            return match expected {
                0 => Ok(Progress { record: upload.record.clone(), hasher, is_interrupted: false }),
                _ => Err(Error::ChunkLength { expected, actual: 0 }),
            };
        };
        let algorithm = hasher.algorithm();
        let (body, hash) = hashed(body, hasher);
        let (object, mut places) = (upload.object().clone(), Places::of(self, upload));
        let appended = self.stores.objects.append(&object, &mut places, body).await;
        let appended = appended.map_err(|error| places.explained(error))?;
        let hasher = hash.await.map_err(|_| Error::hash_state(algorithm))?;
        let actual = appended.state.size_bytes - offset;
        if let Some(expected) = range.map(|range| range.len()).filter(|expected| *expected != actual) {
            return Err(Error::ChunkLength { expected, actual });
        }
        let record = UploadRecord {
            append: appended.state,
            algorithm,
            hash_state: hasher.state(),
            ..upload.record.clone()
        };
        Ok(Progress { record, hasher, is_interrupted: appended.interrupted.is_some() })
    }

    /// Records how far the upload has come: from here on the client may rely on it.
    async fn upload_save(&self, mut upload: OpenUpload, progress: Progress) -> Result<UploadStatus, Error> {
        let offset = progress.record.append.size_bytes;
        if offset != upload.record.append.size_bytes
            && let Some(conflict) = self.upload_write(&mut upload, progress.record.clone()).await?
        {
            let now = self.upload_overtaken(&upload, conflict.found.as_ref())?;
            if !now.has_bytes_of(&progress.record) {
                return Err(Error::UploadInUse(now.id));
            }
        }
        if progress.is_interrupted {
            return Err(Error::UploadInterrupted { id: upload.id, offset });
        }
        Ok(UploadStatus { id: upload.id, offset })
    }

    /// Writes the session, unless somebody else has written it since it was read.
    async fn upload_write(
        &self,
        upload: &mut OpenUpload,
        record: UploadRecord,
    ) -> Result<Option<Conflict>, StoreError> {
        let seen = Condition::Version(upload.item.version.clone());
        let (key, version) = (upload.item.key.clone(), self.fresh_version());
        let item = Item { key, version, record: Record::Upload(record.clone()) };
        match self.stores.items.transact(vec![Write::Put(item.clone(), seen)]).await {
            // A write whose answer was lost meets itself.
            Err(TransactError::Conflict(conflict))
                if conflict.found.as_ref().is_none_or(|found| found.version != item.version) =>
            {
                return Ok(Some(*conflict));
            }
            Err(TransactError::Store(error)) => return Err(error),
            Ok(()) | Err(TransactError::Conflict(_)) => {}
        }
        (upload.item, upload.record) = (item, record);
        Ok(None)
    }

    /// Returns the session as another request has left it, if it is open still.
    pub(crate) fn upload_overtaken(
        &self,
        upload: &OpenUpload,
        now: Option<&Item>,
    ) -> Result<OpenUpload, Error> {
        let principal = Principal::new(&upload.record.principal);
        self.upload_usable(&upload.record.repository, &principal, &upload.id, now)
    }

    /// Returns that the upload is unknown. If nobody has ended it, its bytes are lost, and the log has what the store says.
    pub(crate) async fn upload_gone(&self, upload: &OpenUpload, cause: &Error) -> Error {
        let head = self.stores.objects.head(upload.object()).await;
        let now = self.get(keys::upload(&upload.id)).await.ok().flatten();
        if now.is_some_and(|item| item.version == upload.item.version) {
            log_lost(upload, cause, head);
        }
        upload_unknown(&upload.record.repository, &upload.id)
    }

    fn fresh_upload_id(&self) -> Result<UploadId, Error> {
        let id =
            uuid::Builder::from_random_bytes(self.stores.random.bits().to_le_bytes()).into_uuid().to_string();
        id.parse().map_err(|_| Error::Damaged(id))
    }
}

/// Where the places of an upload's bytes are kept: in its item, which other processes may have read, too.
pub(crate) struct Places<'a> {
    registry: &'a Registry,
    upload: &'a mut OpenUpload,
    conflict: Option<Conflict>,
}

impl<'a> Places<'a> {
    pub(crate) fn of(registry: &'a Registry, upload: &'a mut OpenUpload) -> Self {
        Self { registry, upload, conflict: None }
    }

    /// Returns what stood in the way, if that is why the store failed.
    pub(crate) fn conflict(self) -> Option<Conflict> {
        self.conflict
    }

    /// Returns what the failure means to a client.
    fn explained(self, error: StoreError) -> Error {
        let Some(conflict) = self.conflict else { return error.into() };
        match self.registry.upload_overtaken(self.upload, conflict.found.as_ref()) {
            Ok(open) => Error::UploadInUse(open.id),
            Err(over) => over,
        }
    }
}

#[async_trait]
impl KeptState for Places<'_> {
    fn state(&self) -> &AppendState {
        &self.upload.record.append
    }

    async fn replace(&mut self, append: AppendState) -> Result<(), StoreError> {
        let record = UploadRecord { append, ..self.upload.record.clone() };
        self.conflict = self.registry.upload_write(self.upload, record).await?;
        match self.conflict {
            Some(_) => Err(StoreError::new(StoreErrorKind::Overtaken, format!("upload {}", self.upload.id))),
            None => Ok(()),
        }
    }
}

impl UploadStatus {
    fn of(upload: &OpenUpload) -> Self {
        Self { id: upload.id.clone(), offset: upload.record.append.size_bytes }
    }
}

impl OpenUpload {
    /// Returns the hasher where the upload stands. Before the first byte a digest itself says which.
    fn hasher(&self, digest: Option<&Digest>) -> Result<Hasher, Error> {
        let algorithm = self.record.algorithm;
        if self.record.append.size_bytes == 0 {
            return Ok(Hasher::new(digest.map_or(algorithm, Digest::algorithm)));
        }
        Hasher::resume(algorithm, &self.record.hash_state).map_err(|_| Error::hash_state(algorithm))
    }

    /// Returns whether the session has the bytes that the record tells of, whoever has sent them.
    fn has_bytes_of(&self, record: &UploadRecord) -> bool {
        let is_as_long = self.record.append.size_bytes == record.append.size_bytes;
        is_as_long && self.record.algorithm == record.algorithm && self.record.hash_state == record.hash_state
    }

    pub(crate) fn object(&self) -> &ObjectKey {
        &self.record.object
    }
}

/// Says that bytes are lost unless they are an object; the relay may not ask for that.
fn log_lost(upload: &OpenUpload, cause: &Error, head: Result<Option<u64>, StoreError>) {
    let (upload_id, object) = (&upload.id, upload.object());
    match head {
        Ok(Some(_)) => {}
        Ok(None) => tracing::error!(%upload_id, %object, error = %cause, "the bytes of an upload are lost"),
        Err(unasked) => tracing::error!(
            %upload_id, %object, error = %cause, %unasked,
            "the bytes of an upload may be lost: the store does not say whether they are an object already"
        ),
    }
}

pub(crate) fn upload_unknown(repository: &RepositoryName, id: &UploadId) -> Error {
    Error::UploadUnknown { repository: repository.clone(), id: id.clone() }
}

/// Returns whether the upload's bytes are an object already, although its session is still open.
pub(crate) fn is_finished(error: &Error) -> bool {
    matches!(error, Error::Store(error) if error.kind == StoreErrorKind::AlreadyFinished)
}
