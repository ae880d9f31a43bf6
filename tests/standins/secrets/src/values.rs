//! The values of the secret, the last two of which can be read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// One value, and the stages it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) secret: String,
    pub(crate) version_id: String,
    pub(crate) stage: &'static str,
}

/// All values so far; the last is the current one.
pub(crate) struct Values {
    secrets: Mutex<Vec<String>>,
    reads: AtomicU64,
}

impl Values {
    pub(crate) fn new(secret: &str) -> Self {
        Self { secrets: Mutex::new(vec![secret.to_owned()]), reads: AtomicU64::new(0) }
    }

    pub(crate) fn rotate(&self, secret: &str) {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).push(secret.to_owned());
    }

    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Returns the value of a stage, if there is one.
    pub(crate) fn at(&self, stage: &str) -> Option<Value> {
        let (stage, age) = match stage {
            "AWSCURRENT" => ("AWSCURRENT", 1),
            "AWSPREVIOUS" => ("AWSPREVIOUS", 2),
            _ => return None,
        };
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let index = secrets.len().checked_sub(age)?;
        self.reads.fetch_add(1, Ordering::Relaxed);
        let version_id = format!("{index:08x}-0000-4000-8000-000000000000");
        Some(Value { secret: secrets[index].clone(), version_id, stage })
    }
}
