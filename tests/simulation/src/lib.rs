//! The registry's own code on stores in memory, where a seed decides everything.
//!
//! Clients push, pull, mount and delete; collectors run; each storage call waits at a gate, and a scheduler that knows
//! nothing but the seed says which happens next, which fails and how, which process dies, and when time passes
//! (`docs/reliability.md`). What clients were told is written down and held against what can be pulled in the end.

mod bounds;
mod chunks;
mod client;
mod cloud;
mod content;
mod dice;
mod direct;
mod events;
mod gate;
mod ledger;
mod programs;
mod pulling;
mod pushing;
mod register;
mod run;
mod search;
mod stores;
mod tags;
mod verdict;
mod weather;
mod world;

pub use register::{Act, Event, is_linearizable};
pub use run::{Outcome, run};
pub use search::{each, search};
pub use tags::{History, TAGS, history};
