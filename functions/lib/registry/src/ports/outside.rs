//! Time and randomness, so that expiry and races can be tested.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Returns the time this many milliseconds after 1970.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Returns the milliseconds since 1970.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns the day, counted from 1970.
    pub const fn day(self) -> u64 {
        self.0 / (24 * 60 * 60 * 1000)
    }

    /// Returns the seconds since 1970.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// Returns the time `later` after this one.
    #[must_use]
    pub fn after(self, later: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(later.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// Tells the time. No safety argument rests on it; leases and expiry do.
pub trait Clock: Send + Sync {
    /// Returns the time now.
    fn now(&self) -> Timestamp;
}

/// Makes numbers nobody can guess.
pub trait Random: Send + Sync {
    /// Returns 128 random bits.
    fn bits(&self) -> u128;
}

/// The clock of this machine.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::default().after(since_1970)
    }
}

/// The random numbers of the operating system.
#[derive(Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    /// # Panics
    ///
    /// When the operating system has no random numbers to give.
    fn bits(&self) -> u128 {
        let mut bytes = [0; 16];
        #[expect(clippy::expect_used, reason = "without randomness an upload id could be guessed")]
        getrandom::fill(&mut bytes).expect("the operating system gives random numbers");
        u128::from_le_bytes(bytes)
    }
}
