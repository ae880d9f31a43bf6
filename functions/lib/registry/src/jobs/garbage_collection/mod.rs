//! The collector: takes away what nobody needs, while everything else goes on.
//!
//! Whoever makes something that may become garbage, or takes away what kept something, writes a *suspect* in the same
//! transaction. The collector reads the suspects that are due and nothing else, so its work grows with the garbage,
//! not with the registry. Any number of collectors may run at once, and each may stop or sleep at any step: every
//! write is conditional on the version that it rests on, and a suspect stays until what it is about is settled.
//!
//! Flag, look, decide (rule R3). The names are those of the functions:
//!
//! | suspect | kept while | flag | look | decide | then |
//! |---|---|---|---|---|---|
//! | link (`links`) | its lease runs | `links_flag`: LIVE → DYING | `links_look`: edges from manifests | `links_decide`: link and its edge to the blob go, the blob becomes a suspect; or `links_revive` | – |
//! | unconfirmed mount (`links`) | its lease runs | – (PENDING is never revived) | – | `links_decide` | – |
//! | blob (`blobs`) | – | `blobs_flag`: LIVE → DYING | `blobs_look`: edges from links | `blobs_decide`: DYING → DEAD, its object becomes a suspect; or `blobs_revive` | – |
//! | object of a dead blob (`dead_objects`) | readers may have its address | – (DEAD is never revived, rule R4) | – | – | `object_discard`, then `dead_objects_forget`: the DEAD blob goes |
//! | manifest that was never finished (`manifests`) | its lease runs | `manifest_pending_collect`: PENDING → DELETING | – | – | its edges go, their targets become suspects; then the manifest |
//! | manifest whose deletion did not end (`manifests`) | – | DOOMED or DELETING already; DYING is revived | | `manifest_deletion_end` | as above |
//! | repository whose deletion did not end (`repositories`) | – | flagged already, and nothing takes that off | – | `repository_end` | everything in it goes; then the repository |
//! | manifest without a tag (`manifests`), by policy alone | a tag, an index, the history of a tag, or its subject | `manifest_flag`: LIVE → DYING | `edges_to` | `manifest_collect`, while its subject is as it was seen | as above |
//! | object of a manifest (`manifest_objects`) | a manifest has it | `manifest_objects_flag`: the suspect moves, so that no push can use the object any more | `manifest_objects_look`: the manifest | – | `object_discard` |
//! | upload (`uploads`) | it is open | `upload_end`: OPEN → DEAD | `uploads_look`: has its blob the object? | – | `object_discard`, then `uploads_forget` |
//! | copy of an adoption (`adoptions`) | `adoption_look`: its session is open | `upload_end` | `adoption_look_again`: its suspect, which the commit takes away | – | `object_discard` |
//!
//! Before a flag there is a first look, without one: most suspects are needed, and nothing is written about those but
//! that they are no suspects any more. Whoever takes away the last reason to keep them writes a new one.

mod batch;
mod blobs;
mod fate;
mod links;
mod manifests;
mod objects;
mod queue;
mod reading;
mod rehearsal;
mod report;
mod repositories;
mod uploads;

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};

use crate::ports::Timestamp;
use crate::records::keys;
use crate::{Error, Principal, Registry};

pub use report::{Failure, Gone, Kind, Report};

/// How long a suspect that could not be looked at waits for the next attempt.
const RETRY: Duration = Duration::from_secs(60 * 60);

/// How many questions are asked at once.
const AT_ONCE: usize = 16;

/// What is kept although no client can reach it, and what is not although one can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long a manifest stays after its last tag has left it, so that the tag can be put back.
    pub history: Duration,
    /// How long after that a manifest without a tag stays; for ever if absent. One that an index lists, or whose
    /// subject is there, is never meant.
    pub untagged: Option<Duration>,
}

impl Default for Policy {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self { history: 7 * DAY, untagged: None }
    }
}

/// How much a run may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How many suspects it looks at, more or less.
    pub suspects: u64,
    /// When it ends at the latest, a page more or less.
    pub until: Option<Timestamp>,
}

impl Budget {
    /// As much as there is to do.
    pub const ALL: Self = Self { suspects: u64::MAX, until: None };

    fn is_used_up(&self, report: &Report, now: Timestamp) -> bool {
        report.suspects >= self.suspects || self.until.is_some_and(|until| now >= until)
    }
}

/// Takes away what nobody needs.
#[derive(Clone)]
pub struct Collector {
    registry: Registry,
    policy: Policy,
    principal: Principal,
}

impl Collector {
    /// Returns a collector for this registry.
    pub fn new(registry: Registry, policy: Policy) -> Self {
        Self { registry, policy, principal: Principal::garbage_collection() }
    }

    /// Looks at what is due, as far as the budget goes; `from` is the `next` of the run before, if that one ended early.
    ///
    /// A run without it begins anywhere. What was done before an error is done, and the report says so.
    pub async fn run(&self, budget: &Budget, from: Option<u64>) -> Report {
        let mut report = Report::default();
        if let Err(error) = self.run_into(&mut report, budget, from).await {
            report.error = Some(error.to_string());
        }
        report
    }

    /// Returns what such a run would do, and changes nothing. What it would write is in memory until it ends.
    pub async fn rehearse(&self, budget: &Budget, from: Option<u64>) -> Report {
        let stores = rehearsal::stores(&self.registry.stores);
        let rehearsing = Self { registry: self.registry.on(stores), ..self.clone() };
        Report { is_rehearsal: true, ..rehearsing.run(budget, from).await }
    }

    async fn run_into(&self, report: &mut Report, budget: &Budget, from: Option<u64>) -> Result<(), Error> {
        let first = from.unwrap_or_else(|| u64::try_from(self.registry.fresh_ulid().random()).unwrap_or(0));
        loop {
            // What is settled may leave something that is due at once.
            report.has_followers = false;
            for shard in (0..keys::SHARDS).map(|step| first.wrapping_add(step) % keys::SHARDS) {
                if !self.shard(shard, report, budget).await? {
                    report.next = Some(shard);
                    return Ok(());
                }
            }
            if !report.has_followers {
                return Ok(());
            }
        }
    }

    /// Returns whether everything in the shard that is due was looked at.
    async fn shard(&self, shard: u64, report: &mut Report, budget: &Budget) -> Result<bool, Error> {
        let mut after = None;
        loop {
            if budget.is_used_up(report, self.registry.now()) {
                return Ok(false);
            }
            let page = self.due(shard, after.take()).await?;
            after.clone_from(&page.last);
            report.suspects += page.suspects;
            page.unreadable.into_iter().for_each(|row| report.unreadable(row));
            self.repositories(page.repositories, budget.until, report).await?;
            self.manifests(page.manifests, report).await?;
            self.links(page.links, report).await?;
            self.blobs(page.blobs, report).await?;
            self.uploads(page.uploads, report).await?;
            self.adoptions(page.adoptions, report).await?;
            self.manifest_objects(page.manifest_objects, report).await?;
            self.dead_objects(page.dead_objects, report).await?;
            if after.is_none() {
                return Ok(true);
            }
        }
    }
}

/// Asks several questions at once; the answers come in their order.
async fn answers<A>(questions: Vec<impl Future<Output = Result<A, Error>> + Send>) -> Result<Vec<A>, Error> {
    futures_util::stream::iter(questions).buffered(AT_ONCE).try_collect().await
}
