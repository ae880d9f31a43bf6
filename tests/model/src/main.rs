//! Searches the model: `small`, `big`, `mutants`, or one plan by its name; `traces` prints `docs/model-traces.md`.

use std::time::Instant;

use model::document::{Fault, document};
use model::trace::search;
use model::{Mutant, Plan, scenarios};

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_else(|| "small".to_owned());
    let is_whole = match wanted.as_str() {
        "small" => scenarios::small().iter().map(report).fold(true, |all, one| all & one),
        "big" => scenarios::big().iter().map(report).fold(true, |all, one| all & one),
        "mutants" => Mutant::ALL.iter().map(|mutant| report_mutant(*mutant)).fold(true, |all, one| all & one),
        "traces" => print_traces(),
        name => scenarios::named(name).is_some_and(|plan| report(&plan)),
    };
    std::process::exit(i32::from(!is_whole));
}

/// Prints what a search found; returns whether every promise held.
fn report(plan: &Plan) -> bool {
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
    findings.violation.is_none()
}

/// Prints how a mutant breaks a promise; returns whether it does.
fn report_mutant(mutant: Mutant) -> bool {
    let Some(plan) = scenarios::of_mutant(mutant) else { return false };
    println!("{mutant:?}");
    !report(&plan)
}

/// Prints how each mutant breaks a promise, for the documents; returns whether each does.
fn print_traces() -> bool {
    let faults: Vec<Fault> = Mutant::ALL.iter().filter_map(|mutant| Fault::of(*mutant)).collect();
    print!("{}", document(&faults));
    faults.iter().all(|fault| fault.violation.is_some())
}
