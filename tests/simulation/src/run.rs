//! One run: a seed, and everything that follows from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use registry::Lifetimes;

use crate::client::Client;
use crate::dice::Dice;
use crate::events::adopt_forgotten;
use crate::programs::collect;
use crate::stores::Reads;
use crate::verdict::Judge;
use crate::weather::Weather;
use crate::world::{Plan, World};

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The promises that were broken.
    pub violations: Vec<String>,
    /// A number that another run has only if the same has happened in it.
    pub print: u64,
    /// How many storage calls there were.
    pub calls: u64,
    /// How many pushes and deletions were acknowledged.
    pub acknowledged: u64,
}

/// Runs the seed; `is_told` prints everything that happens.
pub fn run(seed: u64, is_told: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    match runtime {
        Ok(runtime) => runtime.block_on(run_in(seed, is_told)),
        Err(error) => Outcome { violations: vec![error.to_string()], ..Outcome::default() },
    }
}

/// Sessions may be so short that an adoption outlasts its own.
fn lifetimes(dice: &Dice) -> Lifetimes {
    const SHORT: Duration = Duration::from_secs(12 * 60 * 60);
    let usual = Lifetimes::default();
    if dice.one_in(2) { Lifetimes { upload: SHORT, ..usual } } else { usual }
}

async fn run_in(seed: u64, is_told: bool) -> Outcome {
    let dice = Dice::new(seed, 0);
    let collectors = 1 + dice.below(2);
    let is_cloud = seed % 4 == 3;
    let plan = Plan {
        seed,
        weather: Weather::new(&dice),
        collectors,
        reads: Reads::Strong,
        lifetimes: if is_cloud { lifetimes(&Dice::new(seed, 6)) } else { Lifetimes::default() },
        is_cloud,
        is_told,
    };
    let world = World::new(plan);
    world.tell(|| format!("seed {seed}: {:?}", world.weather));
    let is_over = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    for number in 0..2 + dice.below(3) {
        let (client, deeds) = (Client::new(&world, number, seed), 3 + dice.below(4));
        clients.push(tokio::spawn(async move { client.work(deeds).await }));
    }
    for process in plan.serving()..plan.serving() + collectors {
        let dice = Dice::new(seed, 1000 + process as u64);
        tokio::spawn(collect(Arc::clone(&world), process, dice, Arc::clone(&is_over)));
    }
    if plan.is_cloud {
        let dice = Dice::new(seed, 5);
        tokio::spawn(adopt_forgotten(Arc::clone(&world), dice, Arc::clone(&is_over)));
    }
    world.run(|| clients.iter().all(tokio::task::JoinHandle::is_finished)).await;
    is_over.store(true, Ordering::SeqCst);
    for client in clients.into_iter().filter(tokio::task::JoinHandle::is_finished) {
        if let Err(error) = client.await {
            world.ledger.accuse(format!("a client ended early: {error}"));
        }
    }
    world.end().await;
    if world.ledger.is_clean() {
        Judge::new(&world).judge().await;
    }
    Outcome {
        violations: world.ledger.violations(),
        print: world.print(),
        calls: world.gate.calls(),
        acknowledged: world.ledger.acknowledged(),
    }
}
