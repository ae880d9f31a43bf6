//! What clients and collectors do, one thing after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Method;
use registry::jobs::garbage_collection::{Budget, Collector};

use crate::client::{Ask, Client, blob, manifest};
use crate::content::{REPOSITORIES, TAGS};
use crate::dice::Dice;
use crate::ledger::Deed;
use crate::world::World;

impl Client {
    /// Does so many things.
    pub(crate) async fn work(&self, deeds: usize) {
        for _ in 0..deeds {
            for _ in 0..self.dice.below(3) {
                self.world.gate.nap().await;
            }
            self.do_something().await;
        }
    }

    async fn do_something(&self) {
        let universe = &self.world.universe;
        let repository = self.dice.below(REPOSITORIES.len());
        let number = self.dice.below(universe.manifests.len());
        let what = self.dice.below(if self.world.weather.has_deletions { 20 } else { 15 });
        match what {
            0..=6 => {
                let tag = (!self.dice.one_in(4)).then(|| self.dice.below(TAGS.len()));
                self.push(repository, number, tag).await;
            }
            7..=9 => self.pull_tag(repository, self.dice.below(TAGS.len())).await,
            10 | 11 => self.pull(repository, number).await,
            12 | 13 => {
                self.head_blob(repository, self.dice.below(universe.blobs.len())).await;
            }
            14 => self.upload_without_end(repository).await,
            15..=17 => self.delete_manifest(repository, number).await,
            18 => self.delete_tag(repository, self.dice.below(TAGS.len())).await,
            _ => self.delete_blob(repository, self.dice.below(universe.blobs.len())).await,
        }
    }

    async fn upload_without_end(&self, repository: usize) {
        if let Some(location) = self.begin(repository).await {
            self.send(Ask::new(Method::PATCH, location).with("never finished".into())).await;
        }
    }

    pub(crate) async fn delete_manifest(&self, repository: usize, number: usize) {
        let digest = &self.world.universe.manifests[number].content.digest;
        let ask = Ask::new(Method::DELETE, manifest(repository, digest.as_str()));
        self.insist(ask, Deed::DeleteManifest { repository, manifest: number }).await;
    }

    async fn delete_tag(&self, repository: usize, tag: usize) {
        let ask = Ask::new(Method::DELETE, manifest(repository, TAGS[tag]));
        self.insist(ask, Deed::DeleteTag { repository, tag }).await;
    }

    async fn delete_blob(&self, repository: usize, number: usize) {
        let ask = Ask::new(Method::DELETE, blob(repository, &self.world.universe.blobs[number]));
        self.insist(ask, Deed::DeleteBlob { repository, blob: number }).await;
    }

    /// Some clients give up after the first failure, some do not.
    async fn insist(&self, ask: Ask, deed: Deed) {
        self.send(ask.with_deed(deed)).await;
    }
}

/// A collector: it runs whenever the scheduler says so, until everybody else is done.
pub(crate) async fn collect(world: Arc<World>, process: usize, dice: Dice, is_over: Arc<AtomicBool>) {
    const BUDGETS: [u64; 3] = [2, 10, u64::MAX];
    while !is_over.load(Ordering::SeqCst) {
        world.gate.nap().await;
        let (registry, mut life) = world.registry(process);
        let collector = Collector::new(registry, world.weather.policy);
        let budget = Budget { suspects: *dice.pick(&BUDGETS), until: None };
        world.tell(|| format!("collector {process} begins"));
        let run = tokio::select! {
            biased;
            _ = life.changed() => None,
            report = collector.run(&budget, None) => Some(report),
        };
        let Some(report) = run else { continue };
        world.tell(|| format!("collector {process}: {} gone, {:?}", report.gone.len(), report.error));
        for failure in report.failures.iter().filter(|failure| !failure.problem.contains("injected")) {
            world.ledger.accuse(format!("collector: {}: {}", failure.what, failure.problem));
        }
        if let Some(error) = report.error.filter(|_| world.weather.is_fair()) {
            world.ledger.accuse(format!("collector: {error}"));
        }
    }
}
