//! What the documents tell of the mutants.

use crate::trace::{Violation, search};
use crate::{Mutant, scenarios};

/// What a mutant breaks, in the plan that is made for finding it.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What is wrong with the protocol.
    pub mutant: Mutant,
    /// The name of the plan.
    pub plan: &'static str,
    /// The shortest run that breaks a promise; none if the mutant was not found.
    pub violation: Option<Violation>,
}

impl Fault {
    /// Searches for what the mutant breaks.
    pub fn of(mutant: Mutant) -> Option<Self> {
        let plan = scenarios::of_mutant(mutant)?;
        Some(Self { mutant, plan: plan.name, violation: search(&plan).violation })
    }

    /// Returns its row of the table in `docs/model.md`.
    pub fn row(&self) -> Option<String> {
        let Violation { promise, moves } = self.violation.as_ref()?;
        let promise = promise.split(' ').next()?;
        Some(format!("| `{:?}` | `{}` | {} | {promise} |", self.mutant, self.plan, moves.len()))
    }

    /// Returns its part of `docs/model-traces.md`: the steps one after the other, and what they break.
    pub fn section(&self) -> Option<String> {
        let Violation { promise, moves } = self.violation.as_ref()?;
        let steps = moves.iter().map(|step| format!("{}; ", step.action)).collect::<String>();
        let run = folded(&format!("{steps}broken: {promise}"));
        Some(format!("## `{:?}` in `{}`\n\n```\n{run}\n```\n", self.mutant, self.plan))
    }
}

const INTRODUCTION: &str = "\
# How each mutant breaks a promise

The shortest runs that the checker finds; [model.md](model.md) has the mutants, the steps and the promises. Before each step
stands who does it: the number of the program in the plan (`tests/model/src/scenarios.rs`), from 0 on.

Written by `cargo run --release -p model -- traces`; `model/search::the_documents_have_what_the_checker_finds` fails when it is
out of date.
";

/// Returns `docs/model-traces.md`.
pub fn document(faults: &[Fault]) -> String {
    let sections = faults.iter().filter_map(Fault::section).map(|section| format!("\n{section}"));
    std::iter::once(INTRODUCTION.to_owned()).chain(sections).collect()
}

/// Breaks the text between steps into lines.
fn folded(text: &str) -> String {
    const COLUMNS: usize = 120;
    let mut lines = vec![String::new()];
    for step in text.split_inclusive("; ") {
        match lines.last_mut() {
            Some(line) if line.len() + step.trim_end().len() <= COLUMNS => line.push_str(step),
            _ => lines.push(step.to_owned()),
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}
