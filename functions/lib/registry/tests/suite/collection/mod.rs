//! The collector: what goes, what stays, and when.

mod adoptions;
mod budgets;
mod calls;
mod history;
mod leftovers;
mod model;
mod rehearsals;
mod rules;
mod untagged;

use std::time::Duration;

use registry::jobs::garbage_collection::{Kind, Report};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// More hours than anything is kept for that nobody needs.
const LONG_HOURS: u32 = 16 * 24;

/// Returns how many things of this kind went.
fn gone(report: &Report, kind: Kind) -> usize {
    report.gone.iter().filter(|gone| gone.kind == kind).count()
}
