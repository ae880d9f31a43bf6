//! The protocol keeps its promises in every state of the small plans, and no mutant does.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use model::document::{Fault, document};
use model::trace::search;
use model::{Mutant, Plan, scenarios};

/// What the checker finds wrong with each mutant.
static FAULTS: LazyLock<Vec<Fault>> =
    LazyLock::new(|| Mutant::ALL.into_iter().map(|mutant| Fault::of(mutant).unwrap()).collect());

fn broken(plan: &Plan) -> Option<String> {
    let findings = search(plan);
    println!("{}: {} distinct states, depth {}", plan.name, findings.distinct_states, findings.depth);
    findings.violation.map(|violation| format!("{}:\n{violation}", plan.name))
}

fn read(document: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(document)).unwrap()
}

#[test]
fn no_order_of_steps_breaks_a_promise() {
    let broken: Vec<String> = scenarios::small().iter().filter_map(broken).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_mutant_breaks_a_promise() {
    let sound = FAULTS.iter().filter(|fault| fault.violation.is_none());
    let sound: Vec<Mutant> = sound.map(|fault| fault.mutant).collect();
    assert!(sound.is_empty(), "nothing was found wrong with {sound:?}");
}

#[test]
fn the_documents_have_what_the_checker_finds() {
    let overview = read("model.md");
    let stale: Vec<String> =
        FAULTS.iter().filter_map(Fault::row).filter(|row| !overview.contains(row.as_str())).collect();
    assert!(stale.is_empty(), "docs/model.md has other rows than\n{}", stale.join("\n"));
    let is_current = read("model-traces.md") == document(&FAULTS);
    assert!(is_current, "cargo run --release -p model -- traces > docs/model-traces.md");
}

#[test]
fn every_plan_has_a_name_of_its_own() {
    let plans = [scenarios::small(), scenarios::big()].concat();
    let names: HashSet<&str> = plans.iter().map(|plan| plan.name).collect();
    assert_eq!(names.len(), plans.len());
}
