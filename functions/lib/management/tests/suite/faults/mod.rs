//! Every storage call of every operation fails in every way; the client repeats; nothing is lost or made up.

mod cases;
mod seen;

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use http::Method;
use registry::jobs::fsck::{Severity, fsck};
use registry::jobs::garbage_collection::{Budget, Collector, Policy};
use registry::ports::{Condition, Item, ItemStore, Write};
use registry::testing::SetClock;
use registry::{Lifetimes, Registry, Stores};

use crate::probe::{Fault, Probe};
use crate::world::{Client, Scene, World};
use cases::Case;
use seen::Seen;

/// After so long a process asks again who its callers are.
const FORGOTTEN: Duration = Duration::from_secs(5);

/// A world with content in which one case after the other is tried, and what decides over its calls.
struct Stage {
    world: World,
    probe: Arc<Probe>,
    /// The administrator, and as a client of another process.
    root: Client,
    elsewhere: Client,
    /// What is stored before each case.
    items: Vec<Item>,
}

impl Stage {
    async fn new(scene: &Scene) -> Self {
        let probe = Arc::new(Probe::default());
        let world = scene.world_with(Arc::clone(&probe) as _).await;
        cases::prepare(&world, scene).await;
        let (calm, clock) = (world.calm(), Arc::clone(&world.clock));
        probe.set_meanwhile(move || collect_days_later(&calm, &clock));
        let root = world.client(&scene.root);
        Self { elsewhere: root.of(world.restarted()), root, probe, items: world.stored().await, world }
    }

    /// Makes everything what it was before the case, but for the time.
    async fn reset(&self) {
        let items = &self.world.items;
        for item in self.world.stored().await {
            items.transact(vec![Write::Delete(item.key, Condition::Always)]).await.unwrap();
        }
        for item in &self.items {
            items.transact(vec![Write::Put(item.clone(), Condition::Always)]).await.unwrap();
        }
        self.world.clock.advance(FORGOTTEN);
        self.probe.reset();
    }

    /// Asks without faults; returns how many storage calls that makes.
    async fn faultless(&self, case: &Case) -> usize {
        self.reset().await;
        case.ask(&self.root).await.expect(case.status);
        let calls = self.probe.calls().len();
        self.fsck().await;
        calls
    }

    /// Asks with this fault, and again unless it was answered as if there had been none.
    async fn faulty(&self, case: &Case, at: usize, fault: Fault) {
        self.reset().await;
        self.probe.plan(at, fault);
        let reply = case.ask(&self.root).await;
        assert!(self.probe.calls().len() > at, "the fault did not strike");
        self.probe.reset();
        self.fsck().await;
        if reply.status.as_u16() != case.status {
            assert!(matches!(reply.status.as_u16(), 429 | 503 | 202), "{reply:#?}");
            case.repeat(if fault.kills() { &self.elsewhere } else { &self.root }).await;
        }
        self.fsck().await;
    }

    async fn fsck(&self) {
        let report = fsck(&*self.world.items, &*self.world.objects, true).await.unwrap();
        let broken = report.findings.iter().filter(|finding| finding.severity == Severity::Broken);
        let broken: Vec<_> = broken.map(|finding| (&finding.what, &finding.problem)).collect();
        assert!(broken.is_empty(), "{broken:#?}");
    }
}

/// Lets all leases run out, and collects on stores whose calls happen at once.
fn collect_days_later(calm: &Stores, clock: &SetClock) {
    clock.advance(Duration::from_secs(25 * 60 * 60));
    let collector = Collector::new(Registry::new(calm.clone(), Lifetimes::default()), Policy::default());
    let report = collector.run(&Budget::ALL, None).now_or_never().expect("nothing waits");
    assert_eq!(report.error, None);
}

/// What comes of a case without faults.
struct Faultless {
    calls: usize,
    stored: BTreeSet<String>,
    seen: Seen,
}

impl Faultless {
    async fn of(stage: &Stage, scene: &Scene, case: &Case) -> Self {
        let calls = stage.faultless(case).await;
        let stored = seen::stored(&stage.world).await;
        Self { calls, stored, seen: Seen::of(&stage.world, scene).await }
    }

    /// Returns what is another in the end.
    async fn difference(&self, stage: &Stage, scene: &Scene, fault: Fault) -> Option<String> {
        // Where the same is stored, the same is told.
        if self.stored == seen::stored(&stage.world).await {
            return None;
        }
        Seen::of(&stage.world, scene).await.difference(&self.seen, fault)
    }
}

/// Tries every fault at every call; returns how many cases there were, and what went wrong.
async fn every_fault(scene: &Scene, case: &Case) -> (usize, Vec<String>) {
    let stage = Stage::new(scene).await;
    let expected = Faultless::of(&stage, scene, case).await;
    let (calls, mut failed) = (expected.calls, Vec::new());
    for (at, fault) in (0..calls).flat_map(|at| Fault::ALL.map(|fault| (at, fault))) {
        // Time does not go back.
        let late = if fault == Fault::Delayed { Some(Stage::new(scene).await) } else { None };
        let stage = late.as_ref().unwrap_or(&stage);
        let what = format!("{case}: {fault:?} at call {at} of {calls}");
        match AssertUnwindSafe(stage.faulty(case, at, fault)).catch_unwind().await {
            Ok(()) => failed
                .extend(expected.difference(stage, scene, fault).await.map(|told| format!("{what}: {told}"))),
            Err(_) => failed.push(format!("{what}: see the panic above")),
        }
    }
    println!("{case}: {calls} calls x {} faults", Fault::ALL.len());
    (calls * Fault::ALL.len(), failed)
}

async fn assert_any_fault_is_made_good(is_wanted: impl Fn(&Case) -> bool) {
    let scene = Scene::new().await;
    let (mut count, mut failed) = (0, Vec::new());
    let cases: Vec<Case> = cases::all(&scene).into_iter().filter(is_wanted).collect();
    for case in &cases {
        let (tried, more) = every_fault(&scene, case).await;
        count += tried;
        failed.extend(more);
    }
    println!("{} operations, {count} cases", cases.len());
    assert!(failed.is_empty(), "{} of {count}: {failed:#?}", failed.len());
    assert!(count >= 400, "only {count} cases");
}

#[tokio::test]
async fn any_fault_of_a_read_is_made_good() {
    assert_any_fault_is_made_good(|case| case.method == Method::GET).await;
}

#[tokio::test]
async fn any_fault_of_a_change_is_made_good() {
    assert_any_fault_is_made_good(|case| case.method != Method::GET).await;
}
