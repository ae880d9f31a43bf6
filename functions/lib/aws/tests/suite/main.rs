//! The adapters on stand-ins for DynamoDB and S3, which check signatures and keep AWS's limits.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod calls;
mod client;
mod collections;
mod conflicts;
mod contract;
mod copies;
mod engine;
mod engines;
mod items;
mod lanes;
mod objects;
mod overlaps;
mod parts;
mod recovery;
mod retries;
mod tokens;
mod world;
