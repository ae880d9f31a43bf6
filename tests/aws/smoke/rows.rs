//! Faults, and the one check that each has to show.

use crate::fault::Fault;
use crate::{direct_faults, login_faults, pull_faults, push_faults};

/// A fault and what `smoke` has to say about it.
pub(crate) struct Row {
    /// What goes wrong.
    pub(crate) title: &'static str,
    pub(crate) fault: fn() -> Fault,
    /// The check that finds it.
    pub(crate) check: &'static str,
    /// Whether a push or a pull breaks, which the exit code tells.
    pub(crate) essential: bool,
    pub(crate) arguments: &'static [&'static str],
}

impl Row {
    /// A fault that breaks a push or a pull.
    pub(crate) const fn essential(title: &'static str, check: &'static str, fault: fn() -> Fault) -> Self {
        Self { title, fault, check, essential: true, arguments: &[] }
    }

    /// A fault that is only a nuisance.
    pub(crate) const fn tolerable(title: &'static str, check: &'static str, fault: fn() -> Fault) -> Self {
        Self { essential: false, ..Self::essential(title, check, fault) }
    }
}

/// Returns every fault that one check finds.
pub(crate) fn all_rows() -> impl Iterator<Item = &'static Row> {
    [login_faults::ROWS, pull_faults::ROWS, push_faults::ROWS, direct_faults::ROWS].into_iter().flatten()
}
