//! What is written when a tag comes, moves or goes: the tag, its edge, its history.

use oci::{Digest, RepositoryName, Tag};

use crate::manifests::delete::Deletion;
use crate::manifests::prepare::Prepared;
use crate::ports::{Condition, Item, Version, Write};
use crate::records::keys::{self, EdgeSource};
use crate::records::{EdgeRecord, EventAction, EventRecord, HistoryRecord, Record, TagRecord};
use crate::{ManifestPut, Principal, Registry};

impl Registry {
    pub(crate) fn tag_writes(
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

    /// What a tag leaves behind when it moves or goes: its history grows, and its edge says since when it is history.
    pub(crate) fn tag_left_writes(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        old: &TagRecord,
        after: Option<&Digest>,
        principal: &Principal,
    ) -> [Write; 2] {
        let left = EdgeRecord { since: old.pushed, by: old.pushed_by.clone(), left: Some(self.now()) };
        let edge_key = keys::edge_from_tag(repository, &old.digest, tag);
        [
            self.put(edge_key, self.fresh_version(), Record::Edge(left), Condition::Always),
            self.history_write(repository, tag, old, after, principal),
        ]
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
            self.event(tag_deleted(self, repository, principal, digest, &tag)),
        ]
    }

    /// One more line of the tag's history.
    pub(crate) fn history_write(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        old: &TagRecord,
        after: Option<&Digest>,
        principal: &Principal,
    ) -> Write {
        let history = HistoryRecord {
            before: old.clone(),
            after: after.cloned(),
            at: self.now(),
            by: principal.as_str().to_owned(),
        };
        let id = self.fresh_ulid();
        self.put(
            keys::history(repository, tag, id),
            Version::new(id.to_string()),
            Record::History(history),
            Condition::Always,
        )
    }
}

pub(crate) fn tag_deleted(
    registry: &Registry,
    repository: &RepositoryName,
    principal: &Principal,
    digest: &Digest,
    tag: &Tag,
) -> EventRecord {
    EventRecord {
        action: EventAction::TagDeleted,
        repository: repository.clone(),
        digest: digest.clone(),
        tags: vec![tag.clone()],
        at: registry.now(),
        by: principal.as_str().to_owned(),
    }
}
