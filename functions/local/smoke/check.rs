//! What a check is, before and after it was made.

use anyhow::Result;
use futures_util::future::BoxFuture;
use serde::Serialize;

use super::target::Target;

/// A check to be made.
pub(crate) struct Case {
    /// What has to hold, as a sentence.
    pub(crate) name: &'static str,
    /// Whether a push or a pull breaks without it.
    pub(crate) essential: bool,
    /// What to do if it does not hold.
    pub(crate) advice: &'static str,
    /// Makes the check; an error is the fact against it.
    pub(crate) run: for<'a> fn(&'a Target) -> BoxFuture<'a, Result<Finding>>,
}

/// What a check found when nothing spoke against it.
#[derive(Debug)]
pub(crate) enum Finding {
    /// It holds; the fact.
    Holds(String),
    /// It could not be checked; why.
    NotChecked(String),
}

/// Whether it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Outcome {
    /// It does.
    #[serde(rename = "holds")]
    Holds,
    /// It does not.
    #[serde(rename = "does not hold")]
    DoesNotHold,
    /// Nobody knows.
    #[serde(rename = "not checked")]
    NotChecked,
}

/// A check that was made.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) essential: bool,
    pub(crate) outcome: Outcome,
    pub(crate) fact: String,
    /// Only where it does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) advice: Option<&'static str>,
}

impl Case {
    /// Makes the check.
    pub(crate) async fn check(&self, target: &Target) -> Check {
        match (self.run)(target).await {
            Ok(Finding::Holds(fact)) => self.result(Outcome::Holds, fact),
            Ok(Finding::NotChecked(reason)) => self.skipped(reason),
            Err(error) => {
                let check = self.result(Outcome::DoesNotHold, format!("{error:#}"));
                Check { advice: Some(self.advice), ..check }
            }
        }
    }

    /// Leaves the check out.
    pub(crate) fn skipped(&self, reason: String) -> Check {
        self.result(Outcome::NotChecked, reason)
    }

    fn result(&self, outcome: Outcome, fact: String) -> Check {
        Check { name: self.name, essential: self.essential, outcome, fact, advice: None }
    }
}

impl Check {
    /// Returns whether a push or a pull breaks.
    pub(crate) fn breaks(&self) -> bool {
        self.essential && self.outcome == Outcome::DoesNotHold
    }
}
