//! `functions` measures the functions under Lambda's runtime interface emulator: starts, memory, size, and what a
//! request costs beside a function that does nothing. The stores are the stand-ins, in this process.

mod files;
mod process;
mod starts;
mod subject;
mod warm;

use std::path::PathBuf;

use clap::Parser;
use cloud::{Cloud, CloudOptions, Credential, Programs};
use slipway_bench::Result;

#[derive(Parser)]
#[command(about = "Measures the functions under Lambda's runtime interface emulator")]
struct Options {
    /// Folder with the programs of the functions, and `noop`
    #[arg(long, default_value = "target/release")]
    functions: PathBuf,
    /// Rounds, in which every function has its turn (the median counts)
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Requests of a turn
    #[arg(long, default_value_t = 300)]
    requests: usize,
    /// Starts of each function
    #[arg(long, default_value_t = 15)]
    starts: usize,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let functions = options.functions.canonicalize()?;
    let programs = Programs::find(&functions).map_err(|missing| missing.reason)?;
    let stack = CloudOptions { has_edge: false, credential: Credential::Injected, ..CloudOptions::default() };
    let cloud = Cloud::start(&programs, &stack)?;
    let noop = subject::Noop::start(&programs)?;
    let manifest = subject::push_image(&cloud)?;

    let warm = warm::measure(&cloud, &noop, &functions, &manifest, options.rounds, options.requests)?;
    let starts = starts::measure(&cloud, &noop, options.starts)?;
    let files = files::measure(&functions, &["api", "events", "scheduled", "noop"])?;
    for table in [warm, starts, files] {
        println!("{}", table.markdown());
    }
    Ok(())
}
