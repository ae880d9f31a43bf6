//! What the end-to-end tests share: a running server, test data, skips that say so, and who may do what.
//!
//! Everything here meets the registry from outside, as a program that listens on an address; only the accounts that
//! `access` is about are made past it.
#![expect(clippy::unwrap_used, reason = "test support: a failure here is a failed test")]

pub mod access;
pub mod content;
pub mod daemon;
pub mod images;
pub mod require;
pub mod server;
