//! Links that no manifest of their repository needs.

use super::fate::{Fate, or_damaged};
use super::queue::{Place, Visit, name};
use super::{Collector, Kind, Report, answers};
use crate::Error;
use crate::ports::{Condition, Item, Write};
use crate::records::{LinkRecord, LinkState, keys};

/// A link that may be garbage.
pub(super) struct Suspected {
    visit: Visit<Place>,
    item: Item,
    link: LinkRecord,
}

impl Collector {
    pub(super) async fn links(&self, visits: Vec<Visit<Place>>, report: &mut Report) -> Result<(), Error> {
        let key = |(repository, digest): &Place| keys::link(repository, digest);
        let found = self.read(Kind::Link, visits, key, name, report).await?;
        let (now, mut gone, mut leased) = (self.registry.now(), Vec::new(), Vec::new());
        let (mut suspected, mut unconfirmed) = (Vec::new(), Vec::new());
        for (visit, item) in found {
            let Some((item, link)) =
                item.and_then(|item| Some((item.clone(), item.record.as_link()?.clone())))
            else {
                gone.push(visit);
                continue;
            };
            match link.state {
                _ if link.lease_until > now => leased.push((visit, link.lease_until)),
                LinkState::Pending => unconfirmed.push(Suspected { visit, item, link }),
                LinkState::Live | LinkState::Dying => suspected.push(Suspected { visit, item, link }),
            }
        }
        let (needed, unneeded) = self.links_look(suspected, report).await?;
        let (dying, live): (Vec<_>, Vec<_>) =
            needed.into_iter().partition(|link| link.link.state == LinkState::Dying);
        self.suspects_drop(gone.into_iter().chain(live.into_iter().map(|link| link.visit)), report).await?;
        self.suspects_postpone(leased, report).await?;
        self.links_revive(dying, report).await?;
        let flagged = self.links_flag(unneeded, report).await?;
        let (needed, unneeded) = self.links_look(flagged, report).await?;
        self.links_revive(needed, report).await?;
        self.links_decide(unneeded, "no manifest of the repository needs it", report).await?;
        self.links_decide(unconfirmed, "its mount was never confirmed", report).await
    }

    /// Tells links that a manifest needs, finished or not, from those that none does.
    async fn links_look(
        &self,
        links: Vec<Suspected>,
        report: &mut Report,
    ) -> Result<(Vec<Suspected>, Vec<Suspected>), Error> {
        let questions = links.iter().map(|link| self.is_link_needed(&link.visit.what)).collect();
        let (mut needed, mut unneeded, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (answer, link) in answers(questions).await?.into_iter().zip(links) {
            match answer {
                Ok(true) => needed.push(link),
                Ok(false) => unneeded.push(link),
                Err(problem) => failed.push((link.visit, Fate::Failed(problem))),
            }
        }
        self.settle(Kind::Link, failed, name, report).await?;
        Ok((needed, unneeded))
    }

    async fn is_link_needed(&self, (repository, digest): &Place) -> Result<Result<bool, String>, Error> {
        let referring = self.registry.referring_manifest(repository, digest).await;
        or_damaged(referring.map(|manifest| manifest.is_some()))
    }

    /// Flags links: from here on a push either sees the flag, or its edge is seen. A HEAD takes the flag off.
    async fn links_flag(&self, links: Vec<Suspected>, report: &mut Report) -> Result<Vec<Suspected>, Error> {
        let flagged: Vec<Item> =
            links.iter().map(|link| self.registry.link_flagged(&link.item, &link.link)).collect();
        let groups = links.iter().zip(&flagged).map(|(link, flagged)| {
            vec![Write::Put(flagged.clone(), Condition::Version(link.item.version.clone()))]
        });
        let written = self.batch(groups.collect()).await?;
        report.contended += written.iter().filter(|written| !**written).count() as u64;
        let links = links.into_iter().zip(flagged).zip(written).filter(|(_, written)| *written);
        Ok(links.map(|((link, item), _)| Suspected { item, ..link }).collect())
    }

    /// Takes the flag off links that turned out to be needed; whoever changed one meanwhile has done so already.
    async fn links_revive(&self, links: Vec<Suspected>, report: &mut Report) -> Result<(), Error> {
        let revival = |link: &Suspected| self.registry.link_revival(&link.item, &link.link);
        let groups = links.iter().map(|link| [vec![revival(link)], link.visit.drop()].concat()).collect();
        report.dropped += links.len() as u64;
        self.batch(groups).await.map(drop)
    }

    /// Ends links that nobody has changed since they were flagged.
    async fn links_decide(
        &self,
        links: Vec<Suspected>,
        why: &'static str,
        report: &mut Report,
    ) -> Result<(), Error> {
        let groups = links.iter().map(|link| {
            let (repository, digest) = &link.visit.what;
            let mut writes = self.registry.link_removal(repository, digest, &link.item);
            writes.extend(link.visit.end());
            writes
        });
        let written = self.batch(groups.collect()).await?;
        for (link, is_gone) in links.iter().zip(written) {
            let (repository, digest) = &link.visit.what;
            match is_gone {
                true => report.gone(Kind::Link, format!("{repository}@{digest}"), why, 0),
                false => report.contended += 1,
            }
            report.has_followers |= is_gone;
        }
        Ok(())
    }
}
