//! The server as a process: its life and death, its disk, its command line.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod accounts;
mod cli;
mod command_line;
mod damage;
mod disk;
mod keys;
mod life;
mod logins;
mod process;
mod push;
mod tls;
mod tls_client;
mod trash;

use std::path::Path;

const SLIPWAY: &str = env!("CARGO_BIN_EXE_slipway");

fn binary() -> &'static Path {
    Path::new(SLIPWAY)
}
