//! Runs the deployed registry on one machine until Ctrl-C, to try it.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Parser;
use cloud::{Cloud, CloudOptions, Programs};

#[derive(Parser)]
#[command(about = "Runs the deployed registry on one machine: real functions and edge, stand-ins for AWS")]
struct Options {
    /// Folder with the programs of the functions
    #[arg(long, default_value = "target/debug")]
    functions: PathBuf,
    /// Leave the edge out
    #[arg(long)]
    without_edge: bool,
    /// Put a relay behind the edge
    #[arg(long)]
    with_relay: bool,
    /// A new process for every request
    #[arg(long)]
    forgetful: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let programs = Programs::find(&options.functions).map_err(|missing| anyhow!(missing.reason))?;
    let cloud = Cloud::start(
        &programs,
        &CloudOptions {
            has_edge: !options.without_edge,
            has_relay: options.with_relay,
            is_forgetful: options.forgetful,
            ..CloudOptions::default()
        },
    )?;
    println!("registry  http://{}", cloud.address());
    println!("api       http://{}", cloud.api_address());
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(tokio::signal::ctrl_c())?;
    Ok(())
}
