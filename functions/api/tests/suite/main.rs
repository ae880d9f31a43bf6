//! The function as the Lambda service calls it: events of every source in, the registry's answers out.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod pushing;
mod recorded;
mod reply;
mod source;
mod stories;
mod world;
