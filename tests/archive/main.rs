//! What keeps a registry from being lost: repairs of a damaged data folder, and copies as OCI image layouts.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod accounts;
mod between;
mod client;
mod cloud;
mod copies;
mod folder;
mod incomplete;
mod killed;
mod nested;
mod repair;
mod stock;

use std::path::Path;

fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_slipway"))
}
