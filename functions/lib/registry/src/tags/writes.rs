//! What is written when a tag comes, moves or goes: the tag, its edge, its history.

use oci::{Digest, RepositoryName, Tag};

use crate::ports::{Condition, Item, Version, Write};
use crate::records::{EdgeRecord, EventAction, EventRecord, HistoryRecord, Record, TagRecord, keys};
use crate::{Principal, Registry};

impl Registry {
    /// The tag becomes this, if it is as it was before.
    pub(crate) fn tag_writes(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        tag: &Tag,
        record: TagRecord,
        before: Option<&Item>,
    ) -> Vec<Write> {
        let version = self.fresh_version();
        let edge =
            Record::Edge(EdgeRecord { since: record.pushed, by: record.pushed_by.clone(), left: None });
        let edge_key = keys::edge_from_tag(repository, &record.digest, tag);
        let old = before.and_then(|item| item.record.as_tag()).filter(|old| old.digest != record.digest);
        let left = old.map(|old| self.tag_left_writes(repository, tag, old, Some(&record.digest), principal));
        let record = Record::Tag(record);
        let mut writes = vec![
            self.put(keys::tag(repository, tag), version.clone(), record, Condition::unchanged(before)),
            self.put(edge_key, version, edge, Condition::Always),
        ];
        writes.extend(left.into_iter().flatten());
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

    /// What those are told who want to know that the tag was deleted.
    pub(crate) fn tag_deleted(
        &self,
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
            at: self.now(),
            by: principal.as_str().to_owned(),
        }
    }
}
