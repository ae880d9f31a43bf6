//! Manifest push: edges first, then a look at what they lead to, and the manifest becomes visible last (rule R2).

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use oci::limits::TAGS_PER_PUT_MAX;
use oci::{Digest, Manifest, RepositoryName, Tag, Target, TargetKind};

use crate::beginning::Beginner;
use crate::manifest_cache::Moment;
use crate::packing::split;
use crate::ports::{Condition, Conflict, Item, Key, ObjectKey, TRANSACT_WRITES_MAX, Version, Write};
use crate::records::{
    EdgeRecord, EventAction, EventRecord, LinkState, ManifestBody, ManifestRecord, ManifestState, Record,
    ReferrerRecord, SuspectRecord, TagRecord, keys,
};
use crate::registry::ATTEMPTS;
use crate::{Error, Principal, Registry};

/// Up to here a manifest's bytes live in its item; DynamoDB's items end at 400 KB.
const INLINE_BYTES_MAX: usize = 300 * 1024;

/// As many bytes of annotations fit into the item that lists a referrer.
const REFERRER_ANNOTATIONS_BYTES_MAX: usize = 256 * 1024;

/// A manifest to push.
pub(crate) struct ManifestPut<'a> {
    /// Where to.
    pub repository: &'a RepositoryName,
    /// Who pushes.
    pub principal: &'a Principal,
    /// Its digest, made from `bytes`.
    pub digest: Digest,
    /// What it says.
    pub manifest: Manifest,
    /// Its bytes.
    pub bytes: Bytes,
    /// The tags that shall point to it.
    pub tags: Vec<Tag>,
    /// Who decides whether the repository may begin with this manifest.
    pub beginner: &'a dyn Beginner,
    /// What the audit log is to say of it, in the same transaction.
    pub trace: Option<Write>,
}

/// A manifest's bytes, stored before the manifest is.
#[derive(Clone)]
struct StoredBody {
    body: ManifestBody,
    /// That no collector has begun to take the object away.
    is_kept: Option<Write>,
}

/// A manifest that is in the repository already, or that this push has prepared.
struct Prepared {
    version: Version,
    /// The version that it has from the commit on: a push that saw it pending must not take it for pending still.
    live_version: Version,
    record: ManifestRecord,
    /// Where the review queue watches over the push, if it has to become visible yet.
    pending_watch: Option<Key>,
    /// What has to be true of its object when it is prepared.
    object_is_kept: Option<Write>,
}

/// What the commit rests on.
#[derive(Default)]
struct Standing {
    /// The repository, as the commit expects to find it.
    repository: Option<Item>,
    /// The writes by which the repository is there with the manifest.
    repository_writes: Vec<Write>,
    /// The tags, as the commit expects to find them.
    tags: Vec<Option<Item>>,
    /// What is referenced and not there.
    missing: Vec<Digest>,
    /// Why there must be no commit.
    refusal: Option<Error>,
}

impl Standing {
    /// Returns a tag that this push would move, and must not.
    fn immutable_tag(&self, put: &ManifestPut<'_>) -> Option<Tag> {
        let immutable = &self.repository.as_ref()?.record.as_repository()?.immutable_tags;
        let is_moved = |before: &Option<Item>| {
            before.as_ref().and_then(|item| item.record.as_tag()).is_some_and(|tag| tag.digest != put.digest)
        };
        let mut moved = put.tags.iter().zip(&self.tags).filter(|(_, before)| is_moved(before));
        moved.find(|(tag, _)| immutable.covers(tag)).map(|(tag, _)| tag.clone())
    }

    /// Returns why this push must not be committed, if anything speaks against it.
    fn refusal(&mut self, put: &ManifestPut<'_>) -> Option<Error> {
        let repository = || put.repository.clone();
        self.refusal.take().or_else(|| match self.missing.is_empty() {
            false => {
                Some(Error::ManifestBlobUnknown { repository: repository(), missing: self.missing.clone() })
            }
            true => Some(Error::TagImmutable { repository: repository(), tag: self.immutable_tag(put)? }),
        })
    }
}

impl Prepared {
    /// A manifest that can be pulled already.
    fn visible(version: Version, record: ManifestRecord) -> Self {
        Self { live_version: version.clone(), version, record, pending_watch: None, object_is_kept: None }
    }
}

impl Registry {
    /// Stores the manifest and moves the tags to it, all visible at one moment.
    ///
    /// Everything that it references has to be in the repository; what is missing is named in the error.
    pub(crate) async fn manifest_put(&self, put: &ManifestPut<'_>) -> Result<(), Error> {
        check_limits(put)?;
        let mut body = None;
        for _ in 0..ATTEMPTS {
            let Some(prepared) = self.manifest_prepare(put, &mut body).await? else { continue };
            let Some(mut standing) = self.manifest_standing(put, &prepared).await? else { continue };
            if let Some(refusal) = standing.refusal(put) {
                self.manifest_withdraw(put, &prepared, &standing.missing).await?;
                return Err(refusal);
            }
            let writes = self.manifest_commit_writes(put, &prepared, &standing);
            let before = self.manifest_cache.moment(self.now());
            let conflict = self.transact(writes).await?;
            let is_done = conflict.is_none_or(|conflict| is_own_commit(conflict.found.as_ref(), &prepared));
            self.remember(put, &prepared, is_done.then_some(before));
            if is_done {
                return Ok(());
            }
        }
        Err(Error::Contended)
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
        let watch = self.suspect(object_suspect(put, &object), self.lifetimes.lease);
        let is_kept = Some(watch.unchanged());
        self.transact(vec![watch]).await?;
        self.stores.objects.put(&object, put.bytes.clone()).await?;
        Ok(stored.insert(StoredBody { body: ManifestBody::Object(object), is_kept }).clone())
    }

    /// Writes the manifest invisibly, with its edges; `None` if somebody else was quicker.
    async fn manifest_prepare(
        &self,
        put: &ManifestPut<'_>,
        stored: &mut Option<StoredBody>,
    ) -> Result<Option<Prepared>, Error> {
        if let Some((version, record)) = self.manifest_known(put).await? {
            return Ok(Some(Prepared::visible(version, record)));
        }
        let prepared = self.fresh_pending(put, self.manifest_body(put, stored).await?);
        let Some(conflict) = self.write_pending(put, &prepared, Condition::Absent).await? else {
            return Ok(Some(prepared));
        };
        if conflict.key != keys::manifest(put.repository, &put.digest) {
            // A collector has taken the object for one that nobody came back for, perhaps before it was there.
            if let Some(StoredBody { body: ManifestBody::Object(object), .. }) = stored.take() {
                let suspect = object_suspect(put, &object);
                self.transact(vec![self.suspect(suspect, self.lifetimes.object)]).await?;
            }
            return Ok(None);
        }
        let Some(found) = conflict.found else { return Ok(None) };
        match found.record.as_manifest() {
            Some(record) if record.state.is_visible() => {
                Ok(Some(Prepared::visible(found.version, record.clone())))
            }
            // A push that was not finished, or a deletion under way: this push takes the place over.
            _ => {
                let taken = self.write_pending(put, &prepared, Condition::Version(found.version)).await?;
                Ok(taken.is_none().then_some(prepared))
            }
        }
    }

    /// Returns the manifest if it was seen lately, or if its bytes are too many to store them on a guess.
    async fn manifest_known(
        &self,
        put: &ManifestPut<'_>,
    ) -> Result<Option<(Version, ManifestRecord)>, Error> {
        if let Some(cached) = self.manifest_cache.get(put.repository, &put.digest) {
            return Ok(Some((cached.version.clone(), cached.record.clone())));
        }
        if put.bytes.len() <= INLINE_BYTES_MAX {
            return Ok(None);
        }
        let item = self.get(keys::manifest(put.repository, &put.digest)).await?;
        Ok(item.and_then(|item| {
            let record = item.record.as_manifest().filter(|record| record.state.is_visible())?.clone();
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
        };
        let watch = keys::suspect(self.now().after(self.lifetimes.lease), &manifest_suspect(put));
        let (version, live_version) = (self.fresh_version(), self.fresh_version());
        Prepared { version, live_version, record, pending_watch: Some(watch), object_is_kept: stored.is_kept }
    }

    /// Returns `None` when written, otherwise what stood in the way.
    ///
    /// What does not fit into the first transaction is written only while the manifest is this push's own: no edge
    /// comes after somebody has ended the push.
    async fn write_pending(
        &self,
        put: &ManifestPut<'_>,
        prepared: &Prepared,
        condition: Condition,
    ) -> Result<Option<Conflict>, Error> {
        let manifest_key = keys::manifest(put.repository, &put.digest);
        let record = Record::Manifest(prepared.record.clone());
        let own = Write::Check(manifest_key.clone(), Condition::Version(prepared.version.clone()));
        let mut writes = vec![self.put(manifest_key, prepared.version.clone(), record, condition)];
        writes.extend(prepared.object_is_kept.clone());
        if let Some(watch) = &prepared.pending_watch {
            let suspect = Record::Suspect(manifest_suspect(put));
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

    /// Reads, after the edges, all that the commit rests on (P2); `None` if the repository has begun meanwhile.
    ///
    /// What is missing may be on its way: uploaded, but not taken over yet.
    async fn manifest_standing(
        &self,
        put: &ManifestPut<'_>,
        prepared: &Prepared,
    ) -> Result<Option<Standing>, Error> {
        let first = match self.manifest_look(put, prepared).await? {
            Some(first) if !first.missing.is_empty() => first,
            first => return Ok(first),
        };
        let refusal = match self.uploads_adopt(put.repository, put.principal).await {
            Ok(false) => return Ok(Some(first)),
            Ok(true) => None,
            Err(error) => Some(error),
        };
        let second = self.manifest_look(put, prepared).await?;
        Ok(second.map(|second| match second.missing.is_empty() {
            true => second,
            false => Standing { refusal, ..second },
        }))
    }

    /// Returns repository and tags as they are, and which references are not there.
    async fn manifest_look(
        &self,
        put: &ManifestPut<'_>,
        prepared: &Prepared,
    ) -> Result<Option<Standing>, Error> {
        let is_pending = prepared.pending_watch.is_some();
        let references = if is_pending { put.manifest.references.as_slice() } else { &[] };
        let mut keys = vec![keys::repository(put.repository)];
        keys.extend(put.tags.iter().map(|tag| keys::tag(put.repository, tag)));
        keys.extend(references.iter().map(|target| match target.kind {
            TargetKind::Blob => keys::link(put.repository, &target.digest),
            TargetKind::Manifest => keys::manifest(put.repository, &target.digest),
        }));
        let mut found = self.stores.items.get(&keys).await?.into_iter();
        let repository = found.next().flatten();
        let writes = self.repository_writes(put.repository, repository.as_ref(), put.beginner).await;
        let repository_writes = match writes {
            Ok(Some(writes)) => writes,
            Ok(None) => return Ok(None),
            Err(refusal @ Error::RepositoryUnknown(_)) => {
                return Ok(Some(Standing { refusal: Some(refusal), ..Standing::default() }));
            }
            Err(error) => return Err(error),
        };
        let tags = found.by_ref().take(put.tags.len()).collect();
        let mut missing = Vec::new();
        for (target, item) in references.iter().zip(found) {
            if !self.is_held(item).await? && !target.may_be_missing {
                missing.push(target.digest.clone());
            }
        }
        Ok(Some(Standing { repository, repository_writes, tags, missing, refusal: None }))
    }

    /// Returns whether the referenced blob or manifest is there; the edge keeps it there from now on.
    ///
    /// What somebody flagged before they could see the edge is revived here, or found gone.
    async fn is_held(&self, item: Option<Item>) -> Result<bool, Error> {
        let mut seen = item;
        for _ in 0..ATTEMPTS {
            let Some(item) = seen else { return Ok(false) };
            let revival = match &item.record {
                Record::Manifest(manifest) => match manifest.state {
                    ManifestState::Live => return Ok(true),
                    ManifestState::Dying => self.manifest_revival(&item, manifest),
                    ManifestState::Pending | ManifestState::Deleting => return Ok(false),
                },
                Record::Link(link) => match link.state {
                    LinkState::Live => return Ok(true),
                    LinkState::Dying => self.link_revival(&item, link),
                    LinkState::Pending => return Ok(false),
                },
                _ => return Ok(false),
            };
            match self.transact(vec![revival]).await? {
                None => return Ok(true),
                // Others revive and flag it too; what they made of it decides.
                Some(conflict) => seen = conflict.found,
            }
        }
        Err(Error::Contended)
    }

    /// The write that makes a flagged manifest live again; whoever flagged it finds it changed.
    pub(crate) fn manifest_revival(&self, item: &Item, record: &ManifestRecord) -> Write {
        let live = ManifestRecord { state: ManifestState::Live, ..record.clone() };
        let seen = Condition::Version(item.version.clone());
        self.put(item.key.clone(), self.fresh_version(), Record::Manifest(live), seen)
    }

    /// Takes back what `manifest_prepare` wrote; what cannot be taken back is garbage, watched by the queue.
    ///
    /// A collector that saw an edge trusts it to say so when it goes: what it led to becomes a suspect again.
    async fn manifest_withdraw(
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
        let object_suspect =
            object.map(|object| self.suspect(object_suspect(put, object), self.lifetimes.object));
        let mut writes: Vec<Write> = edges.chain(object_suspect).chain([manifest]).collect();
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

    /// One transaction: the manifest becomes visible, the tags move, and whoever wants to know is told.
    fn manifest_commit_writes(
        &self,
        put: &ManifestPut<'_>,
        prepared: &Prepared,
        standing: &Standing,
    ) -> Vec<Write> {
        let mut writes = self.visible_writes(put, prepared);
        for (tag, before) in put.tags.iter().zip(&standing.tags) {
            writes.extend(self.tag_writes(put, prepared, tag, before.as_ref()));
        }
        let left = standing.tags.iter().flatten().filter_map(|item| item.record.as_tag());
        let left: BTreeSet<&Digest> =
            left.map(|tag| &tag.digest).filter(|left| **left != put.digest).collect();
        writes.extend(left.into_iter().map(|digest| {
            let (repository, digest) = (put.repository.clone(), digest.clone());
            self.suspect(SuspectRecord::Manifest { repository, digest }, Duration::ZERO)
        }));
        writes.extend(standing.repository_writes.iter().cloned());
        writes.push(self.event(EventRecord {
            action: EventAction::ManifestPushed,
            repository: put.repository.clone(),
            digest: put.digest.clone(),
            tags: put.tags.clone(),
            at: self.now(),
            by: put.principal.as_str().to_owned(),
        }));
        writes.extend(put.trace.clone());
        writes
    }

    fn visible_writes(&self, put: &ManifestPut<'_>, prepared: &Prepared) -> Vec<Write> {
        let key = keys::manifest(put.repository, &put.digest);
        let own = Condition::Version(prepared.version.clone());
        let live = ManifestRecord { state: ManifestState::Live, ..prepared.record.clone() };
        let Some(watch) = &prepared.pending_watch else {
            return vec![match prepared.record.state {
                ManifestState::Dying => self.put(key, self.fresh_version(), Record::Manifest(live), own),
                _ => Write::Check(key, own),
            }];
        };
        let mut writes = vec![self.put(key, prepared.live_version.clone(), Record::Manifest(live), own)];
        if !put.tags.is_empty() {
            // One without a tag is looked at again: perhaps it never gets one.
            writes.push(Write::Delete(watch.clone(), Condition::Always));
        }
        if let Some(subject) = &put.manifest.subject {
            let artifact_type = put.manifest.artifact_type.as_deref().unwrap_or_default();
            let key = keys::referrer(put.repository, &subject.digest, artifact_type, &put.digest);
            let referrer = Record::Referrer(ReferrerRecord { descriptor: put.descriptor() });
            writes.push(self.put(key, prepared.version.clone(), referrer, Condition::Always));
        }
        writes
    }

    fn tag_writes(
        &self,
        put: &ManifestPut<'_>,
        prepared: &Prepared,
        tag: &Tag,
        before: Option<&Item>,
    ) -> Vec<Write> {
        let version = self.fresh_version();
        let record = TagRecord {
            digest: put.digest.clone(),
            media_type: prepared.record.media_type.clone(),
            size_bytes: prepared.record.size_bytes,
            pushed: self.now(),
            pushed_by: put.principal.as_str().to_owned(),
        };
        let edge =
            Record::Edge(EdgeRecord { since: record.pushed, by: record.pushed_by.clone(), left: None });
        let key = keys::tag(put.repository, tag);
        let edge_key = keys::edge_from_tag(put.repository, &put.digest, tag);
        let mut writes = vec![
            self.put(key, version.clone(), Record::Tag(record), Condition::unchanged(before)),
            self.put(edge_key, version, edge, Condition::Always),
        ];
        if let Some(old) = before.and_then(|item| item.record.as_tag()).filter(|old| old.digest != put.digest)
        {
            writes.extend(self.tag_left_writes(put.repository, tag, old, Some(&put.digest), put.principal));
        }
        writes
    }

    /// A manifest that was pushed is cached; one that turned out other than read is not.
    fn remember(&self, put: &ManifestPut<'_>, prepared: &Prepared, committed: Option<Moment>) {
        let live = ManifestRecord { state: ManifestState::Live, ..prepared.record.clone() };
        match committed {
            Some(before) if prepared.pending_watch.is_some() => {
                let version = &prepared.live_version;
                self.manifest_cache.insert(put.repository, &put.digest, version, &live, before);
            }
            Some(_) if prepared.record.state == ManifestState::Live => {}
            _ => self.manifest_cache.remove(put.repository, &put.digest),
        }
    }
}

impl ManifestPut<'_> {
    /// Returns the descriptor under which a list of referrers names the manifest.
    fn descriptor(&self) -> oci::Descriptor {
        let media_type = self.manifest.media_type.clone();
        let mut descriptor = oci::Descriptor::new(media_type, self.digest.clone(), self.bytes.len() as u64);
        descriptor.artifact_type.clone_from(&self.manifest.artifact_type);
        descriptor.annotations.clone_from(&self.manifest.annotations);
        descriptor
    }
}

fn check_limits(put: &ManifestPut<'_>) -> Result<(), Error> {
    if put.tags.len() > TAGS_PER_PUT_MAX {
        return Err(Error::TooManyTags { count: put.tags.len(), limit: TAGS_PER_PUT_MAX });
    }
    let size_bytes = put.manifest.annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
    if put.manifest.subject.is_some() && size_bytes > REFERRER_ANNOTATIONS_BYTES_MAX {
        return Err(Error::AnnotationsTooLarge { size_bytes, limit: REFERRER_ANNOTATIONS_BYTES_MAX });
    }
    Ok(())
}

fn object_suspect(put: &ManifestPut<'_>, object: &ObjectKey) -> SuspectRecord {
    let (repository, digest) = (put.repository.clone(), put.digest.clone());
    SuspectRecord::ManifestObject { repository, digest, object: object.clone() }
}

/// What a manifest referenced that is gone.
pub(crate) fn target_suspect(repository: &RepositoryName, target: &Target) -> SuspectRecord {
    let (repository, digest) = (repository.clone(), target.digest.clone());
    match target.kind {
        TargetKind::Blob => SuspectRecord::Link { repository, digest },
        TargetKind::Manifest => SuspectRecord::Manifest { repository, digest },
    }
}

fn manifest_suspect(put: &ManifestPut<'_>) -> SuspectRecord {
    SuspectRecord::Manifest { repository: put.repository.clone(), digest: put.digest.clone() }
}

/// Returns whether what stands in the way is this push's own commit, whose reply was lost.
fn is_own_commit(found: Option<&Item>, prepared: &Prepared) -> bool {
    prepared.pending_watch.is_some()
        && found.is_some_and(|item| {
            item.version == prepared.live_version
                && item.record.as_manifest().is_some_and(|record| record.state == ManifestState::Live)
        })
}
