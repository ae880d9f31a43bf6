//! The registry on one machine, and its command line. `slipway` alone starts it.

mod admission;
mod challenge;
mod cli;
mod commands;
mod connection;
mod keys;
mod operator;
mod serve;
mod serve_settings;
mod settings;
mod smoke;
mod storage;
mod watch;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match commands::run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("slipway: {error:#}");
            ExitCode::FAILURE
        }
    }
}
