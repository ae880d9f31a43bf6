//! Requests at the same time, in many orders: what was acknowledged holds, and nothing is broken afterwards.

mod adoptions;
mod collections;
mod collections_untagged;
mod deletes;
mod deletes_of_many_tags;
mod pushes;
mod uploads;

use crate::client::Client;
use crate::world::World;

/// How many orders of storage calls each race is run in.
const SEEDS: u64 = 300;

/// Where the competitors ask.
#[derive(Clone, Copy, Debug)]
enum Processes {
    /// Both ask the same process.
    One,
    /// Each asks its own, as on Lambda.
    Two,
}

impl Processes {
    const BOTH: [Self; 2] = [Self::One, Self::Two];

    fn clients(self, world: &World) -> (Client, Client) {
        let first = world.client();
        let second = if let Self::One = self { first.clone() } else { world.client() };
        (first, second)
    }
}

/// Runs the race in every order, on one process and on two, and checks the storage after each.
fn in_every_order(race: &impl AsyncFn(&World, Client, Client)) {
    for processes in Processes::BOTH {
        in_every_order_of(processes, race);
    }
}

/// Runs the race in every order.
fn in_every_order_of(processes: Processes, race: &impl AsyncFn(&World, Client, Client)) {
    in_every_order_in(World::yielding, processes, race);
}

/// Runs the race in every order, in worlds of one kind.
fn in_every_order_in(
    world: impl Fn(u64) -> World,
    processes: Processes,
    race: &impl AsyncFn(&World, Client, Client),
) {
    in_orders(SEEDS, world, processes, race);
}

/// Runs the race in so many orders.
fn in_orders(
    seeds: u64,
    world: impl Fn(u64) -> World,
    processes: Processes,
    race: &impl AsyncFn(&World, Client, Client),
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for seed in 0..seeds {
        // Shown when the test fails: the last one is the culprit.
        println!("seed {seed}, {processes:?}");
        let world = world(seed);
        let (first, second) = processes.clients(&world);
        runtime.block_on(async {
            race(&world, first, second).await;
            world.fsck().await;
        });
    }
}

/// Fails unless the status is one of these.
#[track_caller]
fn assert_one_of(reply: &crate::client::Reply, statuses: &[u16]) {
    assert!(statuses.contains(&reply.status.as_u16()), "{statuses:?} expected: {reply:#?}");
}
