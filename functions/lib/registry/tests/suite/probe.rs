//! A hook that counts storage calls, and makes them fail as planned.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use registry::ports::StoreErrorKind;
use registry::testing::{Call, Hook, Outcome};

/// What happens to the calls from a certain one on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// This one fails, and did not happen.
    Refused(StoreErrorKind),
    /// This one happens, and its answer is lost.
    LostReply,
    /// This one and all after it never happen: the process is gone.
    Killed,
    /// This one happens, and nothing after it: the process is gone.
    KilledAfter,
    /// This one happens when every lease has run out, and a collector was there.
    Delayed,
}

impl Fault {
    pub(crate) const ALL: [Self; 6] = [
        Self::Refused(StoreErrorKind::Throttled),
        Self::Refused(StoreErrorKind::Unavailable),
        Self::LostReply,
        Self::Killed,
        Self::KilledAfter,
        Self::Delayed,
    ];

    /// Returns whether the process is gone afterwards.
    pub(crate) fn kills(self) -> bool {
        matches!(self, Self::Killed | Self::KilledAfter)
    }
}

#[derive(Default)]
struct Record {
    calls: Vec<Call>,
    plan: Option<(usize, Fault)>,
}

/// What goes on while a call is delayed.
type Meanwhile = Box<dyn Fn() + Send + Sync>;

/// Counts calls; fails those that the plan names.
#[derive(Default)]
pub(crate) struct Probe {
    record: Mutex<Record>,
    meanwhile: OnceLock<Meanwhile>,
}

/// How many calls went to the item store and to the object store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Calls {
    pub(crate) items: usize,
    pub(crate) objects: usize,
}

impl Probe {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what goes on while a call is delayed.
    pub(crate) fn set_meanwhile(&self, meanwhile: impl Fn() + Send + Sync + 'static) {
        assert!(self.meanwhile.set(Box::new(meanwhile)).is_ok(), "it is set once");
    }

    fn delay(&self) {
        self.meanwhile.get().expect("it is said what goes on meanwhile")();
    }

    /// Forgets what was counted, and plans a fault at the call with this number (from 0 on).
    pub(crate) fn plan(&self, at: usize, fault: Fault) {
        *self.record() = Record { calls: Vec::new(), plan: Some((at, fault)) };
    }

    /// Forgets what was counted and planned.
    pub(crate) fn reset(&self) {
        *self.record() = Record::default();
    }

    /// Returns the calls since the last reset.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.record().calls.clone()
    }

    /// Returns how many calls there were since the last reset.
    pub(crate) fn count(&self) -> Calls {
        let calls = self.calls();
        let items = calls.iter().filter(|call| call.is_of_items()).count();
        Calls { items, objects: calls.len() - items }
    }
}

impl Hook for Probe {
    fn decide(&self, call: Call) -> Outcome {
        let (number, plan) = {
            let mut record = self.record();
            record.calls.push(call);
            (record.calls.len() - 1, record.plan)
        };
        match plan {
            Some((at, Fault::Refused(kind))) if number == at => Outcome::Failed(kind),
            Some((at, Fault::LostReply | Fault::KilledAfter)) if number == at => Outcome::LostReply,
            Some((at, Fault::KilledAfter)) if number > at => Outcome::Failed(StoreErrorKind::Unavailable),
            Some((at, Fault::Delayed)) if number == at => {
                self.delay();
                Outcome::Done
            }
            Some((at, Fault::Killed)) if number >= at => Outcome::Failed(StoreErrorKind::Unavailable),
            _ => Outcome::Done,
        }
    }
}
