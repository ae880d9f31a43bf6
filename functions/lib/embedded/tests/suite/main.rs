//! What the embedded stores promise.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod contract;
mod durability;
mod formats;
mod formats_access;
mod quarantine;
mod trash;
