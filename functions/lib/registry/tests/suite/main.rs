//! The registry as its clients see it: asked through its HTTP service, on stores in memory.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod access;
mod call_counts;
mod client;
mod collection;
mod content;
mod contract;
mod deletions;
mod descriptors;
mod direct;
mod faults;
mod guards;
mod large_manifests;
mod lifetimes;
mod log;
mod older;
mod overtaken;
mod probe;
mod races;
mod recovery;
mod repair;
mod replies;
mod slowness;
mod uploads_model;
mod world;
mod yielding;
