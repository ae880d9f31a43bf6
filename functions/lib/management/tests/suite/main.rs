//! The management API as its clients see it, on stores in memory.

mod document;
mod failures;
mod inputs;
mod lists;
mod rights;
mod secrets;
mod stories;
mod world;
