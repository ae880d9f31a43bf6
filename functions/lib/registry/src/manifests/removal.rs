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
use crate::records::{EventAction, EventRecord, ManifestBody, ManifestState, TagRecord};
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
        let mut packed = pack(tags, &[deletion.guard()]);
        let last = packed.pop().unwrap_or_default();
        if let Some(conflict) = self.tags_remove(deletion, packed.concat()).await? {
            return Ok(Some(conflict));
        }
        let end = |item: &Item| Write::Delete(item.key.clone(), Condition::Version(item.version.clone()));
        let rest = [removal.as_slice(), deletion.only_while.as_slice(), &[end(&deletion.item)]].concat();
        let whole = [last.concat(), rest.clone()].concat();
        if fits(&whole) {
            return self.transact(whole).await;
        }
        if let Some(conflict) = self.tags_remove(deletion, last).await? {
            return Ok(Some(conflict));
        }
        if fits(&rest) {
            return self.transact(rest).await;
        }
        if let Some(conflict) = self.manifest_hide(deletion).await? {
            return Ok(Some(conflict));
        }
        match self.transact_while_flagged(deletion, &removal).await? {
            None => self.transact(vec![end(&deletion.item)]).await,
            conflict => Ok(conflict),
        }
    }

    /// Hides a manifest whose edges go before it does: it must not be seen any more.
    async fn manifest_hide(&self, deletion: &mut Deletion<'_>) -> Result<Option<Conflict>, Error> {
        deletion.record.state = ManifestState::Deleting;
        let hidden = self.manifest_item(&deletion.item, &deletion.record);
        let flagged = Condition::Version(deletion.item.version.clone());
        let writes = [Write::Put(hidden.clone(), flagged)].into_iter().chain(deletion.only_while.clone());
        let conflict = self.transact(writes.collect()).await?;
        if conflict.is_none() {
            deletion.item = hidden;
        }
        Ok(conflict)
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
        if let Some(subject) = &record.subject {
            let artifact_type = record.artifact_type.as_deref().unwrap_or_default();
            let referrer = keys::referrer(repository, subject, artifact_type, digest);
            writes.push(Write::Delete(referrer, Condition::Always));
        }
        if let ManifestBody::Object(object) = &record.body {
            writes.push(self.suspect(object_suspect(repository, digest, object), self.lifetimes.object));
        }
        writes.push(self.event(EventRecord {
            action: EventAction::ManifestDeleted,
            repository: (*repository).clone(),
            digest: (*digest).clone(),
            tags: Vec::new(),
            at: self.now(),
            by: deletion.principal.as_str().to_owned(),
        }));
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

    /// Removes tags, each of them whole in one transaction.
    pub(crate) async fn tags_remove(
        &self,
        deletion: &Deletion<'_>,
        tags: Vec<Vec<Write>>,
    ) -> Result<Option<Conflict>, Error> {
        let guard = deletion.guard();
        for tags in pack(tags, std::slice::from_ref(&guard)) {
            let conflict = self.transact([tags.concat(), vec![guard.clone()]].concat()).await?;
            if conflict.is_some() {
                return Ok(conflict);
            }
        }
        Ok(None)
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
