//! What is measured on an open database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use slipway_bench::Result;
use slipway_bench::noise::Noise;
use slipway_bench::stats::Latencies;

use crate::engine::Engine;
use crate::group::Writer;
use crate::items::{ITEMS_PER_TRANSACT, key, repository_start, transact};

const READERS: u64 = 2;
const SCAN_ITEMS: usize = 1000;
const SCANS: u64 = 200;

/// What a run needs to know: how many items are stored, and where new numbers come from.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) stored: u64,
    pub(crate) next: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Run {
    /// New items get numbers from `first` on.
    pub(crate) fn new(stored: u64, first: u64) -> Self {
        Self { stored, next: Arc::new(AtomicU64::new(first)), stop: Arc::default() }
    }
}

/// Lets `threads` write, each its next transaction as soon as its last is durable, until the run stops.
pub(crate) fn start_writers(writer: &Writer, threads: u64, run: &Run) -> Vec<JoinHandle<Result<Latencies>>> {
    let start = |thread| {
        let (writer, run) = (writer.clone(), run.clone());
        thread::spawn(move || write_until_stopped(&writer, thread, &run))
    };
    (0..threads).map(start).collect()
}

fn write_until_stopped(writer: &Writer, thread: u64, run: &Run) -> Result<Latencies> {
    let mut noise = Noise::new(thread);
    let mut latencies = Latencies::default();
    while !run.stop.load(Ordering::Relaxed) {
        let first = run.next.fetch_add(ITEMS_PER_TRANSACT, Ordering::Relaxed);
        let transact = transact(noise.below(run.stored), first);
        let begin = Instant::now();
        if !writer.transact(transact)? {
            return Err("an item that was stored is missing".into());
        }
        latencies.push(begin.elapsed());
    }
    Ok(latencies)
}

/// Durable transactions of one moment: how many, how long each took, how many shared a commit.
pub(crate) struct Written {
    pub(crate) per_second: f64,
    pub(crate) latencies: Latencies,
    pub(crate) group: f64,
    pub(crate) reads_per_second: f64,
}

/// Writes with `threads` for `duration`, with two threads that read random items beside them or without.
pub(crate) fn write(
    engine: &Arc<dyn Engine>,
    writer: &Writer,
    threads: u64,
    duration: Duration,
    with_readers: bool,
    run: &Run,
) -> Result<Written> {
    let run = Run { stop: Arc::default(), ..run.clone() };
    let commits_before = writer.commits();
    let begin = Instant::now();
    let writers = start_writers(writer, threads, &run);
    let readers: Vec<_> = (0..if with_readers { READERS } else { 0 })
        .map(|reader| {
            let (engine, run) = (Arc::clone(engine), run.clone());
            thread::spawn(move || read_until_stopped(&*engine, reader, &run))
        })
        .collect();
    thread::sleep(duration);
    run.stop.store(true, Ordering::Relaxed);
    let mut latencies = Latencies::default();
    for thread in writers {
        latencies.append(join(thread)?);
    }
    let seconds = begin.elapsed().as_secs_f64();
    let reads = readers.into_iter().map(join).sum::<Result<u64>>()?;
    let transactions = latencies.count() as f64;
    let commits =
        writer.commits().zip(commits_before).map_or(transactions, |(now, then)| (now - then) as f64);
    Ok(Written {
        per_second: transactions / seconds,
        latencies,
        group: transactions / commits,
        reads_per_second: reads as f64 / seconds,
    })
}

fn read_until_stopped(engine: &dyn Engine, reader: u64, run: &Run) -> Result<u64> {
    let mut noise = Noise::new(u64::MAX - reader);
    let mut reads = 0;
    while !run.stop.load(Ordering::Relaxed) {
        read(engine, noise.below(run.stored))?;
        reads += 1;
    }
    Ok(reads)
}

/// Reads random items with one thread and returns how many a second.
pub(crate) fn point_reads(engine: &dyn Engine, duration: Duration, stored: u64) -> Result<f64> {
    let mut noise = Noise::new(7);
    let begin = Instant::now();
    let mut reads = 0;
    while begin.elapsed() < duration {
        read(engine, noise.below(stored))?;
        reads += 1;
    }
    Ok(f64::from(reads) / begin.elapsed().as_secs_f64())
}

fn read(engine: &dyn Engine, number: u64) -> Result<()> {
    engine.get(&key(number))?.ok_or("an item that was stored is missing")?;
    Ok(())
}

/// Reads a thousand items in order, at many places.
pub(crate) fn scans(engine: &dyn Engine) -> Result<Latencies> {
    let mut latencies = Latencies::default();
    for place in 0..SCANS {
        let start = repository_start(place * 4);
        let begin = Instant::now();
        engine.scan(&start, SCAN_ITEMS)?;
        latencies.push(begin.elapsed());
    }
    Ok(latencies)
}

fn join<T>(thread: JoinHandle<Result<T>>) -> Result<T> {
    thread.join().map_err(|_| "a thread panicked")?
}
