//! Runs seeds: `simulation 17` tells everything that happens with one, `simulation 0..1000000` looks for one that fails.

use std::ops::Range;
use std::process::ExitCode;

use simulation::{run, search};

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let is_kept = match (seeds(&wanted), wanted.parse()) {
        (Some(seeds), _) => search(seeds),
        (None, Ok(seed)) => tell(seed),
        (None, Err(_)) => {
            eprintln!("usage: simulation SEED | FIRST..END");
            return ExitCode::from(2);
        }
    };
    if is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn seeds(text: &str) -> Option<Range<u64>> {
    let (first, end) = text.split_once("..")?;
    Some(first.parse().ok()?..end.parse().ok()?)
}

fn tell(seed: u64) -> bool {
    let outcome = run(seed, true);
    outcome.violations.iter().for_each(|violation| println!("BROKEN: {violation}"));
    outcome.violations.is_empty()
}
