//! What the end-to-end tests share: a running server, test data, and skips that say so.
//!
//! Everything here meets the registry from outside, as a program that listens on an address.
#![expect(clippy::unwrap_used, reason = "test support: a failure here is a failed test")]

pub mod content;
pub mod daemon;
pub mod images;
pub mod require;
pub mod server;
