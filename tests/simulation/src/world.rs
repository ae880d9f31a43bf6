//! The stores, the processes on them, and the scheduler that says what happens next.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use registry::http::Service;
use registry::jobs::fsck::{Severity, fsck};
use registry::ports::{Abilities, Clock, ItemStore, ObjectStore, StoreErrorKind, VerifiedCopy};
use registry::testing::{MemoryItems, MemoryObjects, SeededRandom, SetClock};
use registry::{Lifetimes, Registry, Stores};
use tokio::sync::watch;

use crate::cloud::{Arrivals, Cloud, abilities};
use crate::content::Universe;
use crate::dice::Dice;
use crate::gate::{Gate, Pace, Pass, ProcessId, Stage};
use crate::ledger::Ledger;
use crate::stores::{Gated, Reads};
use crate::weather::Weather;

/// How many processes answer clients.
pub(crate) const SERVERS: usize = 2;

/// A blob that was promised holds so long: half a lease (P9).
const HELD: Duration = Duration::from_secs(12 * 60 * 60);

/// A process that may be killed and started anew.
struct Process {
    id: ProcessId,
    registry: Registry,
    service: Service,
    copies: Arc<dyn VerifiedCopy>,
    life: watch::Sender<ProcessId>,
}

/// What a world is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) weather: Weather,
    /// How many processes collect.
    pub(crate) collectors: usize,
    pub(crate) reads: Reads,
    pub(crate) lifetimes: Lifetimes,
    /// Whether clients can reach the objects without the registry in between.
    pub(crate) is_cloud: bool,
    /// Whether somebody wants to read what happens.
    pub(crate) is_told: bool,
}

impl Plan {
    /// Returns how many processes answer requests or events; those that collect come after them.
    pub(crate) fn serving(&self) -> usize {
        SERVERS + usize::from(self.is_cloud)
    }

    fn processes(&self) -> usize {
        self.serving() + self.collectors
    }
}

/// Everything that there is in one run.
pub(crate) struct World {
    pub(crate) items: Arc<MemoryItems>,
    pub(crate) objects: Arc<MemoryObjects>,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) universe: Universe,
    pub(crate) weather: Weather,
    pub(crate) plan: Plan,
    /// What clients have sent past the registry.
    pub(crate) arrivals: Arrivals,
    dice: Dice,
    random: Arc<SeededRandom>,
    processes: Mutex<Vec<Process>>,
    started: AtomicU64,
    /// A number that follows from all that has happened.
    print: AtomicU64,
}

impl World {
    /// Returns an empty world.
    pub(crate) fn new(plan: Plan) -> Arc<Self> {
        let Plan { seed, weather, .. } = plan;
        let clock = Arc::new(SetClock::default());
        let copies_rest = (plan.lifetimes.upload < plan.lifetimes.lease).then_some(plan.lifetimes.upload);
        let pace = Pace {
            slow_reply_one_in: weather.slow_reply_one_in,
            sleep_one_in: weather.sleep_one_in,
            copies_rest,
        };
        let world = Self {
            items: Arc::default(),
            // As on S3, where a commit may need a place, too.
            objects: Arc::new(MemoryObjects::with_tails()),
            gate: Arc::new(Gate::new(Arc::clone(&clock), Dice::new(seed, 1), pace)),
            ledger: Arc::new(Ledger::new(Arc::clone(&clock), HELD, weather.fault_one_in > 0)),
            universe: Universe::new(&Dice::new(seed, 2)),
            weather,
            plan,
            arrivals: Arrivals::new(Dice::new(seed, 4), &clock),
            dice: Dice::new(seed, 3),
            random: Arc::new(SeededRandom::new(!seed)),
            processes: Mutex::default(),
            started: AtomicU64::new(0),
            print: AtomicU64::new(seed),
            clock,
        };
        for _ in 0..plan.processes() {
            let process = world.process();
            world.processes().push(process);
        }
        Arc::new(world)
    }

    fn processes(&self) -> MutexGuard<'_, Vec<Process>> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what happens, if somebody wants to read it.
    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        if self.plan.is_told {
            println!("{} {}", self.clock.now().as_secs(), what());
        }
    }

    /// Returns a number that another run has only if the same has happened in it.
    pub(crate) fn print(&self) -> u64 {
        self.print.load(Ordering::SeqCst)
    }

    fn imprint(&self, what: impl Hash) {
        let mut hasher = DefaultHasher::new();
        (self.print(), what).hash(&mut hasher);
        self.print.store(hasher.finish(), Ordering::SeqCst);
    }

    fn process(&self) -> Process {
        let id = self.started.fetch_add(1, Ordering::SeqCst) + 1;
        self.gate.admit(id);
        let items = Gated::new(&self.items, &self.gate, id, self.plan.reads);
        let objects = Arc::new(Gated::new(&self.objects, &self.gate, id, self.plan.reads));
        let registry = self.registry_on(Arc::new(items), &objects);
        let service = Service::new(registry.clone());
        Process { id, service, registry, copies: objects, life: watch::Sender::new(id) }
    }

    fn registry_on<O: ObjectStore + Cloud + 'static>(
        &self,
        items: Arc<dyn ItemStore>,
        objects: &Arc<O>,
    ) -> Registry {
        let abilities = if self.plan.is_cloud { abilities(objects) } else { Abilities::default() };
        let stores = Stores {
            items,
            objects: Arc::clone(objects) as _,
            clock: Arc::clone(&self.clock) as _,
            random: Arc::clone(&self.random) as _,
            abilities,
        };
        Registry::new(stores, self.plan.lifetimes)
    }

    /// Returns a registry whose calls happen at once.
    pub(crate) fn calm_registry(&self) -> Registry {
        self.registry_on(Arc::clone(&self.items) as _, &self.objects)
    }

    /// Returns what answers in this process, and what tells of its end.
    pub(crate) fn service(&self, process: usize) -> (Service, watch::Receiver<ProcessId>) {
        let processes = self.processes();
        (processes[process].service.clone(), processes[process].life.subscribe())
    }

    /// Returns the registry of this process, and what tells of its end.
    pub(crate) fn registry(&self, process: usize) -> (Registry, watch::Receiver<ProcessId>) {
        let processes = self.processes();
        (processes[process].registry.clone(), processes[process].life.subscribe())
    }

    /// Returns how the process takes over what was uploaded past it.
    pub(crate) fn copies(&self, process: usize) -> Arc<dyn VerifiedCopy> {
        Arc::clone(&self.processes()[process].copies)
    }

    /// The process dies where it is, and another takes its place.
    fn kill(&self, process: usize) {
        let next = self.process();
        let mut processes = self.processes();
        let dead = std::mem::replace(&mut processes[process], next);
        self.gate.kill(dead.id);
        dead.life.send_replace(0);
        self.tell(|| format!("process {process} ({}) dies", dead.id));
    }

    /// Lets one thing happen after the other until `is_over`.
    pub(crate) async fn run(&self, is_over: impl Fn() -> bool) {
        loop {
            settle().await;
            if is_over() || !self.ledger.is_clean() {
                return;
            }
            self.happen().await;
        }
    }

    async fn happen(&self) {
        self.clock.advance(Duration::from_millis(1 + self.dice.below(5) as u64));
        if self.dice.one_in(self.weather.kill_one_in) {
            let process = self.dice.below(self.plan.processes());
            return self.kill(process);
        }
        if self.dice.one_in(self.weather.leap_one_in) {
            self.leap();
        }
        if self.dice.one_in(self.weather.check_one_in) {
            self.check("meanwhile").await;
        }
        let ready = self.gate.ready();
        if ready.is_empty() {
            return self.wake_first();
        }
        let (place, process, stage) = *self.dice.pick(&ready);
        let pass = self.fate(stage);
        self.imprint((process, stage, format!("{pass:?}")));
        self.tell(|| format!("  process {process}: {stage:?} {pass:?}"));
        self.gate.open(place, pass);
    }

    /// What becomes of the call.
    fn fate(&self, stage: Stage) -> Pass {
        const FAULTS: [Pass; 4] = [
            Pass::Failed(StoreErrorKind::Throttled),
            Pass::Failed(StoreErrorKind::Unavailable),
            Pass::LostReply,
            Pass::SentAgain,
        ];
        match matches!(stage, Stage::Request(_)) && self.dice.one_in(self.weather.fault_one_in) {
            true => *self.dice.pick(&FAULTS),
            false => Pass::Done,
        }
    }

    fn leap(&self) {
        const MINUTES: [u64; 10] = [1, 2, 5, 10, 30, 60, 13 * 60, 13 * 60, 25 * 60, 8 * 24 * 60];
        let time = Duration::from_secs(60 * *self.dice.pick(&MINUTES));
        let servers: Vec<ProcessId> =
            self.processes().iter().take(self.plan.serving()).map(|process| process.id).collect();
        if time > self.plan.lifetimes.upload && self.gate.is_busy(&servers) {
            // No request outlives the session that it is for.
            return;
        }
        self.clock.advance(time);
        self.tell(|| "time passes".to_owned());
    }

    /// Everybody sleeps: time passes until one of them wakes up.
    fn wake_first(&self) {
        let now = self.clock.now().as_millis();
        match self.gate.next_waking() {
            Some(until) => self.clock.advance(Duration::from_millis(until.as_millis().saturating_sub(now))),
            None => self.ledger.accuse("somebody waits for ever".to_owned()),
        }
    }

    /// Everybody who is still at work comes to an end, without further harm.
    pub(crate) async fn end(&self) {
        settle().await;
        for process in self.processes().iter() {
            self.gate.kill(process.id);
            process.life.send_replace(0);
        }
        settle().await;
    }

    /// Looks for broken promises in storage alone.
    pub(crate) async fn check(&self, when: &str) {
        match fsck(&*self.items, &*self.objects, true).await {
            Ok(report) => {
                let broken = report.findings.iter().filter(|finding| finding.severity == Severity::Broken);
                for finding in broken {
                    self.ledger.accuse(format!("fsck, {when}: {}: {}", finding.what, finding.problem));
                }
            }
            Err(error) => self.ledger.accuse(format!("fsck, {when}: {error}")),
        }
    }
}

/// Waits until everybody waits: the runtime's own clock moves only when nothing else can.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}
