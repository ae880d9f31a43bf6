//! Faults on demand: what goes wrong, at which call of which operation.

use std::sync::Mutex;
use std::time::Duration;

use s3s::{S3Error, S3ErrorCode, s3_error};

use crate::store::lock;

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not done, and answered with this status and error code.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The code in the error's XML.
        code: String,
    },
    /// Not done, and answered with `503 SlowDown`.
    Throttled,
    /// Not done, and answered with `409 ConditionalRequestConflict`: another write of the key is under way. Only
    /// writes with a condition meet it.
    Conflict,
    /// Done, but only after this time.
    Delayed(Duration),
    /// Done, and the connection cut before any answer.
    AppliedThenLost,
    /// The connection cut when this many bytes of the body have passed: of the request's for `PutObject` and
    /// `UploadPart` (which are then not done), of the answer's for all others (of which the
    /// client may have got fewer by then). A shorter body passes whole.
    CutAtByte(u64),
}

impl Fault {
    /// The error to answer with, of a fault that has one.
    pub(crate) fn error(&self) -> Option<S3Error> {
        match self {
            Self::Refused { status, code } => {
                let mut error = S3Error::new(S3ErrorCode::Custom(code.as_str().into()));
                error.set_message("refused as planned");
                error.set_status_code(http::StatusCode::from_u16(*status).unwrap_or_default());
                Some(error)
            }
            Self::Throttled => Some(s3_error!(SlowDown, "Please reduce your request rate.")),
            Self::Conflict => Some(conflict()),
            _ => None,
        }
    }
}

fn conflict() -> S3Error {
    let mut error = S3Error::new(S3ErrorCode::Custom("ConditionalRequestConflict".into()));
    error.set_message("The conditional request cannot succeed due to a conflicting operation.");
    error.set_status_code(http::StatusCode::CONFLICT);
    error
}

#[derive(Debug)]
struct Planned {
    operation: String,
    calls_left: u64,
    fault: Fault,
    stays: bool,
}

/// The plan of faults; each happens once, unless it stays.
#[derive(Debug, Default)]
pub struct Faults {
    planned: Mutex<Vec<Planned>>,
}

impl Faults {
    /// Plans a fault for the `nth` call from now of an operation (such as `CopyObject`); the next call is 1.
    /// An SDK's own repetitions count as calls.
    pub fn plan(&self, operation: &str, nth: u64, fault: Fault) {
        let operation = operation.to_owned();
        lock(&self.planned).push(Planned { operation, calls_left: nth, fault, stays: false });
    }

    /// Plans a fault for every call of an operation from now on, but those that another fault was planned for before.
    pub fn plan_for_good(&self, operation: &str, fault: Fault) {
        let operation = operation.to_owned();
        lock(&self.planned).push(Planned { operation, calls_left: 1, fault, stays: true });
    }

    /// How many planned faults have not happened yet, or stay.
    pub fn pending(&self) -> usize {
        lock(&self.planned).len()
    }

    /// Forgets all faults that have not happened, and those that stay.
    pub fn clear(&self) {
        lock(&self.planned).clear();
    }

    /// Counts one call of `operation` and takes the fault that was planned for it.
    pub(crate) fn next(&self, operation: &str, is_conditional: bool) -> Option<Fault> {
        let mut planned = lock(&self.planned);
        let is_met =
            |plan: &Planned| plan.operation == operation && (is_conditional || plan.fault != Fault::Conflict);
        for plan in planned.iter_mut().filter(|plan| is_met(plan)) {
            plan.calls_left = plan.calls_left.saturating_sub(1);
        }
        let due = planned.iter().position(|plan| is_met(plan) && plan.calls_left == 0)?;
        match planned[due].stays {
            true => Some(planned[due].fault.clone()),
            false => Some(planned.remove(due).fault),
        }
    }
}
