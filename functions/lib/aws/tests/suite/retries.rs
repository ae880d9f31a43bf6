//! How often the SDK makes a call again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use dynamodb_standin::Fault;
use registry::ports::{ItemStore, Key};

use crate::world::World;

/// A clock that a test puts forward.
#[derive(Clone, Debug)]
struct Clock {
    start: SystemTime,
    passed_seconds: Arc<AtomicU64>,
}

impl Clock {
    fn new() -> Self {
        Self { start: SystemTime::now(), passed_seconds: Arc::default() }
    }

    fn pass(&self, seconds: u64) {
        self.passed_seconds.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        self.start + Duration::from_secs(self.passed_seconds.load(Ordering::Relaxed))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minute_after_the_quota_of_retries_was_used_up_a_single_fault_is_made_good_again() {
    let (world, clock) = (World::new().await, Clock::new());
    let items = world.items_at(SharedTimeSource::new(clock.clone()));
    let get = async || items.get(&[Key::new("p", "1")]).await;
    world.dynamodb.faults().at_random(1, 1.0, &[Fault::Throttled]);
    let made = || world.dynamodb.calls().of("GetItem");
    let mut attempts = u64::MAX;
    while attempts > 1 {
        let before = made();
        get().await.unwrap_err();
        attempts = made() - before;
    }
    let get_with_one_fault = async || {
        world.dynamodb.faults().clear();
        world.dynamodb.faults().plan("GetItem", 1, Fault::Throttled);
        get().await
    };
    get_with_one_fault().await.unwrap_err();
    clock.pass(60);
    get_with_one_fault().await.unwrap();
}
