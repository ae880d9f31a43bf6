//! After a run: what was acknowledged can be pulled, and what nobody needs goes.

use std::sync::Arc;
use std::time::Duration;

use registry::Lifetimes;
use registry::http::Service;
use registry::jobs::fsck::fsck;
use registry::jobs::garbage_collection::{Budget, Collector};
use registry::ports::ItemScan;

use crate::client::{Ask, blob, manifest, read};
use crate::content::{REPOSITORIES, TAGS};
use crate::world::World;

/// By then nothing is left that anybody would look at again: more than a session, and more than a lease after it.
const LONG: Duration = Duration::from_secs(9 * 24 * 60 * 60);

/// Looks at what a run has left.
pub(crate) struct Judge {
    pub(crate) world: Arc<World>,
    service: Service,
}

impl Judge {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), service: Service::new(world.calm_registry()) }
    }

    /// Tries all promises.
    pub(crate) async fn judge(&self) {
        self.world.check("in the end").await;
        self.look("in the end").await;
        if self.world.plan.is_cloud && self.world.arrivals.dice.one_in(2) {
            self.world.adopt_calmly().await;
            self.look("after adoptions").await;
        }
        let Lifetimes { lease, object, .. } = self.world.plan.lifetimes;
        self.nothing_stays_too_long().await;
        self.collect_after(LONG).await;
        self.world.check("after collections").await;
        self.look("after collections").await;
        self.nothing_is_left().await;
        self.delete_all().await;
        self.collect_after(Duration::ZERO).await;
        self.collect_after(object).await;
        self.nothing_is_stored().await;
        self.collect_after(lease).await;
        self.nothing_is_left().await;
    }

    pub(crate) fn accuse(&self, what: String) {
        self.world.ledger.accuse(what);
    }

    async fn look(&self, when: &str) {
        let universe = &self.world.universe;
        for repository in 0..REPOSITORIES.len() {
            for number in 0..universe.manifests.len() {
                self.look_at_manifest(repository, number, when).await;
            }
            for tag in 0..TAGS.len() {
                self.look_at_tag(repository, tag, when).await;
            }
        }
    }

    /// P1 and P2.
    async fn look_at_manifest(&self, repository: usize, number: usize, when: &str) {
        let (ledger, wanted) = (&self.world.ledger, &self.world.universe.manifests[number]);
        let is_kept = !self.world.weather.takes_untagged();
        let path = manifest(repository, wanted.content.digest.as_str());
        match self.get(&path).await {
            (200, _) if ledger.has_to_be_gone(repository, number) => {
                self.accuse(format!("{when}: manifest {number} was deleted from {repository} and is there"));
            }
            (200, body) if body != wanted.content.bytes => {
                self.accuse(format!("{when}: manifest {number} of {repository} has other bytes"));
            }
            (200, _) => self.pull_references(repository, number, when).await,
            (status, _) if is_kept && ledger.has_to_be_there(repository, number, u64::MAX) => {
                self.accuse(format!("{when}: manifest {number} was pushed to {repository}: {status}"));
            }
            _ => {}
        }
    }

    async fn pull_references(&self, repository: usize, number: usize, when: &str) {
        let universe = &self.world.universe;
        let wanted = &universe.manifests[number];
        let blobs = wanted.blobs.iter().map(|&number| &universe.blobs[number]);
        let blobs = blobs.map(|content| (blob(repository, content), content));
        let children = wanted.children.iter().map(|&number| &universe.manifests[number].content);
        let children = children.map(|content| (manifest(repository, content.digest.as_str()), content));
        for (path, content) in blobs.chain(children) {
            let (status, body) = self.get(&path).await;
            if status != 200 || body != content.bytes {
                self.accuse(format!("{when}: manifest {number} of {repository} needs {path}: {status}"));
            }
        }
    }

    async fn look_at_tag(&self, repository: usize, tag: usize, when: &str) {
        let universe = &self.world.universe;
        let path = manifest(repository, TAGS[tag]);
        let (status, body) = self.get(&path).await;
        let found = universe.manifests.iter().position(|manifest| manifest.content.bytes == body);
        let found = found.filter(|_| status == 200);
        if !self.world.ledger.may_stand(repository, tag, found) {
            self.accuse(format!("{when}: tag {} of {repository} leads to {found:?}", TAGS[tag]));
        }
    }

    async fn get(&self, path: &str) -> (u16, bytes::Bytes) {
        self.send(Ask::new(http::Method::GET, path.to_owned())).await
    }

    async fn send(&self, ask: Ask) -> (u16, bytes::Bytes) {
        match read(self.service.clone(), ask.request()).await {
            Some(reply) if reply.status == 307 => match self.world.objects.serve(reply.header("location")) {
                Some(body) => (200, body),
                None => (404, reply.body),
            },
            Some(reply) => (reply.status, reply.body),
            None => (0, bytes::Bytes::new()),
        }
    }

    /// A collector runs once when so much time has passed, and nothing fails.
    pub(crate) async fn collect_after(&self, time: Duration) {
        self.world.clock.advance(time);
        let collector = Collector::new(self.world.calm_registry(), self.world.weather.policy);
        let report = collector.run(&Budget::ALL, None).await;
        for failure in report.failures {
            self.accuse(format!("collector: {}: {}", failure.what, failure.problem));
        }
        if let Some(error) = report.error {
            self.accuse(format!("collector: {error}"));
        }
    }

    /// P4: no garbage, and no suspect.
    async fn nothing_is_left(&self) {
        match fsck(&*self.world.items, &*self.world.objects, false).await {
            Ok(report) => report.findings.into_iter().for_each(|finding| {
                self.accuse(format!("left over: {}: {}", finding.what, finding.problem));
            }),
            Err(error) => self.accuse(format!("fsck: {error}")),
        }
        let Ok(items) = self.world.items.scan(None, usize::MAX).await else { return };
        for item in items.iter().filter(|item| item.record.as_suspect().is_some()) {
            self.accuse(format!("still suspected: {}", item.key.sk));
        }
    }

    /// Deletes indexes first: what they list is kept.
    async fn delete_all(&self) {
        for number in (0..self.world.universe.manifests.len()).rev() {
            for repository in 0..REPOSITORIES.len() {
                let digest = &self.world.universe.manifests[number].content.digest;
                let path = manifest(repository, digest.as_str());
                let (status, _) = self.send(Ask::new(http::Method::DELETE, path.clone())).await;
                if !matches!(status, 202 | 404) {
                    self.accuse(format!("DELETE {path}: {status}"));
                }
            }
        }
    }

    async fn nothing_is_stored(&self) {
        const KINDS: [&str; 8] =
            ["object", "link", "blob", "blob_edge", "edge", "manifest", "upload", "open_upload"];
        let Ok(report) = fsck(&*self.world.items, &*self.world.objects, false).await else { return };
        let objects = (report.objects > 0).then_some(("object", report.objects));
        for (kind, count) in report.counts.into_iter().chain(objects) {
            if KINDS.contains(&kind) {
                self.accuse(format!("everything was deleted, and {count} {kind} are left"));
            }
        }
    }
}
