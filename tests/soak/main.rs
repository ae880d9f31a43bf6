//! Clients that push, pull, mount and delete all the time, while garbage is collected all the time.
//!
//! A server of its own, asked over HTTP. Each client owns its repositories and knows what has to be in them, and all
//! share the blobs: what one takes away is what another is just about to use. Leases last seconds instead of a day.
//!
//! - `SLIPWAY_SOAK_EVENTS`, `SLIPWAY_SOAK_COLLECTIONS` and `SLIPWAY_SOAK_KILLS` make the runs longer (`make soak`).
//! - `SLIPWAY_SOAK_SEED` repeats what the clients choose; their order is the machine's.
#![expect(clippy::unwrap_used, reason = "in a test a failed unwrap is a failed test")]

mod client;
mod collector;
mod ground;
mod pool;
mod shelf;
mod tally;
mod trouble;
mod worker;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use ground::Ground;
use pool::Pool;
use tally::Tally;
use test_support::server::Server;
use worker::Worker;

/// How many clients there are.
const CLIENTS: u64 = 8;

/// How long a blob is kept that no manifest needs. A push that takes longer may be refused, and begins anew.
const LEASE: Duration = Duration::from_secs(2);

/// At most one push in so many may be refused so: a lease that ends early must not pass for a slow machine.
const PUSHES_PER_LATE: u64 = 20;

/// At least one kill in so many cuts off a collection.
const KILLS_PER_COLLECTION: u64 = 4;

/// How often one data folder is killed. Its database grows with every push, and with it the time of a start.
const KILLS_PER_FOLDER: u64 = 500;

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |text| text.parse().unwrap())
}

fn first_seed() -> u64 {
    number("SLIPWAY_SOAK_SEED", 1)
}

/// Starts clients that go on until the tally says so; returns them when all have stopped.
async fn work(seed: u64, ground: &Ground, pool: &Arc<Pool>, tally: &Arc<Tally>) -> Vec<Worker> {
    let workers = (0..CLIENTS).map(|id| {
        let mut worker = Worker::new(id, seed, ground.url(), Arc::clone(pool), Arc::clone(tally));
        tokio::spawn(async move {
            worker.work().await;
            worker
        })
    });
    let workers: Vec<_> = workers.collect();
    let mut done = Vec::new();
    for worker in workers {
        done.push(worker.await.unwrap());
    }
    done
}

/// Everything that was acknowledged is there, and when it was deleted, nothing is left.
async fn settle(ground: Ground, mut workers: Vec<Worker>, tally: &Tally) {
    for worker in &mut workers {
        worker.check_all().await;
    }
    for worker in &mut workers {
        worker.delete_all().await;
    }
    ground.collect_until_empty(tally).await;
    ground.end(tally);
    println!("{tally}");
    let late = tally.late.load(Relaxed);
    assert!(late * PUSHES_PER_LATE <= tally.pushes(), "{late} pushes were too late");
    assert_eq!(tally.complaints(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_client_notices_that_garbage_is_collected_and_nothing_is_lost() {
    let (events, collections) = (number("SLIPWAY_SOAK_EVENTS", 4000), number("SLIPWAY_SOAK_COLLECTIONS", 10));
    let tally = Arc::new(Tally::until_events(events, collections));
    let (ground, pool) = (Ground::new(LEASE), Arc::new(Pool::new()));
    let collecting = ground.collect(Arc::clone(&tally));
    let workers = work(first_seed(), &ground, &pool, &tally).await;
    collecting.await.unwrap();
    let blobs_gone = tally.blobs_gone.load(Relaxed);
    settle(ground, workers, &tally).await;
    assert!(blobs_gone > 0, "no blob was collected beside the clients: this showed nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kills_at_any_moment() {
    let (mut left, mut seed) = (number("SLIPWAY_SOAK_KILLS", 200), first_seed());
    while left > 0 {
        let kills = left.min(KILLS_PER_FOLDER);
        survive(seed, kills).await;
        (left, seed) = (left - kills, seed + 1);
    }
}

async fn survive(seed: u64, kills: u64) {
    let tally = Arc::new(Tally::until_kills(kills));
    let (ground, pool) = (Ground::new(LEASE), Arc::new(Pool::new()));
    let collecting = ground.collect_through_kills(&tally);
    let killing = ground.kill(Arc::clone(&tally));
    let workers = work(seed, &ground, &pool, &tally).await;
    killing.await.unwrap();
    collecting.await.unwrap();
    let (blobs_gone, cut) = (tally.blobs_gone.load(Relaxed), tally.collections_cut.load(Relaxed));
    println!("{blobs_gone} blobs went between the kills, which cut off {cut} collections");
    settle(ground, workers, &tally).await;
    assert!(blobs_gone > 0, "no blob was collected between the kills: this showed nothing of collectors");
    assert!(cut * KILLS_PER_COLLECTION >= kills, "{cut} of {kills} kills met a collection");
}

/// The server collects by itself, too, now and then.
fn start() -> Server {
    let lease = format!("{}ms", LEASE.as_millis());
    Server::start_with(
        std::path::Path::new(env!("CARGO_BIN_EXE_slipway")),
        &["--lease", &lease, "--gc-every", "100ms", "--gc-history", "off", "--gc-trash", "0"],
    )
}
