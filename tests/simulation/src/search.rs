//! Many seeds, on all processors.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::{Outcome, run};

/// So many failing seeds are told.
const TOLD_MAX: usize = 5;

/// What came of many runs.
#[derive(Default)]
struct Sum {
    calls: u64,
    acknowledged: u64,
    failed: Vec<(u64, Outcome)>,
}

/// Runs all seeds; prints the sums, and for each that fails the command that replays it. Returns whether none does.
pub fn search(seeds: Range<u64>) -> bool {
    let (count, sum) = (seeds.end - seeds.start, Mutex::new(Sum::default()));
    each(seeds, |seed| {
        let outcome = std::panic::catch_unwind(|| run(seed, false))
            .unwrap_or_else(|_| Outcome { violations: vec!["it panicked".to_owned()], ..Outcome::default() });
        let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
        sum.calls += outcome.calls;
        sum.acknowledged += outcome.acknowledged;
        if !outcome.violations.is_empty() {
            sum.failed.push((seed, outcome));
        }
    });
    let sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!(
        "{count} seeds, {} storage calls, {} pushes and deletions acknowledged, {} seeds failed",
        sum.calls,
        sum.acknowledged,
        sum.failed.len(),
    );
    for (seed, outcome) in sum.failed.iter().take(TOLD_MAX) {
        println!("seed {seed}: {:#?}\n  replay it: cargo run -p simulation -- {seed}", outcome.violations);
    }
    sum.failed.is_empty()
}

/// Does the work with each seed, on all processors.
pub fn each(seeds: Range<u64>, work: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(seeds.start);
    let take_turns = || {
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= seeds.end {
                return;
            }
            work(seed);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(take_turns);
        }
    });
}
