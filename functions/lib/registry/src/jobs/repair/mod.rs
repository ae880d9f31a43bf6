//! Puts right what can be put right from storage alone, and says what cannot. Nothing may write meanwhile.
//!
//! What is wrong is worked out first, from everything that is stored, and then put right: a rehearsal is the first half.
//! Every write is conditional on what was read. Nothing is deleted: bytes that nothing leads to go into quarantine, or
//! become suspects of the collector where the store keeps what it deletes.
//!
//! | what is wrong | what becomes of it |
//! |---|---|
//! | a row cannot be read | it goes into quarantine; what its key and other rows say is written again |
//! | a blob's record, link or edge is missing, or leads to the wrong object or length | it is written again, if some object has the bytes |
//! | no object has a blob's bytes | blob and links go, so that the next push uploads it; manifests that need it are hidden |
//! | a manifest's bytes are damaged | it is taken from another repository, or goes |
//! | a manifest's bytes are those that were pushed, and cannot be understood | it stays |
//! | edges, referrers, catalog lines, the list of open uploads | they are written again |
//! | what leads nowhere | it goes |
//! | an object that nothing leads to | quarantine |
//!
//! Without quarantine a row that cannot be read stays, and while there is one, nothing is taken away that leads nowhere or
//! that nothing leads to.
//!
//! A manifest is hidden by being PENDING again: no reader sees it without its blobs (P2), every client pushes it anew,
//! and its edges keep what is left of it.

mod blobs;
mod leftovers;
mod manifests;
mod plan;
mod report;
mod rows;
mod tags;

use std::collections::HashSet;

use async_trait::async_trait;

use crate::jobs::fsck::{Finding, Severity, fsck};
use crate::ports::{ItemScan, ObjectKey, ObjectScan, ObjectStore, StoreError, Unreadable};
use crate::{Error, Registry};

use plan::Plan;
pub use report::{Loss, Mend, Report};

/// Keeps what is damaged, where the registry does not look.
#[async_trait]
pub trait Quarantine: Send + Sync {
    /// Takes the object away, be it finished or not, and keeps its bytes; what is not there is fine.
    async fn take_object(&self, key: &ObjectKey) -> Result<(), StoreError>;

    /// Keeps what is left of a row.
    async fn take_row(&self, row: &Unreadable) -> Result<(), StoreError>;
}

/// Is told how many bytes were read, and how many there are to read.
pub type Watch<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// Stores that can be walked from end to end, and where damaged things go.
pub struct Shop<'a, I, O> {
    /// The registry whose stores these are.
    pub registry: &'a Registry,
    /// Its items.
    pub items: &'a I,
    /// Its objects.
    pub objects: &'a O,
    /// Where damaged things go; without it the collector gets the objects, and rows stay.
    pub quarantine: Option<&'a dyn Quarantine>,
    /// Whether every blob is read. Otherwise one is whose object has not the length that was written down.
    pub is_deep: bool,
}

impl<I: ItemScan, O: ObjectStore + ObjectScan> Shop<'_, I, O> {
    /// Puts right what can be put right.
    ///
    /// What was done before an error is done; doing it again goes on from there.
    pub async fn repair(&self, watch: Watch<'_>) -> Result<Report, Error> {
        let mut report = self.plan(watch).await?.run(self.quarantine).await?;
        if report.losses.is_empty() {
            // Nothing is called well that the check finds broken.
            let broken = fsck(self.items, self.objects, false).await?.findings.into_iter();
            let broken = broken.filter(|finding| finding.severity == Severity::Broken);
            report.losses.extend(broken.map(|Finding { what, problem, .. }| Loss {
                what,
                problem,
                advice: "restore it from a backup".to_owned(),
            }));
        }
        Ok(report)
    }

    /// Returns what would be done, and changes nothing.
    pub async fn rehearse(&self, watch: Watch<'_>) -> Result<Report, Error> {
        Ok(Report { is_rehearsal: true, ..self.plan(watch).await?.into_report() })
    }

    async fn plan(&self, watch: Watch<'_>) -> Result<Plan<'_>, Error> {
        let mut plan = Plan::read(self.registry, self.items, self.objects).await?;
        let claimed = self.claimed(&plan).await?;
        rows::plan(&mut plan, self.quarantine.is_some());
        blobs::plan(&mut plan, self.objects, self.is_deep, watch).await?;
        manifests::plan(&mut plan, self.objects).await?;
        tags::plan(&mut plan);
        // What a row that stays leads to is not known, so nothing is taken away that nothing seems to lead to.
        let is_all_known = plan.untouched.is_empty();
        if is_all_known {
            leftovers::plan_edges(&mut plan);
        }
        leftovers::plan_uploads(&mut plan);
        leftovers::plan_suspects(&mut plan);
        if is_all_known {
            let mut orphans = leftovers::orphans(&plan);
            orphans.retain(|info| !claimed.contains(&info.key));
            leftovers::plan_orphans(&mut plan, orphans, self.quarantine.is_some());
        }
        Ok(plan)
    }

    /// Returns the objects that something leads to, though it looked as if nothing did.
    ///
    /// Without a quarantine others may be writing. A commit between two pages of the items takes an object out of the queue
    /// that the first page did not have as a blob's: who reads all of them again finds it there. (Objects are listed before
    /// items.)
    async fn claimed(&self, plan: &Plan<'_>) -> Result<HashSet<ObjectKey>, Error> {
        let keys = |plan: &Plan<'_>| leftovers::orphans(plan).into_iter().map(|info| info.key).collect();
        let first: HashSet<ObjectKey> = keys(plan);
        if first.is_empty() || self.quarantine.is_some() {
            return Ok(HashSet::new());
        }
        let again = keys(&Plan::read(self.registry, self.items, self.objects).await?);
        Ok(first.difference(&again).cloned().collect())
    }
}
