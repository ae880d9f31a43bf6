//! The registry on one machine, and its command line. `slipway` alone starts it.

mod account;
mod admission;
mod api;
mod capacity;
mod challenge;
mod cli;
mod client;
mod collection_settings;
mod commands;
mod connection;
mod content;
mod copying;
mod credentials;
mod distribution;
mod export;
mod gc;
mod housekeeping;
mod import;
mod keys;
mod layout;
mod log;
mod operator;
mod output;
mod password;
mod patience;
mod progress;
mod remote;
mod repair;
mod serve;
mod serve_settings;
mod settings;
mod site;
mod smoke;
mod storage;
mod tags;
mod times;
mod transfer;
mod watch;
mod whereabouts;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match commands::run(arguments) {
        Ok(code) => code,
        Err(error) => {
            output::print_aside(&format!("slipway: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
