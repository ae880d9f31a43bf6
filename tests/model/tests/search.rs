//! The protocol keeps its promises in every state of the small plans, and no mutant does.

use model::trace::search;
use model::{Mutant, Plan, scenarios};

fn broken(plan: &Plan) -> Option<String> {
    let findings = search(plan);
    println!("{}: {} distinct states, depth {}", plan.name, findings.distinct_states, findings.depth);
    findings.violation.map(|violation| format!("{}:\n{violation}", plan.name))
}

#[test]
fn no_order_of_steps_breaks_a_promise() {
    let broken: Vec<String> = scenarios::small().iter().filter_map(broken).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_mutant_breaks_a_promise() {
    let is_sound = |mutant: &Mutant| scenarios::of_mutant(*mutant).as_ref().and_then(broken).is_none();
    let sound: Vec<Mutant> = Mutant::ALL.into_iter().filter(is_sound).collect();
    assert!(sound.is_empty(), "nothing was found wrong with {sound:?}");
}

#[test]
fn every_plan_has_a_name_of_its_own() {
    let plans = [scenarios::small(), scenarios::big()].concat();
    let names: std::collections::HashSet<&str> = plans.iter().map(|plan| plan.name).collect();
    assert_eq!(names.len(), plans.len());
}
