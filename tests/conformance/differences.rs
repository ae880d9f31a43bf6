//! Cases that a deployment is known to answer otherwise, each with the reason.
//!
//! `SLIPWAY_CONFORMANCE_DIFFERENCES` names a file with a line `module::case: reason` for each. A case of the list
//! that passes is a failure too: the list tells the truth.

use std::collections::BTreeMap;

use libtest_mimic::Failed;

/// The list, by case.
#[derive(Default)]
pub(crate) struct Differences(BTreeMap<String, String>);

impl Differences {
    /// Reads the list, if there is one.
    pub(crate) fn read() -> Self {
        match std::env::var("SLIPWAY_CONFORMANCE_DIFFERENCES") {
            Ok(path) if !path.is_empty() => Self::parse(&std::fs::read_to_string(path).unwrap()),
            _ => Self::default(),
        }
    }

    fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        Self(lines.map(|line| line.split_once(": ").unwrap()).map(|(a, b)| (a.into(), b.into())).collect())
    }

    /// Returns the outcome of `case` in the light of the list.
    pub(crate) fn judge(&self, case: &str, outcome: Result<(), Failed>) -> Result<(), Failed> {
        match (self.0.get(case), outcome) {
            (Some(_), Err(_)) => Ok(()),
            (Some(reason), Ok(())) => Err(format!("passes, although the list says: {reason}").into()),
            (None, outcome) => outcome,
        }
    }

    /// Returns how many cases are listed, and which of them do not exist.
    pub(crate) fn check(&self, cases: &[String]) -> usize {
        for case in self.0.keys() {
            assert!(cases.contains(case), "the list of differences names {case}, which is no case");
        }
        self.0.len()
    }
}
