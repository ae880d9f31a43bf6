//! `bench` measures Slipway beside docker-registry: the same work in turn on the same machine and disk, ratios
//! against the goals, and what the machine itself can do.

mod client;
mod content;
mod figures;
mod goals;
mod images;
mod layer;
mod limits;
mod load;
mod peer;
mod pull;
mod registry;
mod requests;
mod sampler;
mod session;
mod tags;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use slipway_bench::Result;

use crate::figures::Side;
use crate::peer::Program;
use crate::session::{Session, Sizes};

#[derive(Parser)]
#[command(about = "Measures Slipway beside docker-registry")]
struct Options {
    /// The program to measure; without it, docker-registry is measured alone
    #[arg(long, default_value = "target/release/slipway")]
    slipway: PathBuf,
    /// Only groups whose name contains this: requests, images, layer, tags
    #[arg(long, default_value = "")]
    filter: String,
    /// Small sizes, one round: shows that everything runs, not how fast
    #[arg(long)]
    quick: bool,
    /// Rounds (the median counts)
    #[arg(long)]
    rounds: Option<u32>,
    /// Folder for the servers, on the disk to measure; emptied afterwards
    #[arg(long, default_value = "target/bench/work")]
    work: PathBuf,
    /// Where to write the figures as JSON
    #[arg(long, default_value = "target/bench/results.json")]
    json: PathBuf,
}

type Group = (&'static str, fn(&mut Session) -> Result<()>);

const GROUPS: [Group; 4] =
    [("requests", requests::run), ("images", images::run), ("layer", layer::run), ("tags", tags::run)];

fn main() -> Result<()> {
    let options = Options::parse();
    let mut sizes = if options.quick { Sizes::QUICK } else { Sizes::FULL };
    sizes.rounds = options.rounds.unwrap_or(sizes.rounds);
    let title = sizes.describe();
    fs::create_dir_all(&options.work)?;
    let registries = registries(&options.slipway);
    let nginx = installed("nginx").map(|binary| Program { side: Side::Nginx, binary });
    let mut session = Session::new(sizes, options.work.clone(), registries, nginx);

    for (name, run) in GROUPS.iter().filter(|(name, _)| name.contains(&options.filter)) {
        eprintln!("{name}");
        run(&mut session)?;
    }
    session.conclude()?;
    fs::remove_dir_all(&options.work)?;
    print!("{}", session.figures.table(&title, goals::ROWS).markdown());
    let mut json = session.figures.json(goals::ROWS);
    json["sizes"] = title.into();
    fs::create_dir_all(options.json.parent().unwrap_or(Path::new(".")))?;
    fs::write(&options.json, serde_json::to_string_pretty(&json)?)?;
    Ok(())
}

/// Returns the registries that are there, and says which is missing.
fn registries(slipway: &Path) -> Vec<Program> {
    let slipway = slipway.is_file().then(|| slipway.to_owned());
    let found = [(Side::Slipway, slipway), (Side::DockerRegistry, installed("docker-registry"))];
    let present = |(side, binary): (Side, Option<PathBuf>)| {
        if binary.is_none() {
            eprintln!("NOT MEASURED: there is no {}", side.name());
        }
        Some(Program { side, binary: binary? })
    };
    found.into_iter().filter_map(present).collect()
}

fn installed(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|file| file.is_file())
}
