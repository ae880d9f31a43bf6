//! `stores` compares the databases that could keep Slipway's items on one machine, used as Slipway uses one:
//! small durable transactions of many threads, committed in groups.

mod disk;
mod engine;
mod fjall_engine;
mod group;
mod items;
mod redb_engine;
mod stages;
mod workload;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use clap::{Args, Parser, ValueEnum};
use serde_json::{Value, json};
use slipway_bench::Result;
use slipway_bench::report::{Table, mib, number};

use crate::engine::Kind;
use crate::stages::Stage;

#[derive(Parser)]
#[command(about = "Compares databases for Slipway's items")]
struct Options {
    #[command(flatten)]
    settings: Settings,
    /// Only databases whose name contains this
    #[arg(long, default_value = "")]
    filter: String,
    /// Folder for the databases, on the disk to measure; emptied afterwards
    #[arg(long, default_value = "target/bench/stores")]
    work: PathBuf,
    /// Where to write the figures as JSON
    #[arg(long, default_value = "target/bench/stores.json")]
    json: PathBuf,
    /// Runs one stage on one database (used by the program itself)
    #[arg(long, hide = true, requires = "kind")]
    stage: Option<Stage>,
    #[arg(long, hide = true)]
    kind: Option<Kind>,
}

/// Sizes of the run.
#[derive(Args, Clone)]
struct Settings {
    /// Items stored before anything is measured
    #[arg(long, default_value_t = 1_000_000)]
    items: u64,
    /// Threads that write at once
    #[arg(long, default_value_t = 32)]
    writers: u64,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Cache of the database in MiB
    #[arg(long, default_value_t = 16)]
    cache_mib: usize,
}

fn main() -> Result<()> {
    let options = Options::parse();
    if let (Some(stage), Some(kind)) = (options.stage, options.kind) {
        println!("{}", stage.run(kind, &options.work, &options.settings)?);
        return Ok(());
    }
    let mut results = Vec::new();
    for kind in Kind::value_variants().iter().filter(|kind| kind.name().contains(&options.filter)) {
        eprintln!("{}", kind.name());
        results.push(compare_one(*kind, &options)?);
    }
    print!("{}", table(&results, &options.settings).markdown());
    fs::create_dir_all(options.json.parent().unwrap_or(Path::new(".")))?;
    fs::write(&options.json, serde_json::to_string_pretty(&results)?)?;
    Ok(())
}

/// Fills a database, kills it while it writes, opens it again cold and warm, and measures it.
fn compare_one(kind: Kind, options: &Options) -> Result<Value> {
    let folder = options.work.join(kind.name());
    let cold = options.work.join(format!("{}-cold", kind.name()));
    fs::create_dir_all(&folder)?;
    let child = |stage, folder: &Path| child(stage, kind, folder, options);

    let fill = child(Stage::Fill, &folder)?;
    let filled_bytes = disk::used_bytes(&folder)?;
    let clean_open = child(Stage::Open, &folder)?;
    write_and_kill(kind, &folder, options)?;
    disk::copy(&folder, &cold)?;
    disk::make_cold(&cold)?;
    let open_cold = child(Stage::Open, &cold)?;
    let open_warm = child(Stage::Open, &folder)?;
    let measured = child(Stage::Measure, &folder)?;
    let result = json!({
        "name": kind.name(), "fill": fill, "filled_bytes": filled_bytes, "clean_open": clean_open,
        "open_cold": open_cold, "open_warm": open_warm, "measured": measured,
        "bytes": disk::used_bytes(&folder)?,
    });
    fs::remove_dir_all(folder)?;
    fs::remove_dir_all(cold)?;
    Ok(result)
}

fn child(stage: Stage, kind: Kind, folder: &Path, options: &Options) -> Result<Value> {
    let output = command(stage, kind, folder, options)?.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{stage:?} of {} failed", kind.name()).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn write_and_kill(kind: Kind, folder: &Path, options: &Options) -> Result<()> {
    let mut child = command(Stage::Crash, kind, folder, options)?.stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().ok_or("no standard output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    thread::sleep(Duration::from_secs(options.settings.seconds));
    child.kill()?;
    child.wait()?;
    if line.trim() == "writing" { Ok(()) } else { Err("the writing process did not start".into()) }
}

fn command(stage: Stage, kind: Kind, folder: &Path, options: &Options) -> Result<Command> {
    let stage = stage.to_possible_value().ok_or("no such stage")?;
    let settings = &options.settings;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--stage", stage.get_name(), "--kind", &kind.name()]).arg("--work").arg(folder);
    command.args(["--items", &settings.items.to_string(), "--writers", &settings.writers.to_string()]);
    command.args(["--seconds", &settings.seconds.to_string()]);
    command.args(["--cache-mib", &settings.cache_mib.to_string()]);
    Ok(command)
}

/// One column a database, one row a figure.
fn table(results: &[Value], settings: &Settings) -> Table {
    let names = results.iter().filter_map(|result| result["name"].as_str());
    let columns: Vec<&str> = std::iter::once("figure").chain(names).collect();
    let title = format!("{} items, cache {} MiB", settings.items, settings.cache_mib);
    let mut table = Table::new(&title, &columns);
    for (label, pointer, is_bytes) in FIGURES {
        let cell = |result: &Value| match result.pointer(pointer) {
            Some(value) if is_bytes => mib(value.as_u64().unwrap_or(0)),
            value => number(value.and_then(Value::as_f64).unwrap_or(f64::NAN)),
        };
        let label = label.replace("{writers}", &settings.writers.to_string());
        table.row(std::iter::once(label).chain(results.iter().map(cell)).collect());
    }
    table
}

/// What a row is called, where its figure is, and whether it is bytes (shown in MiB).
const FIGURES: [(&str, &str, bool); 18] = [
    ("{writers} writers: durable transactions/s", "/measured/transactions_per_second", false),
    ("– p50 ms", "/measured/p50_ms", false),
    ("– p99 ms", "/measured/p99_ms", false),
    ("– transactions a commit", "/measured/group", false),
    ("1 writer: p50 ms", "/measured/one_p50_ms", false),
    ("– p99 ms", "/measured/one_p99_ms", false),
    ("{writers} writers + 2 readers: transactions/s", "/measured/mixed_transactions_per_second", false),
    ("– random point reads/s", "/measured/mixed_reads_per_second", false),
    ("1 reader alone: random point reads/s", "/measured/reads_per_second", false),
    ("range of 1,000 items: p50 ms", "/measured/scan_p50_ms", false),
    ("open after `kill -9`, warm cache: ms", "/open_warm/open_ms", false),
    ("open after `kill -9`, cold cache: ms", "/open_cold/open_ms", false),
    ("open after a clean end: ms", "/clean_open/open_ms", false),
    ("peak memory of an open after `kill -9`: MiB", "/open_cold/peak_bytes", true),
    ("peak memory of the measurements: MiB", "/measured/peak_bytes", true),
    ("seconds to fill", "/fill/seconds", false),
    ("disk after filling: MiB", "/filled_bytes", true),
    ("disk at the end: MiB", "/bytes", true),
];
