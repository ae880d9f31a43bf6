//! Histories of tags: clients move, read and delete a few tags, and write down what they were told.

use std::sync::Arc;

use http::Method;
use registry::Lifetimes;

use crate::client::{Ask, Client, manifest};
use crate::content::REPOSITORIES;
use crate::register::{Act, Event};
use crate::stores::Reads;
use crate::weather::Weather;
use crate::world::{Plan, World};

/// How many tags there are.
pub const TAGS: usize = 16;

/// How many manifests they lead to: images, that need no other manifest.
const MANIFESTS: usize = 3;

/// What one client did with each tag.
type Notes = Vec<Vec<Event>>;

/// What many clients did: for each tag, for each client, its events.
#[derive(Debug, Default)]
pub struct History {
    /// The events.
    pub tags: Vec<Vec<Vec<Event>>>,
    /// Answers that no client should get.
    pub violations: Vec<String>,
}

impl History {
    /// Returns how many events there are.
    pub fn events(&self) -> usize {
        self.tags.iter().flatten().map(Vec::len).sum()
    }
}

/// Runs so many clients, each of which does so many things with tags of one repository.
///
/// With `is_stale` the stores' reads are eventually consistent, which no registry can stand.
pub fn history(seed: u64, clients: usize, deeds: usize, is_stale: bool) -> History {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    match runtime {
        Ok(runtime) => runtime.block_on(history_in(seed, clients, deeds, is_stale)),
        Err(error) => History { violations: vec![error.to_string()], ..History::default() },
    }
}

async fn history_in(seed: u64, clients: usize, deeds: usize, is_stale: bool) -> History {
    let reads = if is_stale { Reads::EventualOfTags } else { Reads::Strong };
    let plan = Plan {
        seed,
        weather: Weather::fair(),
        collectors: 0,
        reads,
        lifetimes: Lifetimes::default(),
        is_cloud: false,
        is_told: false,
    };
    let world = World::new(plan);
    let pusher = Client::new(&world, clients, seed);
    let prepared = tokio::spawn(async move {
        for number in 0..MANIFESTS {
            pusher.push(0, number, None).await;
        }
    });
    world.run(|| prepared.is_finished()).await;
    let mut at_work = Vec::new();
    for number in 0..clients {
        let client = Client::new(&world, number, seed);
        at_work.push(tokio::spawn(async move { client.use_tags(deeds).await }));
    }
    world.run(|| at_work.iter().all(tokio::task::JoinHandle::is_finished)).await;
    let mut history = History { tags: vec![Vec::new(); TAGS], violations: world.ledger.violations() };
    for notes in at_work.into_iter().filter(tokio::task::JoinHandle::is_finished) {
        for (tag, events) in notes.await.unwrap_or_default().into_iter().enumerate() {
            history.tags[tag].push(events);
        }
    }
    history
}

impl Client {
    async fn use_tags(self, deeds: usize) -> Notes {
        let mut notes = vec![Vec::new(); TAGS];
        for _ in 0..deeds {
            let tag = self.dice.below(TAGS);
            let begin = self.world.ledger.moment();
            if let Some(act) = self.use_tag(tag).await {
                notes[tag].push(Event { begin, end: self.world.ledger.moment(), act });
            }
        }
        notes
    }

    /// Returns what was done; `None` if the registry refused it because too many wanted the same.
    async fn use_tag(&self, tag: usize) -> Option<Act> {
        let world = Arc::clone(&self.world);
        let path = format!("/v2/{}/manifests/t{tag}", REPOSITORIES[0]);
        match self.dice.below(20) {
            0..=8 => {
                let reply = self.send(Ask::new(Method::GET, path)).await?;
                match reply.status {
                    200 => Some(Act::Read(world.universe.manifest_of(reply.header("docker-content-digest")))),
                    404 => Some(Act::Read(None)),
                    _ => None,
                }
            }
            9..=16 => {
                let number = self.dice.below(MANIFESTS);
                let content = &world.universe.manifests[number].content;
                let reply = self.send(Ask::put(manifest(0, &format!("t{tag}")), content)).await?;
                (reply.status == 201).then_some(Act::Write(number))
            }
            _ => {
                let reply = self.send(Ask::new(Method::DELETE, path)).await?;
                match reply.status {
                    202 => Some(Act::Clear { was_there: true }),
                    404 => Some(Act::Clear { was_there: false }),
                    _ => None,
                }
            }
        }
    }
}
