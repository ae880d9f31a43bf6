//! Searches the model: `small`, `big`, `mutants`, or one plan by its name; `traces` prints `docs/model-traces.md`.

use std::time::Instant;

use model::document::{Fault, document};
use model::trace::search;
use model::{Mutant, Plan, scenarios};

/// How many states the big plans have together at least: with fewer, the model has become a smaller one.
const BIG_MIN_STATES: usize = 10_000_000;

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_else(|| "small".to_owned());
    let is_whole = match wanted.as_str() {
        "small" => report_all(&scenarios::small(), 1),
        "big" => report_all(&scenarios::big(), BIG_MIN_STATES),
        "mutants" => Mutant::ALL.iter().map(|mutant| report_mutant(*mutant)).fold(true, |all, one| all & one),
        "traces" => print_traces(),
        name => scenarios::named(name).is_some_and(|plan| report(&plan).is_ok()),
    };
    std::process::exit(i32::from(!is_whole));
}

/// Searches the plans; returns whether every promise held, and there were at least so many states to hold it in.
fn report_all(plans: &[Plan], min_states: usize) -> bool {
    let found: Vec<Result<usize, usize>> = plans.iter().map(report).collect();
    let states: usize = found.iter().map(|(Ok(states) | Err(states))| states).sum();
    println!("{} plans, {states} distinct states together; at least {min_states} are expected", plans.len());
    found.iter().all(Result::is_ok) && states >= min_states
}

/// Prints what a search found; returns how many states it saw, as an error if a promise was broken.
fn report(plan: &Plan) -> Result<usize, usize> {
    let began = Instant::now();
    let findings = search(plan);
    println!(
        "{:<20} {:>12} distinct states {:>12} reached, depth {:>3}, {:>7.1} s",
        plan.name,
        findings.distinct_states,
        findings.states,
        findings.depth,
        began.elapsed().as_secs_f32(),
    );
    if let Some(violation) = &findings.violation {
        println!("{violation}");
    }
    match findings.violation {
        None => Ok(findings.distinct_states),
        Some(_) => Err(findings.distinct_states),
    }
}

/// Prints how a mutant breaks a promise; returns whether it does.
fn report_mutant(mutant: Mutant) -> bool {
    let Some(plan) = scenarios::of_mutant(mutant) else { return false };
    println!("{mutant:?}");
    report(&plan).is_err()
}

/// Prints how each mutant breaks a promise, for the documents; returns whether each does.
fn print_traces() -> bool {
    let faults: Vec<Fault> = Mutant::ALL.iter().filter_map(|mutant| Fault::of(*mutant)).collect();
    print!("{}", document(&faults));
    faults.iter().all(|fault| fault.violation.is_some())
}
