//! Manifest push: edges first, then a look at what they lead to, and the manifest becomes visible last (rule R2).
//!
//! `prepare` has the edges, `look` the look; the commit is here.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use oci::limits::TAGS_PER_PUT_MAX;
use oci::{Digest, Manifest, RepositoryName, Tag};

use crate::beginning::Beginner;
use crate::manifests::cache::Moment;
use crate::manifests::look::Standing;
use crate::manifests::prepare::Prepared;
use crate::ports::{Condition, Item, Write};
use crate::records::{
    EventAction, EventRecord, ManifestRecord, ManifestState, Record, ReferrerRecord, SuspectRecord,
    TagRecord, keys,
};
use crate::registry::ATTEMPTS;
use crate::{Error, Principal, Registry};

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
            if self.manifest_commit(put, &prepared, &standing).await? {
                return Ok(());
            }
        }
        self.manifest_body_release(put, &mut body).await?;
        Err(Error::Contended)
    }

    /// Makes the manifest visible; returns `false` if something has changed that this rests on.
    async fn manifest_commit(
        &self,
        put: &ManifestPut<'_>,
        prepared: &Prepared,
        standing: &Standing,
    ) -> Result<bool, Error> {
        let writes = self.manifest_commit_writes(put, prepared, standing);
        let before = self.manifest_cache.moment(self.now());
        let conflict = self.transact(writes).await?;
        let is_done = conflict.is_none_or(|conflict| is_own_commit(conflict.found.as_ref(), prepared));
        self.remember(put, prepared, is_done.then_some(before));
        Ok(is_done)
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
            let record = self.tag_record(put, prepared);
            writes.extend(self.tag_writes(put.repository, put.principal, tag, record, before.as_ref()));
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

    fn tag_record(&self, put: &ManifestPut<'_>, prepared: &Prepared) -> TagRecord {
        TagRecord {
            digest: put.digest.clone(),
            media_type: prepared.record.media_type.clone(),
            size_bytes: prepared.record.size_bytes,
            pushed: self.now(),
            pushed_by: put.principal.as_str().to_owned(),
        }
    }

    fn visible_writes(&self, put: &ManifestPut<'_>, prepared: &Prepared) -> Vec<Write> {
        let key = keys::manifest(put.repository, &put.digest);
        let own = Condition::Version(prepared.version.clone());
        let Some(watch) = &prepared.pending_watch else {
            return vec![match self.pushed_again(put, &prepared.record) {
                Some(again) => self.put(key, self.fresh_version(), Record::Manifest(again), own),
                None => Write::Check(key, own),
            }];
        };
        let live = ManifestRecord { state: ManifestState::Live, ..prepared.record.clone() };
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

    /// Returns what the push of a manifest that is there already has to write: a flag goes, and where no tag keeps it, the
    /// days for which a policy does so begin anew. Like a lease, they are renewed in its second half.
    fn pushed_again(&self, put: &ManifestPut<'_>, record: &ManifestRecord) -> Option<ManifestRecord> {
        let live = ManifestRecord { state: ManifestState::Live, ..record.clone() };
        let (now, pushed_by) = (self.now(), put.principal.as_str().to_owned());
        match put.tags.is_empty() && record.pushed.after(self.lifetimes.lease / 2) <= now {
            true => Some(ManifestRecord { pushed: now, pushed_by, ..live }),
            false => (record.state == ManifestState::Dying).then_some(live),
        }
    }

    /// A manifest that was pushed is cached; one that turned out other than read is not.
    fn remember(&self, put: &ManifestPut<'_>, prepared: &Prepared, committed: Option<Moment>) {
        let live = ManifestRecord { state: ManifestState::Live, ..prepared.record.clone() };
        match committed {
            Some(before) if prepared.pending_watch.is_some() => {
                let version = &prepared.live_version;
                self.manifest_cache.insert(put.repository, &put.digest, version, &live, before);
            }
            Some(_) if self.pushed_again(put, &prepared.record).is_none() => {}
            _ => self.manifest_cache.remove(put.repository, &put.digest),
        }
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

/// Returns whether what stands in the way is this push's own commit, whose reply was lost.
fn is_own_commit(found: Option<&Item>, prepared: &Prepared) -> bool {
    prepared.pending_watch.is_some()
        && found.is_some_and(|item| {
            item.version == prepared.live_version
                && item.record.as_manifest().is_some_and(|record| record.state == ManifestState::Live)
        })
}
