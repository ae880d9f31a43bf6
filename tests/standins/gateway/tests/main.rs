//! The gateway stand-in against functions in this process, and the emulator with a real function.
#![expect(clippy::unwrap_used, reason = "in a test, a failed unwrap is a failed test")]

mod api;
mod bodies;
mod challenge;
mod emulator;
mod events;
mod functions;
mod limits;
mod manners;
mod paths;
mod replies;
mod requests;
mod routes;
mod wire;
