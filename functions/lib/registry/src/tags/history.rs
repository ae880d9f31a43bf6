//! The history of tags: where they pointed before, and putting them back there.

use std::collections::BTreeSet;

use oci::{Digest, Manifest, Reference, RepositoryName, Tag};

use crate::beginning::{Nobody, refuse_ending};
use crate::ports::{Direction, Item, Query, Write};
use crate::records::{HistoryRecord, Record, keys};
use crate::{Error, ManifestPut, Principal, Registry};

/// How far back a restoration looks for what a tag pointed to.
const MOVES_MAX: usize = 1000;

/// How many manifests are read at once: each may bring its bytes.
const MANIFESTS_AT_ONCE: usize = 100;

/// A tag was moved or deleted.
#[derive(Clone, Debug, PartialEq)]
pub struct TagMove {
    /// Its place in the history: of one tag, later moves have greater ids.
    pub id: String,
    /// The tag.
    pub tag: Tag,
    /// What it pointed to before and after, when it was moved, and by whom.
    pub record: HistoryRecord,
    /// Whether what it pointed to before is still there.
    pub can_be_restored: bool,
}

impl Registry {
    /// Lists up to `limit` moves of the tag, or of all tags, from before the move `before`: of each tag, the latest first.
    pub(crate) async fn tag_history(
        &self,
        repository: &RepositoryName,
        tag: Option<&Tag>,
        limit: usize,
        before: Option<&str>,
    ) -> Result<Vec<TagMove>, Error> {
        let after = before.map(str::to_owned);
        let mut moves = self.tag_moves(Query { limit, after, ..moves_of(repository, tag) }).await?;
        let left: BTreeSet<_> = moves.iter().map(|entry| entry.record.before.digest.clone()).collect();
        let there = self.manifests_there(repository, left).await?;
        for entry in &mut moves {
            entry.can_be_restored = there.contains(&entry.record.before.digest);
        }
        Ok(moves)
    }

    /// Lists the same without a look at the manifests.
    async fn tag_moves(&self, query: Query) -> Result<Vec<TagMove>, Error> {
        let items = self.stores.items.query(query).await?;
        Ok(items.into_iter().filter_map(tag_move).collect())
    }

    /// Returns which of the manifests can be pulled.
    async fn manifests_there(
        &self,
        repository: &RepositoryName,
        wanted: BTreeSet<Digest>,
    ) -> Result<BTreeSet<Digest>, Error> {
        let wanted: Vec<_> = wanted.into_iter().collect();
        let mut there = BTreeSet::new();
        for digests in wanted.chunks(MANIFESTS_AT_ONCE) {
            let keys: Vec<_> = digests.iter().map(|digest| keys::manifest(repository, digest)).collect();
            let items = self.stores.items.get(&keys).await?;
            let is_visible =
                |item: &Item| item.record.as_manifest().is_some_and(|record| record.state.is_visible());
            let visible = digests.iter().zip(items).filter(|(_, item)| item.as_ref().is_some_and(is_visible));
            there.extend(visible.map(|(digest, _)| digest.clone()));
        }
        Ok(there)
    }

    /// Puts the tag back to where it pointed before its last move, or to this manifest of its history.
    ///
    /// It is a push like any other: it takes its place in the history, and an immutable tag stays where it is. But no
    /// repository begins with it.
    pub(crate) async fn tag_restore(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        tag: &Tag,
        digest: Option<&Digest>,
        trace: impl FnOnce(&Digest) -> Option<Write>,
    ) -> Result<Digest, Error> {
        let query = Query { limit: MOVES_MAX, ..moves_of(repository, Some(tag)) };
        let moves = self.tag_moves(query).await?;
        let mut left = moves.into_iter().map(|entry| entry.record.before.digest);
        let found = left.find(|left| digest.is_none_or(|digest| left == digest));
        let Some(digest) = found else { return self.tag_without_move(repository, tag, digest).await };
        let stored = self.manifest_get(repository, &Reference::Digest(digest.clone())).await?;
        let bytes = self.manifest_read(&stored).await?;
        let manifest = Manifest::read(&bytes, Some(stored.media_type()))?;
        let put = ManifestPut {
            repository,
            principal,
            digest: digest.clone(),
            manifest,
            bytes,
            tags: vec![tag.clone()],
            beginner: &Nobody,
            trace: trace(&digest),
        };
        self.manifest_put(&put).await?;
        Ok(digest)
    }

    /// Says of a tag that has no such move what is the case. One that points there already is put back, too: nothing is
    /// left to do, as when what succeeded is repeated.
    async fn tag_without_move(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        digest: Option<&Digest>,
    ) -> Result<Digest, Error> {
        let found =
            self.stores.items.get(&[keys::tag(repository, tag), keys::repository(repository)]).await?;
        let [item, repository_item] = <[_; 2]>::try_from(found).unwrap_or_default();
        refuse_ending(repository, repository_item.as_ref())?;
        let current = item.as_ref().and_then(|item| item.record.as_tag()).map(|record| &record.digest);
        match digest {
            Some(digest) if current == Some(digest) => Ok(digest.clone()),
            _ if repository_item.is_none() => Err(Error::RepositoryUnknown(repository.clone())),
            _ => Err(Error::TagMoveUnknown {
                repository: repository.clone(),
                tag: tag.clone(),
                digest: digest.cloned(),
            }),
        }
    }
}

/// The walk over the moves of the tag, or of all tags: of each tag, the latest first.
fn moves_of(repository: &RepositoryName, tag: Option<&Tag>) -> Query {
    Query {
        pk: keys::history_partition(repository),
        prefix: tag.map(keys::history_of).unwrap_or_default(),
        direction: Direction::Descending,
        ..Query::default()
    }
}

fn tag_move(item: Item) -> Option<TagMove> {
    let tag = item.key.sk.split_once('#')?.0.parse().ok()?;
    let Record::History(record) = item.record else { return None };
    Some(TagMove { id: item.key.sk, tag, record, can_be_restored: false })
}
