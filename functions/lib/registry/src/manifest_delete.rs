//! Deleting: a tag alone, or a manifest with its tags.

use std::time::Duration;

use oci::{Digest, Manifest, Reference, RepositoryName, Tag};

use crate::manifest_put::target_suspect;
use crate::manifests::manifest_unknown;
use crate::packing::{fits, pack, split};
use crate::ports::{Condition, Conflict, Item, Key, Query, Write};
use crate::records::keys::{self, EdgeSource};
use crate::records::{
    EventAction, EventRecord, ImmutableTags, ManifestBody, ManifestRecord, ManifestState, Record,
    SuspectRecord, TagRecord,
};
use crate::registry::ATTEMPTS;
use crate::{Error, Principal, Registry};

/// How many edges to a manifest are read at once.
const EDGES_PER_PAGE: usize = 1000;

/// A deletion under way.
struct Deletion<'a> {
    repository: &'a RepositoryName,
    principal: &'a Principal,
    digest: &'a Digest,
    /// The manifest, flagged.
    item: Item,
    /// What the item says.
    record: ManifestRecord,
    /// Which tags of the repository have to stay.
    immutable_tags: ImmutableTags,
    /// Where the review queue watches over the deletion.
    watch: Option<Key>,
}

/// A manifest that was flagged.
struct Flagged {
    item: Item,
    record: ManifestRecord,
    immutable_tags: ImmutableTags,
    watch: Key,
}

impl Flagged {
    fn deletion<'a>(
        self,
        repository: &'a RepositoryName,
        principal: &'a Principal,
        digest: &'a Digest,
    ) -> Deletion<'a> {
        let Self { item, record, immutable_tags, watch } = self;
        Deletion { repository, principal, digest, item, record, immutable_tags, watch: Some(watch) }
    }
}

impl Deletion<'_> {
    /// The check that the manifest is as this deletion left it.
    fn guard(&self) -> Write {
        Write::Check(self.item.key.clone(), Condition::Version(self.item.version.clone()))
    }

    /// Returns the tag that the edge is from, if it has to stay.
    fn immutable_tag(&self, edge: &Item) -> Option<Tag> {
        match keys::parse_edge(&edge.key.sk)? {
            (_, EdgeSource::Tag(tag)) if !has_left(edge) && self.immutable_tags.covers(&tag) => Some(tag),
            _ => None,
        }
    }
}

/// Returns whether the edge is from a tag that went elsewhere.
pub(crate) fn has_left(edge: &Item) -> bool {
    edge.record.as_edge().is_some_and(|edge| edge.left.is_some())
}

fn immutable_tags(repository: Option<&Item>) -> ImmutableTags {
    let record = repository.and_then(|item| item.record.as_repository());
    record.map(|record| record.immutable_tags.clone()).unwrap_or_default()
}

fn tag_immutable(repository: &RepositoryName, tag: &Tag) -> Error {
    Error::TagImmutable { repository: repository.clone(), tag: tag.clone() }
}

impl Registry {
    /// Deletes the tag alone.
    pub(crate) async fn tag_delete(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        tag: &Tag,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let found =
                self.stores.items.get(&[keys::tag(repository, tag), keys::repository(repository)]).await?;
            let [item, repository_item] = <[_; 2]>::try_from(found).unwrap_or_default();
            let seen = item.as_ref().and_then(|item| Some((item, item.record.as_tag()?)));
            let unknown = || manifest_unknown(repository, &Reference::Tag(tag.clone()));
            let (item, record) = seen.ok_or_else(unknown)?;
            if immutable_tags(repository_item.as_ref()).covers(tag) {
                return Err(tag_immutable(repository, tag));
            }
            let mut writes = vec![Write::Delete(item.key.clone(), Condition::Version(item.version.clone()))];
            writes.extend(self.tag_left_writes(repository, tag, record, None, principal));
            writes.push(self.suspect(manifest_suspect(repository, &record.digest), Duration::ZERO));
            writes.push(self.event(tag_deleted(self, repository, principal, &record.digest, tag)));
            if self.transact(writes).await?.is_none() {
                return Ok(());
            }
        }
        Err(Error::Contended)
    }

    /// Deletes the manifest and every tag that points to it, unless an index of the repository needs it.
    ///
    /// Flag, look, decide (rule R3): the flag hides nothing, and a push that comes meanwhile takes it off. The
    /// manifest is there until its tags are gone.
    pub(crate) async fn manifest_delete(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        digest: &Digest,
    ) -> Result<(), Error> {
        let mut was_there = false;
        for _ in 0..ATTEMPTS {
            let Some(flagged) = self.manifest_flag(repository, digest).await? else {
                // Somebody else has ended it, or pushes it anew.
                let unknown = || manifest_unknown(repository, &Reference::Digest(digest.clone()));
                return if was_there { Ok(()) } else { Err(unknown()) };
            };
            was_there = true;
            let mut deletion = flagged.deletion(repository, principal, digest);
            let is_deleted = self.manifest_delete_flagged(&mut deletion).await;
            self.manifest_cache.remove(repository, digest);
            if is_deleted? {
                return Ok(());
            }
        }
        Err(Error::Contended)
    }

    /// Returns `false` if somebody took the flag off: a push of the manifest, or of an index that needs it.
    async fn manifest_delete_flagged(&self, deletion: &mut Deletion<'_>) -> Result<bool, Error> {
        let mut conflicts_left = ATTEMPTS;
        while conflicts_left > 0 {
            let edges = self.edges_to(deletion).await?;
            // What is half removed already cannot come back; an index that wants it now finds it gone.
            let may_stay = deletion.record.state == ManifestState::Dying;
            if let Some(index) = edges.iter().find_map(referring_index).filter(|_| may_stay) {
                self.manifest_unflag(deletion).await?;
                return Err(Error::ManifestReferenced { digest: deletion.digest.clone(), index });
            }
            if let Some(tag) = edges.iter().find_map(|edge| deletion.immutable_tag(edge)).filter(|_| may_stay)
            {
                self.manifest_unflag(deletion).await?;
                return Err(tag_immutable(deletion.repository, &tag));
            }
            let tags: Vec<Vec<Write>> = edges.iter().map(|edge| self.tag_removal(deletion, edge)).collect();
            let is_last_page = edges.len() < EDGES_PER_PAGE;
            let conflict = match is_last_page {
                true => self.manifest_end(deletion, tags).await?,
                false => self.tags_remove(deletion, tags).await?,
            };
            match conflict {
                Some(conflict) if conflict.key == deletion.item.key => return Ok(false),
                Some(conflict) => {
                    self.stale_edge_delete(deletion, &edges, &conflict).await?;
                    conflicts_left -= 1;
                }
                None if is_last_page => return Ok(true),
                None => {}
            }
        }
        Err(Error::Contended)
    }

    /// Removes the manifest unless somebody needs it, as `needs` says of the edges that lead to it; without `needs` it
    /// goes only if it is half removed already, and nobody has pushed it anew since that was seen.
    ///
    /// Flag, look, decide: whoever refers to it, or tags it, after the look has taken the flag off. What was half removed
    /// already is removed in any case. Returns whether it is gone.
    pub(crate) async fn manifest_collect(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        digest: &Digest,
        needs: Option<&(dyn Fn(&Item) -> bool + Sync)>,
    ) -> Result<bool, Error> {
        let Some(flagged) = self.manifest_flag(repository, digest).await? else { return Ok(false) };
        let mut deletion = flagged.deletion(repository, principal, digest);
        let may_stay = deletion.record.state == ManifestState::Dying;
        let is_needed = match needs {
            Some(needs) => may_stay && self.edges_to(&deletion).await?.iter().any(needs),
            None => may_stay,
        };
        if is_needed {
            self.manifest_unflag(&deletion).await?;
            return Ok(false);
        }
        self.manifest_end_of(&mut deletion).await
    }

    /// Ends a push that never did: nobody has seen its manifest, and from here on it cannot be committed.
    pub(crate) async fn manifest_pending_collect(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        digest: &Digest,
        seen: &Item,
        record: &ManifestRecord,
    ) -> Result<bool, Error> {
        let record = ManifestRecord { state: ManifestState::Deleting, ..record.clone() };
        let item = self.manifest_item(seen, &record);
        let unchanged = Condition::Version(seen.version.clone());
        if self.transact(vec![Write::Put(item.clone(), unchanged)]).await?.is_some() {
            return Ok(false);
        }
        let immutable_tags = ImmutableTags::default();
        let mut deletion =
            Deletion { repository, principal, digest, item, record, immutable_tags, watch: None };
        self.manifest_end_of(&mut deletion).await
    }

    async fn manifest_end_of(&self, deletion: &mut Deletion<'_>) -> Result<bool, Error> {
        let is_deleted = self.manifest_delete_flagged(deletion).await;
        self.manifest_cache.remove(deletion.repository, deletion.digest);
        match is_deleted {
            Err(Error::ManifestReferenced { .. } | Error::TagImmutable { .. }) => Ok(false),
            is_deleted => is_deleted,
        }
    }

    /// Flags the manifest, or goes on with a deletion that did not end; `None` if there is none.
    ///
    /// The queue watches over it, in case this one does not end either.
    async fn manifest_flag(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<Flagged>, Error> {
        for _ in 0..ATTEMPTS {
            let keys = [keys::manifest(repository, digest), keys::repository(repository)];
            let found = self.stores.items.get(&keys).await?;
            let [seen, repository_item] = <[_; 2]>::try_from(found).unwrap_or_default();
            let Some(seen) = seen else { return Ok(None) };
            let Some(record) = seen.record.as_manifest().cloned() else { return Ok(None) };
            let state = match record.state {
                ManifestState::Pending => return Ok(None),
                ManifestState::Live | ManifestState::Dying => ManifestState::Dying,
                ManifestState::Deleting => ManifestState::Deleting,
            };
            let record = ManifestRecord { state, ..record };
            let item = self.manifest_item(&seen, &record);
            let unchanged = Condition::Version(seen.version);
            let suspect = self.suspect(manifest_suspect(repository, digest), self.lifetimes.lease);
            let watch = suspect.key().clone();
            if self.transact(vec![Write::Put(item.clone(), unchanged), suspect]).await?.is_none() {
                let immutable_tags = immutable_tags(repository_item.as_ref());
                return Ok(Some(Flagged { item, record, immutable_tags, watch }));
            }
        }
        Err(Error::Contended)
    }

    /// Takes the flag off again; whoever changed the manifest meanwhile has done so already.
    async fn manifest_unflag(&self, deletion: &Deletion<'_>) -> Result<(), Error> {
        let watch = deletion.watch.iter().map(|watch| Write::Delete(watch.clone(), Condition::Always));
        let revival = self.manifest_revival(&deletion.item, &deletion.record);
        self.transact([revival].into_iter().chain(watch).collect()).await.map(drop)
    }

    fn manifest_item(&self, seen: &Item, record: &ManifestRecord) -> Item {
        Item {
            key: seen.key.clone(),
            version: self.fresh_version(),
            record: Record::Manifest(record.clone()),
        }
    }

    /// Reads the first page of edges to the manifest; those from manifests sort before those from tags.
    async fn edges_to(&self, deletion: &Deletion<'_>) -> Result<Vec<Item>, Error> {
        let query = Query {
            pk: keys::edge_partition(deletion.repository),
            prefix: keys::edges_to(deletion.digest),
            limit: EDGES_PER_PAGE,
            ..Query::default()
        };
        Ok(self.stores.items.query(query).await?)
    }

    /// Deletes the tag at the other end of the edge. Tag and edge were written together, so they have one version.
    fn tag_removal(&self, deletion: &Deletion<'_>, edge: &Item) -> Vec<Write> {
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

    /// Removes the manifest and its edges; what these led to is looked at by the collector.
    async fn manifest_removal(&self, deletion: &Deletion<'_>) -> Result<Vec<Write>, Error> {
        let Deletion { repository, digest, record, .. } = deletion;
        let bytes = self.manifest_bytes(record).await?;
        let manifest = Manifest::parse(&bytes, Some(&record.media_type))
            .map_err(|error| Error::Damaged(format!("manifest {digest}: {error}")))?;
        let mut writes = Vec::new();
        for target in &manifest.references {
            let edge = keys::edge_from_manifest(repository, &target.digest, digest);
            writes.push(Write::Delete(edge, Condition::Always));
            writes.push(self.suspect(target_suspect(repository, target), Duration::ZERO));
        }
        if let Some(subject) = &manifest.subject {
            let artifact_type = manifest.artifact_type.as_deref().unwrap_or_default();
            let referrer = keys::referrer(repository, &subject.digest, artifact_type, digest);
            writes.push(Write::Delete(referrer, Condition::Always));
        }
        if let ManifestBody::Object(object) = &record.body {
            let (repository, digest) = ((*repository).clone(), (*digest).clone());
            let suspect = SuspectRecord::ManifestObject { repository, digest, object: object.clone() };
            writes.push(self.suspect(suspect, self.lifetimes.object));
        }
        writes.push(self.event(EventRecord {
            action: EventAction::ManifestDeleted,
            repository: (*repository).clone(),
            digest: (*digest).clone(),
            tags: Vec::new(),
            at: self.now(),
            by: deletion.principal.as_str().to_owned(),
        }));
        Ok(writes)
    }

    /// Removes the last tags and the manifest: at once if it fits, otherwise the tags first.
    async fn manifest_end(
        &self,
        deletion: &mut Deletion<'_>,
        tags: Vec<Vec<Write>>,
    ) -> Result<Option<Conflict>, Error> {
        let removal = match self.manifest_removal(deletion).await {
            Err(error @ Error::Damaged(_)) => {
                return self.manifest_changed(deletion).await?.ok_or(error).map(Some);
            }
            removal => removal?,
        };
        let end = |item: &Item| Write::Delete(item.key.clone(), Condition::Version(item.version.clone()));
        let rest = [removal.as_slice(), &[end(&deletion.item)]].concat();
        let whole = [tags.concat(), rest.clone()].concat();
        if fits(&whole) {
            return self.transact(whole).await;
        }
        if let Some(conflict) = self.tags_remove(deletion, tags).await? {
            return Ok(Some(conflict));
        }
        if fits(&rest) {
            return self.transact(rest).await;
        }
        // Its edges go before it does, so it must not be seen any more.
        deletion.record.state = ManifestState::Deleting;
        let hidden = self.manifest_item(&deletion.item, &deletion.record);
        let flagged = Condition::Version(deletion.item.version.clone());
        if let Some(conflict) = self.transact(vec![Write::Put(hidden.clone(), flagged)]).await? {
            return Ok(Some(conflict));
        }
        deletion.item = hidden;
        match self.transact_while_flagged(deletion, &removal).await? {
            None => self.transact(vec![end(&deletion.item)]).await,
            conflict => Ok(conflict),
        }
    }

    /// Returns how the manifest is, if it is not as this deletion left it: what is gone has no bytes either.
    async fn manifest_changed(&self, deletion: &Deletion<'_>) -> Result<Option<Conflict>, Error> {
        let Item { key, version, .. } = &deletion.item;
        let found = self.get(key.clone()).await?;
        let is_as_left = found.as_ref().is_some_and(|item| item.version == *version);
        Ok((!is_as_left).then(|| Conflict { key: key.clone(), found }))
    }

    /// Removes tags, each of them whole in one transaction.
    async fn tags_remove(
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

    /// A tag that is not as its edge says was moved or is gone: the edge alone goes, unless it is written anew.
    async fn stale_edge_delete(
        &self,
        deletion: &Deletion<'_>,
        edges: &[Item],
        conflict: &Conflict,
    ) -> Result<(), Error> {
        let is_of_tag = |edge: &&Item| match keys::parse_edge(&edge.key.sk) {
            Some((_, EdgeSource::Tag(tag))) => keys::tag(deletion.repository, &tag) == conflict.key,
            _ => false,
        };
        if let Some(edge) = edges.iter().find(is_of_tag) {
            let unchanged = Condition::Version(edge.version.clone());
            self.transact_while_flagged(deletion, &[Write::Delete(edge.key.clone(), unchanged)]).await?;
        }
        Ok(())
    }

    /// Writes in as many transactions as it takes, each only while the manifest is as this deletion left it.
    async fn transact_while_flagged(
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

fn referring_index(edge: &Item) -> Option<Digest> {
    match keys::parse_edge(&edge.key.sk) {
        Some((_, EdgeSource::Manifest(index))) => Some(index),
        _ => None,
    }
}

fn manifest_suspect(repository: &RepositoryName, digest: &Digest) -> SuspectRecord {
    SuspectRecord::Manifest { repository: repository.clone(), digest: digest.clone() }
}

fn tag_deleted(
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
