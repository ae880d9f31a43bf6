//! Where every storage call waits until the scheduler lets it happen.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use registry::ports::{Clock, StoreErrorKind, Timestamp};
use registry::testing::{Call, SetClock};
use tokio::sync::oneshot;

use crate::dice::Dice;

/// A process that serves or collects; one that is started anew has another number.
pub(crate) type ProcessId = u64;

/// Whoever waits without a process: a client that waits for something else than the registry.
pub(crate) const NO_PROCESS: ProcessId = 0;

/// At what point of a call it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    /// The request is on its way: nothing has happened yet.
    Request(Call),
    /// The answer is on its way: it has happened.
    Reply(Call),
    /// No call at all: somebody has nothing to do.
    Nap,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// It happens.
    Done,
    /// It fails, and did not happen.
    Failed(StoreErrorKind),
    /// It happens, and the caller is told that it failed.
    LostReply,
    /// It happens, and again: the store's client did not get the first answer.
    SentAgain,
}

/// Something that waits.
struct Waiting {
    process: ProcessId,
    stage: Stage,
    /// It is slow: it happens no earlier.
    until: Timestamp,
    pass: oneshot::Sender<Pass>,
}

#[derive(Default)]
struct Room {
    waiting: Vec<Waiting>,
    alive: BTreeSet<ProcessId>,
    calls: u64,
}

/// How slow stores are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// One answer in so many waits on its way back.
    pub(crate) slow_reply_one_in: usize,
    /// One call in so many takes hours or days.
    pub(crate) sleep_one_in: usize,
    /// Nothing does, but whoever has copied an upload at times goes on only after so long.
    pub(crate) copies_rest: Option<Duration>,
}

/// Where every storage call waits.
pub(crate) struct Gate {
    room: Mutex<Room>,
    clock: Arc<SetClock>,
    dice: Dice,
    pace: Pace,
}

impl Gate {
    pub(crate) fn new(clock: Arc<SetClock>, dice: Dice, pace: Pace) -> Self {
        Self { room: Mutex::default(), clock, dice, pace }
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the process may call.
    pub(crate) fn admit(&self, process: ProcessId) {
        self.room().alive.insert(process);
    }

    /// The process is gone, wherever it was: none of its calls happens any more.
    pub(crate) fn kill(&self, process: ProcessId) {
        let mut room = self.room();
        room.alive.remove(&process);
        room.waiting.retain(|waiting| waiting.process != process);
    }

    /// Returns how many calls there were.
    pub(crate) fn calls(&self) -> u64 {
        self.room().calls
    }

    /// Returns what could happen now: its place, and what it is.
    pub(crate) fn ready(&self) -> Vec<(usize, ProcessId, Stage)> {
        let now = self.clock.now();
        let room = self.room();
        let places = room.waiting.iter().enumerate().filter(|(_, waiting)| waiting.until <= now);
        places.map(|(place, waiting)| (place, waiting.process, waiting.stage)).collect()
    }

    /// Returns when the first of those that sleep wakes up.
    pub(crate) fn next_waking(&self) -> Option<Timestamp> {
        self.room().waiting.iter().map(|waiting| waiting.until).min()
    }

    /// Lets it happen.
    pub(crate) fn open(&self, place: usize, pass: Pass) {
        let waiting = self.room().waiting.remove(place);
        // Nobody listens if the request was dropped.
        let _dropped = waiting.pass.send(pass);
    }

    /// Waits with a call of the process; a process that is gone waits for ever.
    pub(crate) async fn call(&self, process: ProcessId, call: Call) -> Pass {
        self.room().calls += 1;
        self.wait(process, Stage::Request(call)).await
    }

    /// Waits with the answer, if it is slow.
    pub(crate) async fn reply(&self, process: ProcessId, call: Call) {
        if self.dice.one_in(self.pace.slow_reply_one_in) {
            self.wait(process, Stage::Reply(call)).await;
        }
    }

    /// Waits until the scheduler says so.
    pub(crate) async fn nap(&self) {
        self.wait(NO_PROCESS, Stage::Nap).await;
    }

    /// Waits for so long, and then until the scheduler says so.
    pub(crate) async fn rest(&self, rest: Duration) {
        self.wait_for(rest, NO_PROCESS, Stage::Nap).await;
    }

    async fn wait(&self, process: ProcessId, stage: Stage) -> Pass {
        self.wait_for(Duration::ZERO, process, stage).await
    }

    async fn wait_for(&self, rest: Duration, process: ProcessId, stage: Stage) -> Pass {
        let passed = {
            let mut room = self.room();
            let is_alive = process == NO_PROCESS || room.alive.contains(&process);
            is_alive.then(|| {
                let (pass, passed) = oneshot::channel();
                let until = self.clock.now().after(rest + self.delay(stage));
                room.waiting.push(Waiting { process, stage, until, pass });
                passed
            })
        };
        match passed {
            Some(passed) => match passed.await {
                Ok(pass) => pass,
                Err(_) => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }

    /// Returns whether one of these processes is in the middle of something, and may yet store bytes.
    pub(crate) fn is_busy(&self, processes: &[ProcessId]) -> bool {
        self.room().waiting.iter().any(|waiting| {
            processes.contains(&waiting.process) && waiting.stage != Stage::Reply(Call::CopyUpload)
        })
    }

    /// Longer than a lease, or than half of it.
    fn delay(&self, stage: Stage) -> Duration {
        const HOURS: [u64; 4] = [2, 13, 26, 50];
        if let Some(rest) = self.pace.copies_rest {
            let rests = stage == Stage::Reply(Call::CopyUpload) && self.dice.one_in(2);
            return if rests { rest } else { Duration::ZERO };
        }
        let may_sleep = stage != Stage::Nap && !stores_bytes(stage);
        match may_sleep && self.dice.one_in(self.pace.sleep_one_in) {
            true => Duration::from_secs(*self.dice.pick(&HOURS) * 60 * 60),
            false => Duration::ZERO,
        }
    }
}

/// What arrives an hour after its session has ended is an object that nobody knows of; no request takes so long.
fn stores_bytes(stage: Stage) -> bool {
    const STORING: [Call; 4] = [Call::ObjectAppend, Call::ObjectPut, Call::ObjectFinish, Call::CopyUpload];
    matches!(stage, Stage::Request(call) if STORING.contains(&call))
}
