//! Objects that nothing leads to any more.

use oci::Digest;

use super::fate::{Ending, Fate, or_damaged};
use super::queue::{Place, Visit};
use super::{Collector, Kind, RETRY, Report, answers};
use crate::Error;
use crate::ports::{Condition, Item, ObjectKey, StoreError, Write};
use crate::records::{BlobState, ManifestBody, keys};

impl Collector {
    /// Deletes the objects of dead blobs, and then the blobs.
    pub(super) async fn dead_objects(
        &self,
        visits: Vec<Visit<(Digest, ObjectKey)>>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let name = |(digest, _): &(Digest, ObjectKey)| digest.to_string();
        let found = self.read(Kind::Blob, visits, |(digest, _)| keys::blob(digest), name, report).await?;
        let questions: Vec<_> =
            found.iter().map(|(visit, item)| self.dead_object_fate(visit, item.as_ref())).collect();
        let answers = answers(questions).await?;
        let fates = found.into_iter().map(|(visit, _)| visit).zip(answers).collect();
        // Its blob was reported when it was declared dead.
        self.settle(Kind::Blob, fates, name, report).await
    }

    async fn dead_object_fate(
        &self,
        visit: &Visit<(Digest, ObjectKey)>,
        item: Option<&Item>,
    ) -> Result<Fate, Error> {
        let (digest, object) = &visit.what;
        let own = item.and_then(|item| Some((item, item.record.as_blob()?)));
        let own = own.filter(|(_, blob)| blob.object == *object);
        if own.is_some_and(|(_, blob)| blob.state != BlobState::Dead) {
            return Ok(Fate::Failed("its blob is not dead".to_owned()));
        }
        if let Err(error) = self.blob_discard(digest, object).await {
            return Ok(Fate::of_object_error(&error));
        }
        Ok(Fate::Ended(Ending {
            size_bytes: own.map_or(0, |(_, blob)| blob.size_bytes),
            is_object_deleted: true,
            writes: own.map(|(item, _)| dead_objects_forget(item)).into_iter().collect(),
            ..Ending::default()
        }))
    }

    /// Deletes an object; nothing leads to it.
    pub(super) async fn object_discard(&self, object: &ObjectKey) -> Result<(), StoreError> {
        self.registry.stores.objects.delete(object).await
    }

    /// Deletes the object of a dead blob, or puts it where it can be brought back from for a while.
    async fn blob_discard(&self, digest: &Digest, object: &ObjectKey) -> Result<(), StoreError> {
        match &self.registry.stores.abilities.trash {
            Some(trash) => trash.discard(object, digest).await,
            None => self.object_discard(object).await,
        }
    }

    /// Deletes the objects of manifests that never came about, or are gone.
    pub(super) async fn manifest_objects(
        &self,
        visits: Vec<Visit<(Place, ObjectKey)>>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let questions: Vec<_> = visits.iter().map(|visit| self.manifest_object_fate(visit)).collect();
        let fates = answers(questions).await?;
        let name = |((repository, digest), object): &(Place, ObjectKey)| {
            format!("{object} of {repository}@{digest}")
        };
        self.settle(Kind::ManifestObject, fates, name, report).await
    }

    async fn manifest_object_fate(
        &self,
        visit: &Visit<(Place, ObjectKey)>,
    ) -> Result<(Visit<(Place, ObjectKey)>, Fate), Error> {
        if let Some(fate) = self.manifest_objects_look(visit).await? {
            return Ok((visit.clone(), fate));
        }
        let Some(flagged) = self.manifest_objects_flag(visit).await? else {
            return Ok((visit.clone(), Fate::Contended));
        };
        if let Some(fate) = self.manifest_objects_look(&flagged).await? {
            return Ok((flagged, fate));
        }
        let fate = match self.object_discard(&visit.what.1).await {
            Ok(()) => Fate::Ended(Ending {
                why: Some("no manifest has it"),
                is_object_deleted: true,
                ..Ending::default()
            }),
            Err(error) => Fate::of_object_error(&error),
        };
        Ok((flagged, fate))
    }

    /// Moves the suspect: a push that stored the object cannot make a manifest of it any more, so it has done so
    /// already, or never will.
    async fn manifest_objects_flag(
        &self,
        visit: &Visit<(Place, ObjectKey)>,
    ) -> Result<Option<Visit<(Place, ObjectKey)>>, Error> {
        let (later, writes) = self.moved(visit, self.registry.now().after(RETRY));
        Ok(self.registry.transact(writes).await?.is_none().then_some(later))
    }

    /// Returns what becomes of the object if a manifest has it. One that is not live yet may lose it again.
    async fn manifest_objects_look(&self, visit: &Visit<(Place, ObjectKey)>) -> Result<Option<Fate>, Error> {
        let ((repository, digest), object) = &visit.what;
        let item = match or_damaged(self.registry.get(keys::manifest(repository, digest)).await)? {
            Ok(item) => item,
            Err(problem) => return Ok(Some(Fate::Failed(problem))),
        };
        let record = item.as_ref().and_then(|item| item.record.as_manifest());
        let own = record.filter(|record| record.body == ManifestBody::Object(object.clone()));
        Ok(own.map(|record| match record.state.is_visible() {
            true => Fate::Needed,
            false => Fate::Later(self.registry.now().after(self.registry.lifetimes.lease)),
        }))
    }
}

/// The dead blob goes, unless an upload has replaced it.
fn dead_objects_forget(item: &Item) -> Write {
    Write::Delete(item.key.clone(), Condition::Version(item.version.clone()))
}
