//! The registry's collector.

use registry::Registry;
use registry::jobs::garbage_collection::{Budget, Collector, Policy};

/// Whether there is one.
pub(crate) const IS_THERE: bool = true;

/// Looks at what is due.
pub(crate) async fn run(registry: Registry) {
    Collector::new(registry, Policy::default()).run(&Budget::ALL, Some(0)).await;
}
