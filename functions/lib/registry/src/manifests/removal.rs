//! The end of a manifest: itself, its tags and its edges go, in as few transactions as it takes.
//!
//! Its bytes say at once what it leads to. One whose bytes are lost goes, too: then all edges of the repository are read,
//! and those that are from it are there, because they were written before it could be seen (rule R2).

use std::time::Duration;

use oci::{Digest, Manifest, Target};

use crate::manifests::delete::Deletion;
use crate::manifests::edges::Led;
use crate::manifests::suspects::{object_suspect, target_suspect};
use crate::packing::{fits, pack, split};
use crate::ports::{Condition, Conflict, Item, Write};
use crate::records::keys::{self, EdgeSource};
use crate::records::{EventAction, EventRecord, ManifestBody, ManifestRecord, ManifestState, TagRecord};
use crate::{Error, Registry};

impl Registry {
    /// Removes the last tags and the manifest, at once if they fit; tags before that go in transactions of their own.
    pub(crate) async fn manifest_end(
        &self,
        deletion: &mut Deletion<'_>,
        tags: Vec<Vec<Write>>,
    ) -> Result<Option<Conflict>, Error> {
        let targets = match self.manifest_targets(deletion).await {
            Some(targets) => targets,
            // What is gone has no bytes either.
            None => match self.manifest_changed(deletion).await? {
                None => self.edges_from(deletion.repository, deletion.digest).await?,
                conflict => return Ok(conflict),
            },
        };
        let removal = self.manifest_removal(deletion, targets);
        let mut tags = pack(tags, &self.beside_tags(deletion));
        let last = tags.pop().unwrap_or_default();
        if let Some(conflict) = self.tags_remove(deletion, tags).await? {
            return Ok(Some(conflict));
        }
        let whole = [last.concat(), removal.clone(), self.end_writes(deletion)].concat();
        if fits(&whole) {
            return self.transact(whole).await;
        }
        if let Some(conflict) = self.tags_remove(deletion, vec![last]).await? {
            return Ok(Some(conflict));
        }
        let rest = [removal.clone(), self.end_writes(deletion)].concat();
        if fits(&rest) {
            return self.transact(rest).await;
        }
        if let Some(conflict) = self.manifest_hide(deletion).await? {
            return Ok(Some(conflict));
        }
        match self.transact_while_flagged(deletion, &removal).await? {
            None => self.transact(self.end_writes(deletion)).await,
            conflict => Ok(conflict),
        }
    }

    /// Hides a manifest whose edges go before it does: it must not be seen any more, nor listed.
    ///
    /// Whoever wants to know is told now. It may be pushed anew before its edges have gone, and then nobody ends it.
    async fn manifest_hide(&self, deletion: &mut Deletion<'_>) -> Result<Option<Conflict>, Error> {
        if deletion.record.state == ManifestState::Deleting {
            return Ok(None);
        }
        let told = unlisting(deletion).into_iter().chain([self.deleted_event(deletion)]);
        self.manifest_decide(deletion, ManifestState::Deleting, told.collect()).await
    }

    /// Puts the manifest into a state from which nothing brings it back, together with the first that goes.
    async fn manifest_decide(
        &self,
        deletion: &mut Deletion<'_>,
        state: ManifestState,
        removal: Vec<Write>,
    ) -> Result<Option<Conflict>, Error> {
        let decided = self.manifest_in(deletion, state);
        // The first condition is the one that is named: its own version, if this is sent again.
        let conflict = self.transact([deletion.decision(&decided), removal].concat()).await?;
        let is_own = |found: &Item| found.version == decided.version;
        if let Some(conflict) = conflict.filter(|conflict| !conflict.found.as_ref().is_some_and(is_own)) {
            return Ok(Some(conflict));
        }
        // What it rested on may change from here on.
        deletion.only_while = None;
        deletion.record.state = state;
        deletion.item = decided;
        Ok(None)
    }

    /// Returns the manifest as it is in this state.
    fn manifest_in(&self, deletion: &Deletion<'_>, state: ManifestState) -> Item {
        let deleted_by = Some(deletion.principal.as_str().to_owned());
        self.manifest_item(&deletion.item, &ManifestRecord { state, deleted_by, ..deletion.record.clone() })
    }

    /// Returns what goes with tags at most.
    fn beside_tags(&self, deletion: &Deletion<'_>) -> Vec<Write> {
        match deletion.record.state.is_decided() {
            true => vec![deletion.guard()],
            false => deletion.decision(&self.manifest_in(deletion, ManifestState::Doomed)),
        }
    }

    /// The manifest goes, and whoever wants to know is told, unless they were when it was hidden.
    fn end_writes(&self, deletion: &Deletion<'_>) -> Vec<Write> {
        let is_told = deletion.record.state == ManifestState::Deleting;
        let told = (!is_told).then(|| self.deleted_event(deletion));
        [deletion.end()].into_iter().chain(told).chain(deletion.only_while.clone()).collect()
    }

    fn deleted_event(&self, deletion: &Deletion<'_>) -> Write {
        self.event(EventRecord {
            action: EventAction::ManifestDeleted,
            repository: deletion.repository.clone(),
            digest: deletion.digest.clone(),
            tags: Vec::new(),
            at: self.now(),
            by: deletion.principal.as_str().to_owned(),
        })
    }

    /// Returns what the manifest leads to, as its bytes say; `None` if they cannot be read, are others, or say nothing.
    async fn manifest_targets(&self, deletion: &Deletion<'_>) -> Option<Vec<Led>> {
        let Deletion { repository, digest, record, .. } = deletion;
        let bytes = self.manifest_bytes(record).await.ok()?;
        let is_whole = Digest::of(digest.algorithm(), &bytes) == **digest;
        let manifest = Manifest::read(&bytes, Some(&record.media_type)).ok().filter(|_| is_whole)?;
        let led = |target: &Target| Led {
            suspects: vec![target_suspect(repository, target)],
            digest: target.digest.clone(),
        };
        Some(manifest.references.iter().map(led).collect())
    }

    /// Removes the edges of the manifest, and its line among the referrers; what these led to is looked at by the
    /// collector.
    fn manifest_removal(&self, deletion: &Deletion<'_>, targets: Vec<Led>) -> Vec<Write> {
        let Deletion { repository, digest, record, .. } = deletion;
        let mut writes = Vec::new();
        for Led { digest: target, suspects } in targets {
            let edge = keys::edge_from_manifest(repository, &target, digest);
            writes.push(Write::Delete(edge, Condition::Always));
            writes.extend(suspects.into_iter().map(|suspect| self.suspect(suspect, Duration::ZERO)));
        }
        writes.extend(unlisting(deletion));
        if let ManifestBody::Object(object) = &record.body {
            writes.push(self.suspect(object_suspect(repository, digest, object), self.lifetimes.object));
        }
        writes
    }

    /// Returns how the manifest is, if it is not as this deletion left it: what is gone has no bytes either.
    async fn manifest_changed(&self, deletion: &Deletion<'_>) -> Result<Option<Conflict>, Error> {
        let Item { key, version, .. } = &deletion.item;
        let found = self.get(key.clone()).await?;
        let is_as_left = found.as_ref().is_some_and(|item| item.version == *version);
        Ok((!is_as_left).then(|| Conflict { key: key.clone(), found }))
    }

    /// Deletes the tag at the other end of the edge. Tag and edge were written together, so they have one version.
    pub(crate) fn tag_removal(&self, deletion: &Deletion<'_>, edge: &Item) -> Vec<Write> {
        let Some((_, EdgeSource::Tag(tag))) = keys::parse_edge(&edge.key.sk) else { return Vec::new() };
        let Some(edge_record) = edge.record.as_edge() else { return Vec::new() };
        let unchanged = Condition::Version(edge.version.clone());
        if edge_record.left.is_some() {
            return vec![Write::Delete(edge.key.clone(), unchanged)];
        }
        let Deletion { repository, principal, digest, record, .. } = deletion;
        let before = TagRecord {
            digest: (*digest).clone(),
            media_type: record.media_type.clone(),
            size_bytes: record.size_bytes,
            pushed: edge_record.since,
            pushed_by: edge_record.by.clone(),
        };
        vec![
            Write::Delete(keys::tag(repository, &tag), unchanged),
            Write::Delete(edge.key.clone(), Condition::Always),
            self.history_write(repository, &tag, &before, None, principal),
            self.event(self.tag_deleted(repository, principal, digest, &tag)),
        ]
    }

    /// Removes tags, a group in each transaction. With the first it is decided that the manifest goes, too: a deletion that
    /// is refused has taken nothing away.
    async fn tags_remove(
        &self,
        deletion: &mut Deletion<'_>,
        groups: Vec<Vec<Vec<Write>>>,
    ) -> Result<Option<Conflict>, Error> {
        for tags in groups.into_iter().map(|tags| tags.concat()).filter(|tags| !tags.is_empty()) {
            let conflict = match deletion.record.state.is_decided() {
                true => self.transact([vec![deletion.guard()], tags].concat()).await?,
                false => self.manifest_decide(deletion, ManifestState::Doomed, tags).await?,
            };
            if conflict.is_some() {
                return Ok(conflict);
            }
        }
        Ok(None)
    }

    /// Removes tags of which there are more than are read at once.
    pub(crate) async fn tags_end(
        &self,
        deletion: &mut Deletion<'_>,
        tags: Vec<Vec<Write>>,
    ) -> Result<Option<Conflict>, Error> {
        let groups = pack(tags, &self.beside_tags(deletion));
        self.tags_remove(deletion, groups).await
    }

    /// Writes in as many transactions as it takes, each only while the manifest is as this deletion left it.
    pub(crate) async fn transact_while_flagged(
        &self,
        deletion: &Deletion<'_>,
        writes: &[Write],
    ) -> Result<Option<Conflict>, Error> {
        for transaction in split(writes, &[deletion.guard()]) {
            let conflict = self.transact(transaction).await?;
            if conflict.is_some() {
                return Ok(conflict);
            }
        }
        Ok(None)
    }
}

/// Returns what takes the manifest from the list of its subject's referrers.
fn unlisting(deletion: &Deletion<'_>) -> Option<Write> {
    let Deletion { repository, digest, record, .. } = deletion;
    let artifact_type = record.artifact_type.as_deref().unwrap_or_default();
    let referrer = keys::referrer(repository, record.subject.as_ref()?, artifact_type, digest);
    Some(Write::Delete(referrer, Condition::Always))
}
