//! Runs the deployed registry on one machine until Ctrl-C or SIGTERM, to try it; fails if a function has failed.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Parser;
use cloud::{Cloud, CloudOptions, Credential, Programs};
use gateway_standin::Function;
use tokio::signal::unix::{SignalKind, signal};

/// How much is shown of what a function wrote that failed.
const LOG_LINES: usize = 20;

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
    /// Let the edge authorise uploads by capabilities, as with `Uploads=capability`
    #[arg(long, conflicts_with = "without_edge")]
    capability: bool,
    /// A new process for every request
    #[arg(long)]
    forgetful: bool,
    /// Take whoever shows no credential for the administrator
    #[arg(long)]
    logged_in: bool,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let programs = Programs::find(&options.functions).map_err(|missing| anyhow!(missing.reason))?;
    let cloud = Cloud::start(
        &programs,
        &CloudOptions {
            has_edge: !options.without_edge,
            has_relay: options.with_relay,
            has_capability: options.capability,
            is_forgetful: options.forgetful,
            credential: if options.logged_in { Credential::Injected } else { Credential::None },
            ..CloudOptions::default()
        },
    )?;
    println!("registry  http://{}", cloud.address());
    println!("login     admin {}", cloud.first_password());
    println!("header    Authorization: {}", cloud.authorization()?);
    println!("lambda    http://{}", cloud.lambda_address());
    println!("api       http://{}", cloud.api_address());
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(told_to_end())?;
    for name in ["ApiReadFunction", "ApiWriteFunction", "ApiTokenFunction", "EventsFunction"] {
        println!("{name}: {}", summary(cloud.function(name)));
    }
    let failures = cloud.failures();
    for (name, times) in &failures {
        eprintln!("{name} failed {times} times:\n{}", end_of_log(cloud.function(name)));
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn told_to_end() -> std::io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}

fn end_of_log(function: &Function) -> String {
    let lines = function.log();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}

/// What the emulator and the system say of a function's processes.
fn summary(function: &Function) -> String {
    let reports = function.reports();
    let mut init_ms: Vec<f64> = reports.iter().filter_map(|report| report.init_ms).collect();
    let mut duration_ms: Vec<f64> = reports.iter().map(|report| report.duration_ms).collect();
    let memory_mb = reports.iter().filter_map(|report| report.max_memory_mb).fold(0.0, f64::max);
    format!(
        "{} calls in {} processes; init {:.1} ms, call {:.1} ms (medians); at most {memory_mb:.1} MB; {} bytes in, {} out",
        function.invocations(),
        function.processes_started(),
        median(&mut init_ms),
        median(&mut duration_ms),
        function.bytes().request,
        function.bytes().response,
    )
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
