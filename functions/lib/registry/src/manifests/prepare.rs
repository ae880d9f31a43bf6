//! The first step of a push: the manifest is written invisibly, with its edges; and how that is taken back.

use oci::Digest;

use crate::manifests::suspects::{manifest_suspect, object_suspect, target_suspect};
use crate::packing::split;
use crate::ports::{Condition, Conflict, Item, Key, TRANSACT_WRITES_MAX, Version, Write};
use crate::records::{EdgeRecord, ManifestBody, ManifestRecord, ManifestState, Record, keys};
use crate::{Error, ManifestPut, Registry};

/// Up to here a manifest's bytes live in its item; DynamoDB's items end at 400 KB.
const INLINE_BYTES_MAX: usize = 300 * 1024;

/// A manifest's bytes, stored before the manifest is.
#[derive(Clone)]
pub(crate) struct StoredBody {
    body: ManifestBody,
    /// That no collector has begun to take the object away.
    is_kept: Option<Write>,
}

/// A manifest that is in the repository already, or that this push has prepared.
pub(crate) struct Prepared {
    pub(crate) version: Version,
    /// The version that it has from the commit on: a push that saw it pending must not take it for pending still.
    pub(crate) live_version: Version,
    pub(crate) record: ManifestRecord,
    /// Where the review queue watches over the push, if it has to become visible yet.
    pub(crate) pending_watch: Option<Key>,
    /// What has to be true of its object when it is prepared.
    object_is_kept: Option<Write>,
}

impl Prepared {
    /// A manifest that can be pulled already.
    fn visible(version: Version, record: ManifestRecord) -> Self {
        Self { live_version: version.clone(), version, record, pending_watch: None, object_is_kept: None }
    }
}

impl Registry {
    /// Writes the manifest invisibly, with its edges; `None` if somebody else was quicker.
    pub(crate) async fn manifest_prepare(
        &self,
        put: &ManifestPut<'_>,
        stored: &mut Option<StoredBody>,
    ) -> Result<Option<Prepared>, Error> {
        if let Some((version, record)) = self.manifest_known(put).await? {
            self.manifest_body_release(put, stored).await?;
            return Ok(Some(Prepared::visible(version, record)));
        }
        let prepared = self.fresh_pending(put, self.manifest_body(put, stored).await?);
        let mut before = None;
        for _ in 0..2 {
            let Some(conflict) = self.write_pending(put, &prepared, before.as_ref()).await? else {
                return Ok(Some(prepared));
            };
            if conflict.key != keys::manifest(put.repository, &put.digest) {
                // A collector has taken the object for one that nobody came back for, perhaps before it was there.
                self.manifest_body_release(put, stored).await?;
                return Ok(None);
            }
            let Some(found) = conflict.found else { return Ok(None) };
            match found.record.as_manifest() {
                Some(record) if record.state.may_stay() => {
                    self.manifest_body_release(put, stored).await?;
                    return Ok(Some(Prepared::visible(found.version, record.clone())));
                }
                Some(record) if record.state == ManifestState::Doomed => {
                    // Tags lead to it: it goes with them before it can come anew.
                    self.manifest_deletion_end(put.repository, &put.digest).await?;
                    return Ok(None);
                }
                _ => {}
            }
            // A push that was not finished, or a deletion under way: this push takes the place over.
            before = Some(found);
        }
        Ok(None)
    }

    /// Leaves an object to the collectors, of whom one may have looked for it before it was there.
    pub(crate) async fn manifest_body_release(
        &self,
        put: &ManifestPut<'_>,
        stored: &mut Option<StoredBody>,
    ) -> Result<(), Error> {
        if let Some(StoredBody { body: ManifestBody::Object(object), .. }) = stored.take() {
            let suspect = object_suspect(put.repository, &put.digest, &object);
            self.transact(vec![self.suspect(suspect, self.lifetimes.lease)]).await?;
        }
        Ok(())
    }

    /// Returns where the manifest's bytes live, the same for every attempt.
    async fn manifest_body(
        &self,
        put: &ManifestPut<'_>,
        stored: &mut Option<StoredBody>,
    ) -> Result<StoredBody, Error> {
        if let Some(stored) = stored {
            return Ok(stored.clone());
        }
        if put.bytes.len() <= INLINE_BYTES_MAX {
            return Ok(StoredBody { body: ManifestBody::Inline(put.bytes.clone()), is_kept: None });
        }
        let object = self.fresh_object_key();
        let watch = self.suspect(object_suspect(put.repository, &put.digest, &object), self.lifetimes.lease);
        let is_kept = Some(watch.unchanged());
        let due = self.now().after(self.lifetimes.lease);
        self.transact(vec![watch]).await?;
        if self.now() >= due {
            // A collector may have looked for it already, and nobody would again.
            return Err(Error::Contended);
        }
        self.stores.objects.put(&object, put.bytes.clone()).await?;
        Ok(stored.insert(StoredBody { body: ManifestBody::Object(object), is_kept }).clone())
    }

    /// Returns the manifest if it was seen lately, or if its bytes are too many to store them on a guess.
    async fn manifest_known(
        &self,
        put: &ManifestPut<'_>,
    ) -> Result<Option<(Version, ManifestRecord)>, Error> {
        let cached = self.manifest_cache.get(put.repository, &put.digest);
        if let Some(cached) = cached.filter(|cached| cached.record.state.may_stay()) {
            return Ok(Some((cached.version.clone(), cached.record.clone())));
        }
        if put.bytes.len() <= INLINE_BYTES_MAX {
            return Ok(None);
        }
        let item = self.get(keys::manifest(put.repository, &put.digest)).await?;
        Ok(item.and_then(|item| {
            let record = item.record.as_manifest().filter(|record| record.state.may_stay())?.clone();
            Some((item.version, record))
        }))
    }

    fn fresh_pending(&self, put: &ManifestPut<'_>, stored: StoredBody) -> Prepared {
        let record = ManifestRecord {
            state: ManifestState::Pending,
            media_type: put.manifest.media_type.clone(),
            size_bytes: put.bytes.len() as u64,
            body: stored.body,
            subject: put.manifest.subject.as_ref().map(|subject| subject.digest.clone()),
            artifact_type: put.manifest.artifact_type.clone(),
            pushed: self.now(),
            pushed_by: put.principal.as_str().to_owned(),
            deleted_by: None,
        };
        let watch = keys::suspect(
            self.now().after(self.lifetimes.lease),
            &manifest_suspect(put.repository, &put.digest),
        );
        let (version, live_version) = (self.fresh_version(), self.fresh_version());
        Prepared { version, live_version, record, pending_watch: Some(watch), object_is_kept: stored.is_kept }
    }

    /// Returns `None` when written in place of what was there before, otherwise what stood in the way.
    ///
    /// What does not fit into the first transaction is written only while the manifest is this push's own: no edge
    /// comes after somebody has ended the push.
    async fn write_pending(
        &self,
        put: &ManifestPut<'_>,
        prepared: &Prepared,
        before: Option<&Item>,
    ) -> Result<Option<Conflict>, Error> {
        let manifest_key = keys::manifest(put.repository, &put.digest);
        let record = Record::Manifest(prepared.record.clone());
        let own = Write::Check(manifest_key.clone(), Condition::Version(prepared.version.clone()));
        let mut writes =
            vec![self.put(manifest_key, prepared.version.clone(), record, Condition::unchanged(before))];
        if let Some(ManifestBody::Object(object)) =
            before.and_then(|item| item.record.as_manifest()).map(|record| &record.body)
        {
            // Its own push may have ended for good, and a collector may have seen it in use.
            let left = object_suspect(put.repository, &put.digest, object);
            writes.push(self.suspect(left, self.lifetimes.lease));
        }
        writes.extend(prepared.object_is_kept.clone());
        if let Some(watch) = &prepared.pending_watch {
            let suspect = Record::Suspect(manifest_suspect(put.repository, &put.digest));
            writes.push(self.put(watch.clone(), prepared.version.clone(), suspect, Condition::Always));
        }
        writes.extend(put.manifest.references.iter().map(|target| {
            let key = keys::edge_from_manifest(put.repository, &target.digest, &put.digest);
            let edge = Record::Edge(EdgeRecord {
                since: prepared.record.pushed,
                by: put.principal.as_str().to_owned(),
                left: None,
            });
            self.put(key, prepared.version.clone(), edge, Condition::Always)
        }));
        let rest = writes.split_off(writes.len().min(TRANSACT_WRITES_MAX));
        if let Some(conflict) = self.transact(writes).await? {
            return Ok(Some(conflict));
        }
        for transaction in split(&rest, &[own]) {
            if let Some(conflict) = self.transact(transaction).await? {
                return Ok(Some(conflict));
            }
        }
        Ok(None)
    }

    /// Takes back what `manifest_prepare` wrote; what cannot be taken back is garbage, watched by the queue.
    ///
    /// A collector that saw an edge trusts it to say so when it goes: what it led to becomes a suspect again.
    pub(crate) async fn manifest_withdraw(
        &self,
        put: &ManifestPut<'_>,
        prepared: &Prepared,
        missing: &[Digest],
    ) -> Result<(), Error> {
        if prepared.pending_watch.is_none() {
            // It was there before this push.
            return Ok(());
        }
        let own = || Condition::Version(prepared.version.clone());
        let edges = put.manifest.references.iter().flat_map(|target| {
            let edge = keys::edge_from_manifest(put.repository, &target.digest, &put.digest);
            let suspect = (!missing.contains(&target.digest)).then(|| target_suspect(put.repository, target));
            let suspect = suspect.map(|suspect| self.suspect(suspect, self.lifetimes.lease));
            [Write::Delete(edge, own())].into_iter().chain(suspect)
        });
        let manifest = Write::Delete(keys::manifest(put.repository, &put.digest), own());
        let object = match &prepared.record.body {
            ManifestBody::Object(object) => Some(object),
            ManifestBody::Inline(_) => None,
        };
        let suspect = object.map(|object| object_suspect(put.repository, &put.digest, object));
        let suspect = suspect.map(|suspect| self.suspect(suspect, self.lifetimes.object));
        let mut writes: Vec<Write> = edges.chain(suspect).chain([manifest]).collect();
        if writes.len() < TRANSACT_WRITES_MAX {
            // In several transactions it has to watch over what a death in between would leave.
            let watch = prepared.pending_watch.iter();
            writes.extend(watch.map(|watch| Write::Delete(watch.clone(), Condition::Always)));
        }
        for transaction in split(&writes, &[]) {
            if self.transact(transaction).await?.is_some() {
                break;
            }
        }
        if let Some(object) = object {
            self.forget_object(object).await;
        }
        Ok(())
    }
}
