//! How the checks are told, to a person or to a program.

use anyhow::Result;
use serde::Serialize;

use super::check::{Case, Check, Outcome};
use crate::output::{print, print_line};

/// Without this check nobody knows whether the registry is one.
pub(crate) const PUSH: &str = "a small image can be pushed and pulled";

/// Prints each check when it was made, or all of them in the end.
#[derive(Serialize)]
pub(crate) struct Report {
    endpoint: String,
    repository: String,
    checks: Vec<Check>,
    #[serde(skip)]
    is_json: bool,
}

impl Report {
    /// Begins a report.
    pub(crate) fn new(endpoint: String, repository: String, is_json: bool) -> Result<Self> {
        if !is_json {
            print_line(&format!("{endpoint}, repository {repository}\n"))?;
        }
        Ok(Self { endpoint, repository, checks: Vec::new(), is_json })
    }

    /// Takes a check.
    pub(crate) fn add(&mut self, check: Check) -> Result<()> {
        if !self.is_json {
            print(text(&check))?;
        }
        self.checks.push(check);
        Ok(())
    }

    /// Takes checks that were not made, all for one reason.
    pub(crate) fn skip(&mut self, cases: impl Iterator<Item = &'static Case>, reason: &str) -> Result<()> {
        let before = self.checks.len();
        self.checks.extend(cases.map(|case| case.skipped(reason.to_owned())));
        match self.is_json {
            true => Ok(()),
            false => print_line(&format!(
                "not checked     {} more checks were not made\n                  {reason}",
                self.checks.len() - before
            )),
        }
    }

    /// Ends the report.
    pub(crate) fn end(&self) -> Result<()> {
        match self.is_json {
            true => print_line(&serde_json::to_string_pretty(self)?),
            false => print_line(&format!("\n{}", self.summary())),
        }
    }

    /// Returns whether a push or a pull breaks.
    pub(crate) fn breaks(&self) -> bool {
        self.checks.iter().any(Check::breaks)
    }

    /// Returns whether it is known that pushes and pulls work, or that they do not.
    pub(crate) fn knows_push(&self) -> bool {
        !self.checks.iter().any(|check| check.name == PUSH && check.outcome == Outcome::NotChecked)
    }

    fn summary(&self) -> String {
        let count = |outcome| self.checks.iter().filter(|check| check.outcome == outcome).count();
        let verdict = match (self.breaks(), count(Outcome::DoesNotHold)) {
            (true, _) => "pushes or pulls break",
            (false, _) if !self.knows_push() => "WHETHER PUSHES AND PULLS WORK IS NOT KNOWN",
            (false, 0) => "nothing breaks",
            (false, _) => "nothing essential breaks",
        };
        let (held, broken) = (count(Outcome::Holds), count(Outcome::DoesNotHold));
        format!(
            "{held} hold, {broken} do not hold, {} were not checked: {verdict}",
            count(Outcome::NotChecked)
        )
    }
}

fn text(check: &Check) -> String {
    let outcome = match check.outcome {
        Outcome::Holds => "holds         ",
        Outcome::DoesNotHold => "DOES NOT HOLD ",
        Outcome::NotChecked => "not checked   ",
    };
    let mut text = format!("{outcome}  {}\n                  {}\n", check.name, check.fact);
    if let Some(advice) = check.advice {
        let essential = if check.essential { "essential" } else { "not essential" };
        text.push_str(&format!("                  {essential}: {advice}\n"));
    }
    text
}
