//! Manifests: those whose push or deletion did not end, and by policy those without a tag.

use oci::{Digest, RepositoryName};

use super::fate::{Ending, Fate};
use super::queue::{Place, Visit, name};
use super::{Collector, Kind, Report, answers};
use crate::Error;
use crate::manifests::collect::Grounds;
use crate::manifests::edges::has_left;
use crate::ports::{Condition, Item, Query, Timestamp, Write};
use crate::records::{ManifestRecord, ManifestState, SuspectRecord, keys};

/// How many referrers are read at once.
const PAGE: usize = 1000;

/// What leads to a manifest.
#[derive(Default)]
struct Edges {
    /// A tag or an index does.
    is_held: bool,
    /// Tags that did, and when they left.
    left: Vec<(Item, Timestamp)>,
}

impl Collector {
    pub(super) async fn manifests(
        &self,
        visits: Vec<Visit<Place>>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let key = |(repository, digest): &Place| keys::manifest(repository, digest);
        let found = self.read(Kind::Manifest, visits, key, name, report).await?;
        let questions: Vec<_> =
            found.iter().map(|(visit, item)| self.manifest_fate(&visit.what, item.as_ref())).collect();
        let answers = answers(questions).await?;
        let fates = found.into_iter().map(|(visit, _)| visit).zip(answers).collect();
        self.settle(Kind::Manifest, fates, name, report).await
    }

    async fn manifest_fate(&self, place: &Place, item: Option<&Item>) -> Result<Fate, Error> {
        Fate::or_failed(self.manifest_state_fate(place, item).await)
    }

    async fn manifest_state_fate(
        &self,
        (repository, digest): &Place,
        item: Option<&Item>,
    ) -> Result<Fate, Error> {
        let seen = item.and_then(|item| Some((item, item.record.as_manifest()?)));
        let Some((item, record)) = seen else {
            let has_followers = self.referrers_suspect(repository, digest).await?;
            return Ok(Fate::Ended(Ending { has_followers, ..Ending::default() }));
        };
        match record.state {
            ManifestState::Pending => self.manifest_pending_fate(repository, digest, item, record).await,
            ManifestState::Doomed | ManifestState::Deleting => {
                let collected = self.registry.manifest_deletion_end(repository, digest).await?;
                self.ended(collected, (repository, digest), "its deletion did not end", record).await
            }
            ManifestState::Live => self.manifest_visible_fate(repository, digest, record).await,
            ManifestState::Dying => {
                let fate = self.manifest_visible_fate(repository, digest, record).await?;
                if !matches!(fate, Fate::Needed | Fate::Later(_)) {
                    return Ok(fate);
                }
                let revival = vec![self.registry.manifest_revival(item, record)];
                // Perhaps it is decided meanwhile that it goes, and nobody else watches over that.
                Ok(self.registry.transact(revival).await?.map_or(fate, |_| Fate::Contended))
            }
        }
    }

    async fn manifest_pending_fate(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        item: &Item,
        record: &ManifestRecord,
    ) -> Result<Fate, Error> {
        let stale = record.pushed.after(self.registry.lifetimes.lease);
        if stale > self.registry.now() {
            return Ok(Fate::Later(stale));
        }
        let collected = self
            .registry
            .manifest_pending_collect(repository, &self.principal, digest, item, record, None)
            .await?;
        self.ended(collected, (repository, digest), "its push did not end", record).await
    }

    /// A tag or an index keeps it, and so does the history of a tag; after that the policy decides.
    async fn manifest_visible_fate(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        record: &ManifestRecord,
    ) -> Result<Fate, Error> {
        let (edges, now) = (self.edges(repository, digest).await?, self.registry.now());
        let last_left = edges.left.iter().map(|(_, left)| *left).max();
        if let Some(history_ends) =
            last_left.map(|left| left.after(self.policy.history)).filter(|end| *end > now)
        {
            return Ok(Fate::Later(history_ends));
        }
        if let Some(untagged) = self.policy.untagged.filter(|_| !edges.is_held) {
            let due = last_left.unwrap_or_default().max(record.pushed).after(untagged);
            if due > now {
                return Ok(Fate::Later(due));
            }
            let subject = self.subject(repository, record).await?;
            if !subject.as_ref().is_some_and(can_be_pulled) {
                return self.manifest_untagged_fate(repository, digest, record, subject.as_ref()).await;
            }
        }
        let ended = edges.left.into_iter();
        let ended = ended.map(|(edge, _)| vec![Write::Delete(edge.key, Condition::Version(edge.version))]);
        self.batch(ended.collect()).await?;
        Ok(Fate::Needed)
    }

    async fn manifest_untagged_fate(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        record: &ManifestRecord,
        subject: Option<&Item>,
    ) -> Result<Fate, Error> {
        let now = self.registry.now();
        let needs = |edge: &Item| match edge.record.as_edge().and_then(|edge| edge.left) {
            Some(left) => left.after(self.policy.history) > now,
            None => true,
        };
        // A push of the subject writes nothing here: it is either seen, or comes after it is decided that the manifest goes.
        let only_while = record
            .subject
            .as_ref()
            .map(|digest| Write::Check(keys::manifest(repository, digest), Condition::unchanged(subject)));
        let grounds = Grounds { pushed: record.pushed, needs: &needs, only_while };
        let collected = self.registry.manifest_collect(repository, &self.principal, digest, &grounds).await?;
        self.ended(collected, (repository, digest), "no tag and no index leads to it", record).await
    }

    async fn edges(&self, repository: &RepositoryName, digest: &Digest) -> Result<Edges, Error> {
        let mut edges = Edges::default();
        let note = |edge: &Item| -> Option<()> {
            edges.is_held |= !has_left(edge);
            let left = edge.record.as_edge()?.left?;
            edges.left.push((edge.clone(), left));
            None
        };
        self.registry.edges_find(repository, digest, None, note).await?;
        Ok(edges)
    }

    /// Reads the subject of the manifest, if it has one.
    async fn subject(
        &self,
        repository: &RepositoryName,
        record: &ManifestRecord,
    ) -> Result<Option<Item>, Error> {
        match &record.subject {
            Some(digest) => self.registry.get(keys::manifest(repository, digest)).await,
            None => Ok(None),
        }
    }

    /// The suspect goes with the manifest, and nobody else looks at what had it as its subject.
    async fn ended(
        &self,
        is_gone: bool,
        (repository, digest): (&RepositoryName, &Digest),
        why: &'static str,
        record: &ManifestRecord,
    ) -> Result<Fate, Error> {
        if !is_gone {
            return Ok(Fate::Contended);
        }
        self.referrers_suspect(repository, digest).await?;
        let size_bytes = record.size_bytes;
        Ok(Fate::Ended(Ending { why: Some(why), size_bytes, has_followers: true, ..Ending::default() }))
    }

    /// What had the manifest as its subject may be needed no more than it was. Returns whether there is any.
    async fn referrers_suspect(&self, repository: &RepositoryName, subject: &Digest) -> Result<bool, Error> {
        if self.policy.untagged.is_none() {
            return Ok(false);
        }
        let (mut after, mut has_followers) = (None, false);
        loop {
            let pk = keys::referrer_partition(repository, subject);
            let page = Query { pk, after, limit: PAGE, ..Query::default() };
            let items = self.registry.stores.items.query(page).await?;
            let suspects = items.iter().filter_map(|item| {
                let digest = item.record.as_referrer()?.descriptor.digest.clone();
                let suspect = SuspectRecord::Manifest { repository: repository.clone(), digest };
                Some(vec![self.registry.suspect(suspect, std::time::Duration::ZERO)])
            });
            self.batch(suspects.collect()).await?;
            has_followers |= !items.is_empty();
            match items.last().filter(|_| items.len() == PAGE) {
                Some(last) => after = Some(last.key.sk.clone()),
                None => return Ok(has_followers),
            }
        }
    }
}

fn can_be_pulled(item: &Item) -> bool {
    item.record.as_manifest().is_some_and(|manifest| manifest.state.is_visible())
}
