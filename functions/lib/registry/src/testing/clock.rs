//! A clock that tests set, and random numbers that repeat.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::ports::{Clock, Random, Timestamp};

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct SetClock(AtomicU64);

impl Default for SetClock {
    fn default() -> Self {
        const SOME_DAY_IN_2026: u64 = 1_790_000_000_000;
        Self(AtomicU64::new(SOME_DAY_IN_2026))
    }
}

impl SetClock {
    /// Returns a clock that shows this time.
    pub fn at(time: Timestamp) -> Self {
        Self(AtomicU64::new(time.as_millis()))
    }

    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Numbers that look random and are the same for the same seed (splitmix64).
#[derive(Debug)]
pub struct SeededRandom(Mutex<u64>);

impl SeededRandom {
    /// Returns the numbers of this seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    fn next(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

impl Random for SeededRandom {
    fn bits(&self) -> u128 {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (u128::from(Self::next(&mut state)) << 64) | u128::from(Self::next(&mut state))
    }
}
