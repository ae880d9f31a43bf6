//! Who may do what on one machine: the whole matrix over HTTP, of `slipway serve --auth`.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod beforehand;
mod matrix;
