//! The end of a repository: it is flagged, so that nothing begins in it any more; then it is emptied; then it is gone.
//!
//! A push looks at the flag after it has written its edges, and is refused. One that looked before there was a flag is
//! found here, unfinished, and ended first. From then on nothing becomes visible in the repository, so that the work
//! has an end, however many go on pushing. Every step rests on the repository as it was flagged: if somebody else has
//! ended it, and others have begun it anew, it is left alone. It may stop at any step, and goes on from there.

use oci::{Digest, RepositoryName};

use crate::manifests::edges::end_of_page;
use crate::ports::{Condition, Item, Query, Timestamp, Version, Write};
use crate::records::keys::{self, EdgeSource};
use crate::records::{ManifestState, SuspectRecord};
use crate::{Error, Principal, Registry};

/// How many manifests or blobs are read at once.
const ENTRIES_PER_PAGE: usize = 100;

/// How many links one transaction takes, at three writes each.
const LINKS_AT_ONCE: usize = 30;

/// How many lines of the tags' history one transaction takes.
const MOVES_AT_ONCE: usize = 90;

/// A repository that was flagged, by whom it is ended, and how long that may take.
pub(crate) struct Flagged<'a> {
    pub(crate) name: &'a RepositoryName,
    pub(crate) principal: &'a Principal,
    /// The version in which it was flagged.
    pub(crate) version: Version,
    pub(crate) until: Option<Timestamp>,
}

/// How far the end of a repository has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepositoryEnd {
    /// It is gone, with all that was in it.
    Gone,
    /// The time was up before; somebody has to go on.
    Begun,
}

/// Why there is no next step.
enum Stop {
    TimeIsUp,
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Flagged<'_> {
    /// That it is the flagged one still.
    fn guard(&self) -> Write {
        Write::Check(keys::repository(self.name), Condition::Version(self.version.clone()))
    }
}

impl Registry {
    /// Deletes everything in the repository, and then the repository; what `last` returns is written with its end. If
    /// somebody else ends it first, all is done, but for that.
    pub(crate) async fn repository_end(
        &self,
        flagged: &Flagged<'_>,
        last: impl FnOnce() -> Option<Write>,
    ) -> Result<RepositoryEnd, Error> {
        match self.repository_empty(flagged).await {
            Ok(()) => {}
            Err(Stop::TimeIsUp) => return Ok(RepositoryEnd::Begun),
            Err(Stop::Failed(Error::RepositoryUnknown(_))) => return Ok(RepositoryEnd::Gone),
            Err(Stop::Failed(error)) => return Err(error),
        }
        let Flagged { name, version, .. } = flagged;
        let mut writes = vec![
            Write::Delete(keys::repository(name), Condition::Version(version.clone())),
            Write::Delete(keys::catalog(name), Condition::Always),
        ];
        writes.extend(last());
        self.transact(writes).await?;
        Ok(RepositoryEnd::Gone)
    }

    fn go_on(&self, flagged: &Flagged<'_>) -> Result<(), Stop> {
        match flagged.until.is_some_and(|until| self.now() >= until) {
            true => Err(Stop::TimeIsUp),
            false => Ok(()),
        }
    }

    async fn repository_empty(&self, ending: &Flagged<'_>) -> Result<(), Stop> {
        self.pushes_end(ending).await?;
        while self.manifests_end(ending).await? {}
        self.links_end(ending).await?;
        self.history_end(ending).await
    }

    /// Ends every push that may have looked before there was a flag. Whoever comes later, or takes over what one of
    /// these has left, is refused.
    async fn pushes_end(&self, ending: &Flagged<'_>) -> Result<(), Stop> {
        let mut after = None;
        loop {
            let page = self.page_of(keys::manifest_partition(ending.name), after).await?;
            for item in &page {
                self.go_on(ending)?;
                let record =
                    item.record.as_manifest().filter(|record| record.state == ManifestState::Pending);
                if let Some((record, digest)) = record.zip(item.key.sk.parse().ok()) {
                    let Flagged { name, principal, .. } = ending;
                    let guard = ending.guard();
                    self.manifest_pending_collect(name, principal, &digest, item, record, Some(&guard))
                        .await?;
                }
            }
            after = last_of(&page);
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Deletes each manifest that no other one lists; returns whether there are more. Indexes go before what they list,
    /// so that nobody reads one without that.
    async fn manifests_end(&self, ending: &Flagged<'_>) -> Result<bool, Stop> {
        let (mut has_ended, mut is_left, mut after) = (false, false, None);
        loop {
            let page = self.page_of(keys::manifest_partition(ending.name), after).await?;
            let is_begun = |item: &&Item| {
                item.record.as_manifest().is_some_and(|record| record.state != ManifestState::Pending)
            };
            for digest in page.iter().filter(is_begun).filter_map(|item| item.key.sk.parse().ok()) {
                self.go_on(ending)?;
                if self.is_listed(ending.name, &digest).await? {
                    is_left = true;
                    continue;
                }
                match self
                    .manifest_delete(ending.name, ending.principal, &digest, Some(&ending.guard()))
                    .await
                {
                    Ok(()) | Err(Error::ManifestUnknown { .. }) => has_ended = true,
                    Err(error) => return Err(error.into()),
                }
            }
            after = last_of(&page);
            if after.is_none() {
                break;
            }
        }
        match is_left && !has_ended {
            true => Err(Error::Contended.into()),
            false => Ok(is_left),
        }
    }

    /// Returns whether a manifest that can be pulled lists this one; one that is being pushed never will.
    async fn is_listed(&self, name: &RepositoryName, digest: &Digest) -> Result<bool, Error> {
        let mut after = None;
        loop {
            let edges = self.edges_to(name, digest, after).await?;
            let source = |edge: &Item| match keys::parse_edge(&edge.key.sk)?.1 {
                EdgeSource::Manifest(index) => Some(keys::manifest(name, &index)),
                EdgeSource::Tag(_) => None,
            };
            let sources: Vec<_> = edges.iter().filter_map(source).collect();
            if !sources.is_empty() {
                let found = self.stores.items.get(&sources).await?;
                let mut records = found.iter().flatten().filter_map(|item| item.record.as_manifest());
                if records.any(|record| record.state.is_visible()) {
                    return Ok(true);
                }
            }
            after = end_of_page(&edges);
            if after.is_none() {
                return Ok(false);
            }
        }
    }

    /// Takes every blob from the repository. Nothing needs one any more, so nobody has to be asked.
    async fn links_end(&self, ending: &Flagged<'_>) -> Result<(), Stop> {
        let mut after = None;
        loop {
            let page = self.page_of(keys::link_partition(ending.name), after).await?;
            for links in page.chunks(LINKS_AT_ONCE) {
                self.go_on(ending)?;
                let removals = links.iter().filter_map(|item| self.link_end(ending.name, item));
                self.transact_while_ending(ending, removals.flatten().collect()).await?;
            }
            after = last_of(&page);
            if after.is_none() {
                return Ok(());
            }
        }
    }

    fn link_end(&self, name: &RepositoryName, item: &Item) -> Option<[Write; 3]> {
        let digest: Digest = item.key.sk.parse().ok()?;
        Some([
            Write::Delete(item.key.clone(), Condition::Always),
            Write::Delete(keys::blob_edge(&digest, name), Condition::Always),
            self.suspect(SuspectRecord::Blob { digest }, std::time::Duration::ZERO),
        ])
    }

    /// Forgets where the tags pointed.
    async fn history_end(&self, ending: &Flagged<'_>) -> Result<(), Stop> {
        let pk = keys::history_partition(ending.name);
        loop {
            self.go_on(ending)?;
            let query = Query { pk: pk.clone(), limit: MOVES_AT_ONCE, ..Query::default() };
            let items = self.stores.items.query(query).await?;
            if items.is_empty() {
                return Ok(());
            }
            let writes = items.into_iter().map(|item| Write::Delete(item.key, Condition::Always));
            self.transact_while_ending(ending, writes.collect()).await?;
        }
    }

    async fn transact_while_ending(&self, ending: &Flagged<'_>, mut writes: Vec<Write>) -> Result<(), Error> {
        writes.push(ending.guard());
        match self.transact(writes).await? {
            None => Ok(()),
            Some(_) => Err(Error::RepositoryUnknown(ending.name.clone())),
        }
    }

    async fn page_of(&self, pk: String, after: Option<String>) -> Result<Vec<Item>, Error> {
        let query = Query { pk, after, limit: ENTRIES_PER_PAGE, ..Query::default() };
        Ok(self.stores.items.query(query).await?)
    }
}

fn last_of(page: &[Item]) -> Option<String> {
    page.last().filter(|_| page.len() == ENTRIES_PER_PAGE).map(|item| item.key.sk.clone())
}
