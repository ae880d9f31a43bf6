//! The stages of one database's run, each in a process of its own so that memory and a kill count alone.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde_json::{Value, json};
use slipway_bench::{Result, process};

use crate::Settings;
use crate::engine::{Engine, Kind, Transact};
use crate::group::Writer;
use crate::items::{ITEMS_PER_TRANSACT, key, transact};
use crate::workload::{Run, point_reads, scans, start_writers, write};

/// Transactions in one commit while the database is filled.
const FILL_GROUP: u64 = 4000;
const CRASH_NUMBERS: u64 = 1 << 32;
const MEASURE_NUMBERS: u64 = 1 << 33;

/// A stage.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Stage {
    /// Stores the items and closes the database.
    Fill,
    /// Writes until it is killed.
    Crash,
    /// Opens the database and reads one item.
    Open,
    /// Measures an open database.
    Measure,
}

impl Stage {
    /// Runs the stage and returns its figures.
    pub(crate) fn run(self, kind: Kind, folder: &Path, settings: &Settings) -> Result<Value> {
        let begin = Instant::now();
        let engine = kind.open(folder, settings.cache_mib << 20)?;
        match self {
            Self::Fill => fill(&*engine, settings.items),
            Self::Crash => crash(engine, kind, settings),
            Self::Open => open(&*engine, begin),
            Self::Measure => measure(&engine, kind, settings),
        }
    }
}

fn fill(engine: &dyn Engine, items: u64) -> Result<Value> {
    let begin = Instant::now();
    let transactions = items.div_ceil(ITEMS_PER_TRANSACT);
    for start in (0..transactions).step_by(FILL_GROUP as usize) {
        let end = (start + FILL_GROUP).min(transactions);
        let group: Vec<_> = (start..end).map(|number| filling(number * ITEMS_PER_TRANSACT)).collect();
        engine.commit(&group)?;
    }
    Ok(json!({ "seconds": begin.elapsed().as_secs_f64() }))
}

/// The items from `first` on, without a condition: there is nothing yet to depend on.
fn filling(first: u64) -> Transact {
    Transact { must_exist: None, ..transact(first, first) }
}

fn crash(engine: Arc<dyn Engine>, kind: Kind, settings: &Settings) -> Result<Value> {
    let writer = Writer::new(engine, kind.is_grouped());
    let threads = start_writers(&writer, settings.writers, &Run::new(settings.items, CRASH_NUMBERS));
    println!("writing");
    for thread in threads {
        thread.join().map_err(|_| "a writer panicked")??;
    }
    Err("the writers ended before the kill".into())
}

fn open(engine: &dyn Engine, begin: Instant) -> Result<Value> {
    engine.get(&key(0))?.ok_or("the first item is missing")?;
    let open_ms = begin.elapsed().as_secs_f64() * 1e3;
    let memory = process::memory(std::process::id())?;
    Ok(json!({ "open_ms": open_ms, "peak_bytes": memory.peak_bytes }))
}

fn measure(engine: &Arc<dyn Engine>, kind: Kind, settings: &Settings) -> Result<Value> {
    let duration = Duration::from_secs(settings.seconds);
    let writer = Writer::new(Arc::clone(engine), kind.is_grouped());
    let run = Run::new(settings.items, MEASURE_NUMBERS);
    let mut many = write(engine, &writer, settings.writers, duration, false, &run)?;
    let mut one = write(engine, &writer, 1, duration, false, &run)?;
    let mixed = write(engine, &writer, settings.writers, duration, true, &run)?;
    let reads_per_second = point_reads(&**engine, duration, settings.items)?;
    let mut scans = scans(&**engine)?;
    let memory = process::memory(std::process::id())?;
    Ok(json!({
        "transactions_per_second": many.per_second,
        "p50_ms": many.latencies.percentile_ms(50.0),
        "p99_ms": many.latencies.percentile_ms(99.0),
        "group": many.group,
        "one_p50_ms": one.latencies.percentile_ms(50.0),
        "one_p99_ms": one.latencies.percentile_ms(99.0),
        "mixed_transactions_per_second": mixed.per_second,
        "mixed_reads_per_second": mixed.reads_per_second,
        "reads_per_second": reads_per_second,
        "scan_p50_ms": scans.percentile_ms(50.0),
        "resident_bytes": memory.resident_bytes,
        "peak_bytes": memory.peak_bytes,
    }))
}
