//! Faults: what AWS does now and then, and the engine never.

use std::sync::Mutex;
use std::time::Duration;

use fastrand::Rng;
use http::StatusCode;

use crate::answer::{Answer, common_error, service_error, transaction_canceled};
use crate::lock::lock;

/// One thing that goes wrong with one call. Unless it says otherwise, nothing is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `ThrottlingException`.
    Throttled,
    /// `ProvisionedThroughputExceededException`.
    ThroughputExceeded,
    /// Another transaction holds an item: `TransactionCanceledException` whose last reason is
    /// `TransactionConflict`, or `TransactionConflictException` for a single item.
    TransactionConflict,
    /// `InternalServerError`, status 500.
    InternalServerError,
    /// `ServiceUnavailable`, status 503.
    Unavailable,
    /// That many keys of a `BatchGetItem` or writes of a `BatchWriteItem` come back unprocessed, the
    /// others are applied. When none is left, `ProvisionedThroughputExceededException`, as on AWS.
    Unprocessed(usize),
    /// A `Query` or `Scan` ends its page after that many items, with a `LastEvaluatedKey`.
    ShortPage(usize),
    /// Everything is applied, but the connection is cut instead of an answer.
    AppliedThenLost,
    /// Applied that much later, even if the client has gone away by then.
    Delayed(Duration),
}

impl Fault {
    /// Returns whether the fault can happen to a call of `operation`.
    pub fn fits(self, operation: &str) -> bool {
        match self {
            Self::TransactionConflict => {
                operation.starts_with("Transact")
                    || matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem")
            }
            Self::Unprocessed(count) => count > 0 && matches!(operation, "BatchGetItem" | "BatchWriteItem"),
            Self::ShortPage(count) => count > 0 && matches!(operation, "Query" | "Scan"),
            _ => true,
        }
    }

    /// Returns the refusal of a call of `operation` with `actions` actions, if the fault is one.
    pub(crate) fn refusal(self, operation: &str, actions: usize) -> Option<Answer> {
        const ONGOING: &str = "Transaction is ongoing for the item";
        Some(match self {
            Self::Throttled => {
                let message = "Rate of requests exceeds the allowed throughput.";
                common_error(StatusCode::BAD_REQUEST, "ThrottlingException", message)
            }
            Self::ThroughputExceeded => throughput_exceeded(),
            Self::TransactionConflict if operation.starts_with("Transact") => {
                transaction_canceled(actions, "TransactionConflict", ONGOING)
            }
            Self::TransactionConflict => {
                service_error(StatusCode::BAD_REQUEST, "TransactionConflictException", ONGOING)
            }
            Self::InternalServerError => {
                let message = "The request processing has failed because of an unknown error.";
                service_error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", message)
            }
            Self::Unavailable => {
                let message = "DynamoDB is currently unavailable.";
                common_error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message)
            }
            Self::Unprocessed(_) | Self::ShortPage(_) | Self::AppliedThenLost | Self::Delayed(_) => {
                return None;
            }
        })
    }
}

/// Returns `ProvisionedThroughputExceededException`.
pub(crate) fn throughput_exceeded() -> Answer {
    let message = "The level of configured provisioned throughput for the table was exceeded.";
    service_error(StatusCode::BAD_REQUEST, "ProvisionedThroughputExceededException", message)
}

/// The faults to come: planned ones first, then those at random.
///
/// Only calls with a valid signature count and are hit; a client's own repetitions are calls too.
#[derive(Debug, Default)]
pub struct Faults(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    planned: Vec<Planned>,
    at_random: Option<AtRandom>,
    injected: Vec<(String, Fault)>,
}

#[derive(Debug)]
struct Planned {
    operation: String,
    calls_before: usize,
    fault: Fault,
}

#[derive(Debug)]
struct AtRandom {
    numbers: Rng,
    probability: f64,
    faults: Vec<Fault>,
}

impl Faults {
    /// Lets `fault` happen to the `nth_call` (1 is the next) of `operation`, counted from now.
    ///
    /// Two faults planned for one call hit that call and the one after it.
    ///
    /// # Panics
    /// When the fault cannot happen to the operation: such a plan would test nothing.
    pub fn plan(&self, operation: &str, nth_call: usize, fault: Fault) {
        assert!(fault.fits(operation), "{fault:?} does not happen to {operation}");
        let calls_before = nth_call.checked_sub(1).expect("calls are counted from 1");
        lock(&self.0).planned.push(Planned { operation: operation.to_owned(), calls_before, fault });
    }

    /// Lets one of `faults` that fits happen to each call with `probability`, the same for the same
    /// `seed` and the same order of calls, until [`clear`](Self::clear).
    pub fn at_random(&self, seed: u64, probability: f64, faults: &[Fault]) {
        let at_random = AtRandom { numbers: Rng::with_seed(seed), probability, faults: faults.to_vec() };
        lock(&self.0).at_random = Some(at_random);
    }

    /// Returns how many planned faults have not happened yet.
    pub fn pending(&self) -> usize {
        lock(&self.0).planned.len()
    }

    /// Returns what has happened so far, in order, with the operation it happened to.
    pub fn injected(&self) -> Vec<(String, Fault)> {
        lock(&self.0).injected.clone()
    }

    /// Forgets every fault, planned, at random and injected.
    pub fn clear(&self) {
        *lock(&self.0) = State::default();
    }

    pub(crate) fn next(&self, operation: &str) -> Option<Fault> {
        let mut state = lock(&self.0);
        let fault = state.next_planned(operation).or_else(|| state.at_random.as_mut()?.next(operation))?;
        state.injected.push((operation.to_owned(), fault));
        Some(fault)
    }
}

impl State {
    fn next_planned(&mut self, operation: &str) -> Option<Fault> {
        let due = self.planned.iter().position(|it| it.operation == operation && it.calls_before == 0);
        let fault = due.map(|index| self.planned.remove(index).fault);
        for planned in self.planned.iter_mut().filter(|it| it.operation == operation) {
            planned.calls_before = planned.calls_before.saturating_sub(1);
        }
        fault
    }
}

impl AtRandom {
    fn next(&mut self, operation: &str) -> Option<Fault> {
        if self.numbers.f64() >= self.probability {
            return None;
        }
        let fitting = self.faults.iter().filter(|fault| fault.fits(operation));
        self.numbers.choice(fitting.collect::<Vec<_>>()).copied()
    }
}
