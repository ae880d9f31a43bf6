//! The stand-in as the real client meets it: what the registry asks of DynamoDB (not: secondary
//! indexes, it has none), every fault once, and who is let in.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod batches;
mod calls;
mod conditions;
mod faults;
mod items;
mod life;
mod limits;
mod queries;
mod random_faults;
mod signatures;
mod stream;
mod transactions;
mod world;
