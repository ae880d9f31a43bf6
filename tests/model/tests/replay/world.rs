//! The registry on stores in memory, with one process for each actor of the model, held at its stores' gates.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::keys::Suspect;
use model::{ACTORS, Plan, Program, State};
use registry::ports::{Abilities, Clock, Item, Timestamp};
use registry::records::keys;
use registry::testing::{MemoryItems, MemoryObjects, SeededRandom, SetClock};
use registry::{Lifetimes, Registry, Stores};
use tokio::task::JoinHandle;

use crate::called::{self, Called};
use crate::client::Client;
use crate::collector;
use crate::content;
use crate::gate::{Gate, GatedItems, GatedObjects, Kind, Pass, Shown};
use crate::picture::Picture;

/// So often a process gets its turn before it counts as stuck.
const TURNS_MAX: usize = 1000;

/// So many calls may happen within one step of the model.
const CALLS_MAX: usize = 24;

/// After so many runs a collector has nothing left to do: each makes suspects for the next.
const COLLECTIONS: usize = 6;

/// For a collector every lease has run out, and so have those that another collector wrote.
const LATER: Duration = Duration::from_secs(100 * 24 * 60 * 60);

/// A process at work.
struct Process {
    gate: Arc<Gate>,
    task: JoinHandle<()>,
}

/// A clock that goes on whenever it is asked, and may be ahead of others.
struct Ticking {
    clock: Arc<SetClock>,
    ahead: Duration,
}

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        self.clock.advance(Duration::from_millis(1));
        self.clock.now().after(self.ahead)
    }
}

/// Everything that a trace is replayed on.
pub(crate) struct World {
    plan: Plan,
    items: Arc<MemoryItems>,
    objects: Arc<MemoryObjects>,
    clock: Arc<SetClock>,
    processes: Vec<Option<Process>>,
    /// How many processes have been started.
    started: u64,
    collections: u32,
    /// Sessions that were over before the model begins.
    uploads_before: BTreeSet<String>,
    called: Called,
}

impl World {
    /// Returns the registry after the plan's first programs.
    pub(crate) async fn new(plan: &Plan) -> Self {
        let mut world = Self {
            plan: plan.clone(),
            items: Arc::default(),
            objects: Arc::default(),
            clock: Arc::default(),
            processes: (0..ACTORS).map(|_| None).collect(),
            started: 0,
            collections: 0,
            uploads_before: BTreeSet::new(),
            called: Called::default(),
        };
        world.start_repositories();
        world.finish(0).await;
        for program in &plan.before {
            world.start(0, *program, 0, None);
            world.finish(0).await;
        }
        world.uploads_before = called::uploads(&world.items).await;
        world
    }

    pub(crate) async fn picture(&self) -> Picture {
        Picture::of_registry(&self.plan, &self.items, &self.objects, &self.uploads_before).await
    }

    /// Starts a process for the actor; the one before dies where it is.
    pub(crate) fn start(&mut self, actor: usize, program: Program, tries: u8, suspect: Option<&Suspected>) {
        self.stop(actor);
        self.started += 1;
        let gate = Arc::new(Gate::default());
        let shown = suspect.map(|suspect| suspect.shown.clone());
        let (registry, objects) = self.registry(&gate, shown, suspect.is_some());
        let plan = self.plan.clone();
        let task = tokio::spawn(async move {
            match program {
                Program::Collect => collector::run(registry, &plan).await,
                _ => Client::new(registry, objects, plan).run(program, tries).await,
            }
        });
        self.processes[actor] = Some(Process { gate, task });
    }

    fn registry(
        &mut self,
        gate: &Arc<Gate>,
        shown: Option<Shown>,
        is_collector: bool,
    ) -> (Registry, Arc<GatedObjects>) {
        self.collections += u32::from(is_collector);
        let ahead = if is_collector { LATER * self.collections } else { Duration::ZERO };
        let clock = Ticking { clock: Arc::clone(&self.clock), ahead };
        let objects = Arc::new(GatedObjects { inner: self.objects.clone(), gate: gate.clone() });
        let abilities = match self.plan.is_direct() {
            true => Abilities {
                uploads: Some(objects.clone()),
                copies: Some(objects.clone()),
                leaves_garbage: !is_collector,
                ..Abilities::default()
            },
            false => Abilities::default(),
        };
        let stores = Stores {
            items: Arc::new(GatedItems { inner: self.items.clone(), gate: gate.clone(), shown }),
            objects: objects.clone(),
            clock: Arc::new(clock),
            random: Arc::new(SeededRandom::new(self.started)),
            abilities,
        };
        (Registry::new(stores, Lifetimes::default()), objects)
    }

    /// Starts a process that takes over what has arrived of the model's upload.
    pub(crate) fn start_adoption(&mut self, actor: usize, upload: usize) {
        self.stop(actor);
        self.started += 1;
        let gate = Arc::new(Gate::default());
        let (registry, _) = self.registry(&gate, None, false);
        let id = self.called.upload(upload);
        let task = tokio::spawn(async move {
            let _is_a_blob = registry.upload_adopt(&id).await;
        });
        self.processes[actor] = Some(Process { gate, task });
    }

    /// A client sends other bytes to where it has sent an upload.
    pub(crate) fn receive(&self, upload: usize, blob: usize) {
        self.objects.receive(self.called.upload(upload), content::blob(blob).bytes);
    }

    /// Makes the repositories; whether a push is the first one is no matter of the model.
    fn start_repositories(&mut self) {
        let gate = Arc::new(Gate::default());
        let (registry, objects) = self.registry(&gate, None, false);
        let client = Client::new(registry, objects, self.plan.clone());
        let task = tokio::spawn(async move { client.start_repositories().await });
        self.processes[0] = Some(Process { gate, task });
    }

    /// Remembers which of the registry's names stand for which of the model's numbers.
    pub(crate) async fn note(&mut self, state: &State) {
        self.called.note(&self.items, &self.uploads_before, state).await;
    }

    /// Returns what a collector is shown that takes this suspect.
    pub(crate) fn suspected(&self, suspect: Suspect) -> Suspected {
        let name = self.called.suspected(&self.plan, suspect);
        let was_shown = AtomicBool::new(false);
        let shown = move |items: Vec<Item>| {
            // The newest, and once: the model has one item where the registry may have several.
            let found = items.into_iter().rfind(|item| item.key.sk.contains(&name));
            Vec::from_iter(found.filter(|_| !was_shown.swap(true, Ordering::SeqCst)))
        };
        Suspected { shown: Arc::new(shown) }
    }

    /// Ends the actor's process where it is.
    pub(crate) fn stop(&mut self, actor: usize) {
        if let Some(process) = self.processes[actor].take() {
            process.task.abort();
        }
    }

    /// Everybody dies, and collectors do all that there is to do.
    pub(crate) async fn collect_all(&mut self) {
        for actor in 0..ACTORS {
            self.stop(actor);
        }
        for _ in 0..COLLECTIONS {
            self.start(0, Program::Collect, 0, Some(&Suspected::all()));
            self.finish(0).await;
        }
        self.uploads_before.clear();
    }

    /// Lets the actor's process do all that is left to it.
    pub(crate) async fn finish(&mut self, actor: usize) {
        while self.waits(actor).await.is_some() {
            self.open(actor, Pass::Once).await;
        }
    }

    /// Lets the push of a manifest do all that it does before it looks at its references again.
    pub(crate) async fn finish_adoption(&self, actor: usize) {
        let looked_at = keys::repository(&content::repository(0).parse().unwrap());
        let is_at_look = |process: &Process| process.gate.waits_for(&looked_at);
        while self.waits(actor).await.is_some() && !self.processes[actor].as_ref().is_some_and(is_at_look) {
            self.open(actor, Pass::Once).await;
        }
    }

    /// Lets one call happen that only reads.
    pub(crate) async fn read(&self, actor: usize) {
        if self.waits(actor).await == Some(Kind::Read) {
            self.open(actor, Pass::Once).await;
        }
    }

    /// Lets calls happen that only read, until one waits that writes.
    pub(crate) async fn read_all(&self, actor: usize) {
        while self.waits(actor).await == Some(Kind::Read) {
            self.open(actor, Pass::Once).await;
        }
    }

    /// Lets one call happen that writes, after what is to be read before it.
    pub(crate) async fn attempt(&self, actor: usize, pass: Pass) {
        self.read_all(actor).await;
        if self.waits(actor).await.is_some() {
            self.open(actor, pass).await;
        }
    }

    /// Lets calls happen until one of them has written and the registry is as the model says.
    pub(crate) async fn write(&self, actor: usize, pass: Pass, wanted: &Picture) -> Result<(), String> {
        let Some(process) = &self.processes[actor] else { return Err("nobody is there".to_owned()) };
        let before = process.gate.written();
        for _ in 0..CALLS_MAX {
            self.attempt(actor, pass).await;
            if process.gate.written() > before && self.picture().await == *wanted {
                return Ok(());
            }
        }
        Err(format!("wanted {wanted:#?}\nfound {:#?}", self.picture().await))
    }

    /// Returns whether the call that waits reads or writes, once the process has come to one; `None` if it is over.
    pub(crate) async fn waits(&self, actor: usize) -> Option<Kind> {
        let process = self.processes[actor].as_ref()?;
        for _ in 0..TURNS_MAX {
            if let Some(kind) = process.gate.waits() {
                return Some(kind);
            }
            if process.task.is_finished() {
                return None;
            }
            tokio::task::yield_now().await;
        }
        panic!("actor {actor} neither waits nor ends");
    }

    async fn open(&self, actor: usize, pass: Pass) {
        if let Some(process) = &self.processes[actor] {
            process.gate.open(pass);
            self.waits(actor).await;
        }
    }
}

/// What a collector is shown of the review queue.
pub(crate) struct Suspected {
    shown: Shown,
}

impl Suspected {
    /// Shows everything.
    pub(crate) fn all() -> Self {
        Self { shown: Arc::new(|items| items) }
    }
}
