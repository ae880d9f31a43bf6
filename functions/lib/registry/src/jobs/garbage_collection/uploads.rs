//! Upload sessions that are over, and what they left.

use oci::UploadId;

use super::fate::{Ending, Fate};
use super::queue::Visit;
use super::{Collector, Kind, RETRY, Report, answers};
use crate::Error;
use crate::ports::{AppendState, Condition, Item, ObjectKey, StoreError, Write};
use crate::records::{Record, UploadRecord, UploadState, keys};

/// The id of a session, and an object.
type Session = (String, ObjectKey);

impl Collector {
    pub(super) async fn uploads(
        &self,
        visits: Vec<Visit<Session>>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let fate = async |visit| Fate::or_failed(self.upload_fate(visit).await);
        let questions: Vec<_> = visits.iter().map(fate).collect();
        let fates = visits.iter().cloned().zip(answers(questions).await?).collect();
        self.settle(Kind::Upload, fates, |(id, _)| id.clone(), report).await
    }

    async fn upload_fate(&self, visit: &Visit<Session>) -> Result<Fate, Error> {
        let (id, object) = &visit.what;
        let Ok(id) = id.parse::<UploadId>() else { return Ok(Fate::Needed) };
        // An append under way is let be.
        let Some(_one_at_a_time) = self.registry.upload_locks.try_lock(id.as_str()) else {
            return Ok(Fate::Later(self.registry.now().after(RETRY)));
        };
        let item = self.registry.get(keys::upload(&id)).await?;
        let Some((item, record)) =
            item.and_then(|item| Some((item.clone(), item.record.as_upload()?.clone())))
        else {
            return Ok(Fate::Needed);
        };
        if record.state == UploadState::Open {
            return Ok(match record.expires > self.registry.now() {
                true => Fate::Later(record.expires),
                false => self.upload_expired(visit, &id, &item, &record),
            });
        }
        let mut ending = Ending { writes: vec![uploads_forget(item)], ..Ending::default() };
        if self.uploads_look(&record, object).await? {
            return Ok(Fate::Ended(ending));
        }
        match self.upload_discard(&record, object).await {
            Ok(size_bytes) => {
                let is_duplicate = matches!(record.state, UploadState::Committed(_)) && size_bytes.is_some();
                ending.why = is_duplicate.then_some("its blob had an object already");
                ending.size_bytes = size_bytes.unwrap_or(record.append.size_bytes);
                ending.is_object_deleted = size_bytes.is_some();
                Ok(Fate::Ended(ending))
            }
            Err(error) => Ok(Fate::of_object_error(&error)),
        }
    }

    /// Ends a session that has expired, and comes back for its bytes: somebody may be about to store the last of them.
    fn upload_expired(
        &self,
        visit: &Visit<Session>,
        id: &UploadId,
        item: &Item,
        record: &UploadRecord,
    ) -> Fate {
        let later = self.registry.now().after(self.registry.lifetimes.object);
        let (_, postponed) = self.postponed(visit, later);
        Fate::Ended(Ending {
            why: Some("it was never finished"),
            size_bytes: record.append.size_bytes,
            writes: [self.upload_end(id, item, record), vec![postponed]].concat(),
            ..Ending::default()
        })
    }

    /// The writes that end a session: nothing can be committed any more that it or its adoptions stored.
    fn upload_end(&self, id: &UploadId, item: &Item, record: &UploadRecord) -> Vec<Write> {
        let dead = Record::Upload(UploadRecord { state: UploadState::Dead, ..record.clone() });
        let ended = Item { key: item.key.clone(), version: self.registry.fresh_version(), record: dead };
        vec![
            Write::Put(ended, Condition::Version(item.version.clone())),
            Write::Delete(keys::open_upload(&record.repository, id), Condition::Always),
        ]
    }

    /// Returns whether the blob that the session became has this object.
    async fn uploads_look(&self, record: &UploadRecord, object: &ObjectKey) -> Result<bool, Error> {
        let UploadState::Committed(digest) = &record.state else { return Ok(false) };
        let item = self.registry.get(keys::blob(digest)).await?;
        Ok(item.as_ref().and_then(|item| item.record.as_blob()).is_some_and(|blob| blob.object == *object))
    }

    /// Deletes what the session stored; returns how much that was, if it was an object.
    async fn upload_discard(
        &self,
        record: &UploadRecord,
        object: &ObjectKey,
    ) -> Result<Option<u64>, StoreError> {
        let objects = &self.registry.stores.objects;
        // An adopted session has another object by now, and does not know what it had taken itself.
        let append = if record.object == *object { record.append.clone() } else { AppendState::default() };
        objects.abort(object, &append).await?;
        let size_bytes = objects.head(object).await?;
        if size_bytes.is_some() {
            self.object_discard(object).await?;
        }
        Ok(size_bytes)
    }

    pub(super) async fn adoptions(
        &self,
        visits: Vec<Visit<Session>>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let fate = async |visit| Fate::or_failed(self.adoption_fate(visit).await);
        let questions: Vec<_> = visits.iter().map(fate).collect();
        let fates = visits.iter().cloned().zip(answers(questions).await?).collect();
        self.settle(Kind::Adoption, fates, |(id, object)| format!("{object} of {id}"), report).await
    }

    async fn adoption_fate(&self, visit: &Visit<Session>) -> Result<Fate, Error> {
        if let Some(fate) = self.adoption_look(visit).await? {
            return Ok(fate);
        }
        if !self.adoption_look_again(visit).await? {
            return Ok(Fate::Needed);
        }
        match self.object_discard(&visit.what.1).await {
            Ok(()) => Ok(Fate::Ended(Ending {
                why: Some("another attempt became the blob, or none did"),
                is_object_deleted: true,
                ..Ending::default()
            })),
            Err(error) => Ok(Fate::of_object_error(&error)),
        }
    }

    /// Looks whether the session can still be committed with the copy, and ends it if it has expired. Returns what becomes
    /// of the suspect, unless the session is over.
    async fn adoption_look(&self, visit: &Visit<Session>) -> Result<Option<Fate>, Error> {
        let Ok(id) = visit.what.0.parse::<UploadId>() else { return Ok(Some(Fate::Needed)) };
        let item = self.registry.get(keys::upload(&id)).await?;
        let session = item.as_ref().and_then(|item| Some((item, item.record.as_upload()?)));
        let Some((item, record)) = session.filter(|(_, record)| record.state == UploadState::Open) else {
            return Ok(None);
        };
        if record.expires > self.registry.now() {
            return Ok(Some(Fate::Later(record.expires)));
        }
        if self.registry.transact(self.upload_end(&id, item, record)).await?.is_some() {
            return Ok(Some(Fate::Contended));
        }
        // Somebody may be about to store the copy.
        Ok(Some(Fate::Later(self.registry.now().after(self.registry.lifetimes.object))))
    }

    /// Looks whether the copy is still suspected, now that its session is over. The commit that gives a copy a digest takes
    /// its suspect away, and it may have come after the queue was read.
    async fn adoption_look_again(&self, visit: &Visit<Session>) -> Result<bool, Error> {
        self.is_suspected(visit).await
    }
}

/// The session goes, unless somebody has changed it.
fn uploads_forget(item: Item) -> Write {
    Write::Delete(item.key, Condition::Version(item.version))
}
