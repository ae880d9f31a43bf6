//! The management API as its clients see it, on stores in memory.

#![expect(clippy::unwrap_used, reason = "in a test, a failed unwrap is a failed test")]

mod content;
mod document;
mod failures;
mod fields;
mod inputs;
mod lists;
mod rights;
mod secrets;
mod stories;
mod world;
