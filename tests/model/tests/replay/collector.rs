//! The registry's collector.

use std::time::Duration;

use model::Plan;
use registry::Registry;
use registry::jobs::garbage_collection::{Budget, Collector, Policy};

/// Whether there is one.
pub(crate) const IS_THERE: bool = true;

/// Looks at what is due.
pub(crate) async fn run(registry: Registry, plan: &Plan) {
    let untagged = plan.collects_untagged.then_some(Duration::ZERO);
    let policy = Policy { untagged, ..Policy::default() };
    Collector::new(registry, policy).run(&Budget::ALL, Some(0)).await;
}
