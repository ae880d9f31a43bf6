//! The management API as its clients see it, on stores in memory.

#![expect(clippy::unwrap_used, reason = "in a test, a failed unwrap is a failed test")]

mod content;
mod document;
mod failures;
mod faults;
mod fields;
mod inputs;
mod lists;
#[path = "../../../registry/tests/suite/probe.rs"]
#[expect(dead_code, reason = "the calls of each store are counted elsewhere")]
mod probe;
mod rights;
mod secrets;
mod stories;
mod world;
