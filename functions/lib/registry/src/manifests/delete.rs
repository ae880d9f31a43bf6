//! Deleting a manifest with its tags: flag, look, decide (rule R3).
//!
//! What is decided is carried out in `removal`.

use oci::{Digest, Reference, RepositoryName, Tag};

use crate::manifests::edges::{end_of_page, has_left};
use crate::manifests::manifest_unknown;
use crate::manifests::suspects::manifest_suspect;
use crate::ports::{Condition, Conflict, Item, Key, Write};
use crate::records::keys::{self, EdgeSource};
use crate::records::{ImmutableTags, ManifestRecord, ManifestState, Record};
use crate::registry::ATTEMPTS;
use crate::{Error, Principal, Registry};

/// A deletion under way.
pub(crate) struct Deletion<'a> {
    pub(crate) repository: &'a RepositoryName,
    /// Who wants it, or has decided it before.
    pub(crate) principal: Principal,
    pub(crate) digest: &'a Digest,
    /// The manifest, flagged.
    pub(crate) item: Item,
    /// What the item says.
    pub(crate) record: ManifestRecord,
    /// Which tags of the repository have to stay.
    pub(crate) immutable_tags: ImmutableTags,
    /// Where the review queue watches over the deletion.
    pub(crate) watch: Option<Key>,
    /// Whether the whole repository goes, so that nothing in it keeps the manifest.
    pub(crate) must_go: bool,
    /// What has to be true when it is decided that it goes.
    pub(crate) only_while: Option<Write>,
}

/// A manifest that somebody wants to delete: flagged, or decided on before.
pub(crate) struct Flagged {
    /// The manifest, as it is stored.
    pub(super) item: Item,
    /// What the item says.
    pub(super) record: ManifestRecord,
    /// Which tags of the repository have to stay.
    pub(super) immutable_tags: ImmutableTags,
    /// Where the review queue watches over its deletion.
    pub(super) watch: Option<Key>,
}

impl Flagged {
    pub(crate) fn deletion<'a>(
        self,
        repository: &'a RepositoryName,
        principal: &Principal,
        digest: &'a Digest,
    ) -> Deletion<'a> {
        let Self { item, record, immutable_tags, watch } = self;
        let principal = record.deleted_by.as_deref().map_or_else(|| principal.clone(), Principal::new);
        Deletion {
            repository,
            principal,
            digest,
            item,
            record,
            immutable_tags,
            watch,
            must_go: false,
            only_while: None,
        }
    }
}

impl Deletion<'_> {
    fn unchanged(&self) -> Condition {
        Condition::Version(self.item.version.clone())
    }

    /// The check that the manifest is as this deletion left it.
    pub(crate) fn guard(&self) -> Write {
        Write::Check(self.item.key.clone(), self.unchanged())
    }

    /// The end of the manifest, if it is as this deletion left it.
    pub(crate) fn end(&self) -> Write {
        Write::Delete(self.item.key.clone(), self.unchanged())
    }

    /// What decides that it goes: the manifest as it is from then on, and what has to be true.
    pub(crate) fn decision(&self, decided: &Item) -> Vec<Write> {
        let decided = Write::Put(decided.clone(), self.unchanged());
        [decided].into_iter().chain(self.only_while.clone()).collect()
    }

    fn rests_on(&self, key: &Key) -> bool {
        self.only_while.as_ref().is_some_and(|check| check.key() == key)
    }

    /// Returns why the manifest has to stay, if it does for this edge.
    fn refusal(&self, edge: &Item) -> Option<Error> {
        let of_index = |index| Error::ManifestReferenced { digest: self.digest.clone(), index };
        let of_tag = |tag| Error::tag_immutable(self.repository, &tag);
        referring_index(edge).map(of_index).or_else(|| self.immutable_tag(edge).map(of_tag))
    }

    /// Returns the tag that the edge is from, if it has to stay.
    fn immutable_tag(&self, edge: &Item) -> Option<Tag> {
        match keys::parse_edge(&edge.key.sk)? {
            (_, EdgeSource::Tag(tag)) if !has_left(edge) && self.immutable_tags.covers(&tag) => Some(tag),
            _ => None,
        }
    }
}

impl Registry {
    /// Deletes the manifest and every tag that points to it, unless an index of the repository needs it.
    ///
    /// Flag, look, decide (rule R3): the flag hides nothing, and a push that comes meanwhile takes it off. Nothing is taken
    /// away before it is decided, and nothing refuses after that. The manifest is there until its tags are gone. While a
    /// whole repository goes, as `ending` checks, indexes need nothing.
    pub(crate) async fn manifest_delete(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        digest: &Digest,
        ending: Option<&Write>,
    ) -> Result<(), Error> {
        let (mut was_there, mut is_decided) = (false, false);
        for _ in 0..ATTEMPTS {
            let flagged = match is_decided {
                true => self.manifest_resume(repository, digest).await?,
                false => self.manifest_flag(repository, digest, ending).await?,
            };
            let Some(flagged) = flagged else {
                // Somebody else has ended it, or pushes it anew.
                let unknown = || manifest_unknown(repository, &Reference::Digest(digest.clone()));
                return if was_there { Ok(()) } else { Err(unknown()) };
            };
            was_there = true;
            let mut deletion = flagged.deletion(repository, principal, digest);
            deletion.must_go = ending.is_some();
            let is_deleted = self.manifest_delete_flagged(&mut deletion).await;
            self.manifest_cache.remove(repository, digest);
            if is_deleted? {
                return Ok(());
            }
            is_decided = deletion.record.state.is_decided();
        }
        Err(Error::Contended)
    }

    /// Returns `false` if somebody took the flag off (a push of the manifest, or of an index that needs it), if somebody else
    /// went on with what is decided, or if what the deletion rests on is not true any more.
    pub(crate) async fn manifest_delete_flagged(&self, deletion: &mut Deletion<'_>) -> Result<bool, Error> {
        let (mut conflicts_left, mut last) = (ATTEMPTS, None);
        // What is half removed already cannot come back; an index that wants it now finds it gone.
        let mut may_stay = deletion.record.state.may_stay() && !deletion.must_go;
        while conflicts_left > 0 {
            let edges = self.edges_to(deletion.repository, deletion.digest, None).await?;
            let seen = Some((edges.len(), end_of_page(&edges)));
            if deletion.record.state.is_decided() && seen != last {
                // Others who end it were in the way, and there is less left to do.
                conflicts_left = ATTEMPTS;
            }
            last = seen;
            if may_stay && let Some(refusal) = self.manifest_refusal(deletion, &edges).await? {
                self.manifest_unflag(deletion).await?;
                return Err(refusal);
            }
            // An edge that comes after the look takes the flag off.
            may_stay = false;
            let tags: Vec<Vec<Write>> = edges.iter().map(|edge| self.tag_removal(deletion, edge)).collect();
            let has_tags = tags.iter().any(|writes| !writes.is_empty());
            let is_last_page = end_of_page(&edges).is_none();
            let conflict = match is_last_page {
                true => self.manifest_end(deletion, tags).await?,
                false => self.tags_end(deletion, tags).await?,
            };
            match conflict {
                Some(conflict) if conflict.key == deletion.item.key => return Ok(false),
                Some(conflict) if deletion.rests_on(&conflict.key) => {
                    self.manifest_unflag(deletion).await?;
                    return Ok(false);
                }
                Some(conflict) => {
                    let is_mended = self.edge_mend(deletion, &edges, &conflict).await?;
                    conflicts_left -= usize::from(!is_mended);
                }
                None if is_last_page => return Ok(true),
                None => conflicts_left -= usize::from(!has_tags),
            }
        }
        Err(Error::Contended)
    }

    /// Flags the manifest, or goes on with a deletion that is decided; `None` if there is none.
    ///
    /// The queue watches over it, in case this one does not end either. With `ending` it is flagged only while that holds.
    pub(crate) async fn manifest_flag(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        ending: Option<&Write>,
    ) -> Result<Option<Flagged>, Error> {
        for _ in 0..ATTEMPTS {
            let Some(seen) = self.manifest_seen(repository, digest).await? else { return Ok(None) };
            if !seen.record.state.may_stay() {
                return Ok(Some(seen).filter(|seen| seen.record.state.is_decided()));
            }
            let record = ManifestRecord { state: ManifestState::Dying, ..seen.record.clone() };
            let item = self.manifest_item(&seen.item, &record);
            let unchanged = Condition::Version(seen.item.version.clone());
            let suspect = self.suspect(manifest_suspect(repository, digest), self.lifetimes.lease);
            let watch = Some(suspect.key().clone());
            let mut writes = vec![Write::Put(item.clone(), unchanged), suspect];
            writes.extend(ending.cloned());
            match self.transact(writes).await? {
                None => return Ok(Some(Flagged { item, record, watch, ..seen })),
                Some(conflict) if ending.is_some_and(|ending| *ending.key() == conflict.key) => {
                    return Err(Error::RepositoryUnknown(repository.clone()));
                }
                Some(_) => {}
            }
        }
        Err(Error::Contended)
    }

    /// Goes on with a deletion that is decided, as others may do at the same time; `None` if there is none.
    ///
    /// The queue has watched over it since it was flagged.
    pub(crate) async fn manifest_resume(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<Flagged>, Error> {
        let seen = self.manifest_seen(repository, digest).await?;
        Ok(seen.filter(|seen| seen.record.state.is_decided()))
    }

    async fn manifest_seen(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<Flagged>, Error> {
        let keys = [keys::manifest(repository, digest), keys::repository(repository)];
        let found = self.stores.items.get(&keys).await?;
        let [seen, repository_item] = <[_; 2]>::try_from(found).unwrap_or_default();
        Ok(seen.and_then(|item| {
            let record = item.record.as_manifest()?.clone();
            let immutable_tags = ImmutableTags::of(repository_item.as_ref());
            Some(Flagged { item, record, immutable_tags, watch: None })
        }))
    }

    /// Takes the flag off again; whoever changed the manifest meanwhile has done so already.
    pub(crate) async fn manifest_unflag(&self, deletion: &Deletion<'_>) -> Result<(), Error> {
        let watch = deletion.watch.iter().map(|watch| Write::Delete(watch.clone(), Condition::Always));
        let revival = self.manifest_revival(&deletion.item, &deletion.record);
        self.transact([revival].into_iter().chain(watch).collect()).await.map(drop)
    }

    pub(crate) fn manifest_item(&self, seen: &Item, record: &ManifestRecord) -> Item {
        Item {
            key: seen.key.clone(),
            version: self.fresh_version(),
            record: Record::Manifest(record.clone()),
        }
    }

    /// Looks at all edges, of which the first are known, before any is taken away.
    async fn manifest_refusal(
        &self,
        deletion: &Deletion<'_>,
        first: &[Item],
    ) -> Result<Option<Error>, Error> {
        let refusal = |edge: &Item| deletion.refusal(edge);
        match (first.iter().find_map(refusal), end_of_page(first)) {
            (None, Some(after)) => {
                self.edges_find(deletion.repository, deletion.digest, Some(after), refusal).await
            }
            (refusal, _) => Ok(refusal),
        }
    }

    /// A tag that is not as its edge says was moved or is gone: the edge alone goes, unless it is written anew. If the tag
    /// leads here all the same, as when a repair wrote one of both alone, they are made one again.
    ///
    /// Returns whether that was done.
    async fn edge_mend(
        &self,
        deletion: &Deletion<'_>,
        edges: &[Item],
        conflict: &Conflict,
    ) -> Result<bool, Error> {
        let is_of_tag = |edge: &&Item| match keys::parse_edge(&edge.key.sk) {
            Some((_, EdgeSource::Tag(tag))) => keys::tag(deletion.repository, &tag) == conflict.key,
            _ => false,
        };
        let Some(edge) = edges.iter().find(is_of_tag) else { return Ok(false) };
        let leads_here =
            |tag: &&Item| tag.record.as_tag().is_some_and(|record| record.digest == *deletion.digest);
        let unchanged = Condition::Version(edge.version.clone());
        let mend = match conflict.found.as_ref().filter(leads_here) {
            Some(tag) => Write::Put(Item { version: tag.version.clone(), ..edge.clone() }, unchanged),
            None => Write::Delete(edge.key.clone(), unchanged),
        };
        Ok(self.transact_while_flagged(deletion, &[mend]).await?.is_none())
    }
}

fn referring_index(edge: &Item) -> Option<Digest> {
    match keys::parse_edge(&edge.key.sk) {
        Some((_, EdgeSource::Manifest(index))) => Some(index),
        _ => None,
    }
}
