//! Repositories whose deletion did not end.

use oci::RepositoryName;

use super::fate::{Ending, Fate};
use super::queue::Visit;
use super::{Collector, Kind, Report};
use crate::Error;
use crate::ending::{Flagged, RepositoryEnd};
use crate::ports::{Item, Timestamp};
use crate::records::keys;

impl Collector {
    /// Ends them one after the other: each may be a lot of work.
    pub(super) async fn repositories(
        &self,
        visits: Vec<Visit<RepositoryName>>,
        until: Option<Timestamp>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let (kind, name) = (Kind::Repository, RepositoryName::to_string);
        let mut fates = Vec::new();
        for (visit, item) in self.read(kind, visits, keys::repository, name, report).await? {
            let fate = Fate::or_failed(self.repository_fate(&visit.what, item, until).await)?;
            fates.push((visit, fate));
        }
        self.settle(kind, fates, name, report).await
    }

    async fn repository_fate(
        &self,
        name: &RepositoryName,
        item: Option<Item>,
        until: Option<Timestamp>,
    ) -> Result<Fate, Error> {
        let is_ending = |item: &Item| item.record.as_repository().is_some_and(|record| record.is_ending);
        let Some(item) = item.filter(is_ending) else { return Ok(Fate::Needed) };
        let flagged = Flagged { name, principal: &self.principal, version: item.version, until };
        if self.registry.repository_end(&flagged, || None).await? == RepositoryEnd::Begun {
            return Ok(Fate::Later(self.registry.now()));
        }
        Ok(Fate::Ended(Ending {
            why: Some("its deletion did not end"),
            has_followers: true,
            ..Ending::default()
        }))
    }
}
