//! What AWS asks of the functions for events and for the clock.

use std::sync::Arc;
use std::time::Duration;

use aws::environment::Backend;
use gateway_standin::{s3_event, stream_event};
use oci::UploadId;
use registry::ports::{Clock, SystemClock, Timestamp};
use registry::testing::SetClock;
use serde_json::{Map, Value, json};

use crate::client::Reply;
use crate::world::World;

pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);

/// By then every lease is over, and every upload session.
pub(crate) const COLLECTED_AFTER: Duration = Duration::from_secs(8 * 24 * 60 * 60);

const NEVER: Timestamp = Timestamp::from_millis(u64::MAX);

/// An event, or a job of the clock.
pub(crate) enum Job {
    AdoptionByEvent(UploadId),
    AdoptionBySchedule,
    CollectionBySchedule,
    OutboxEvent,
    FsckBySchedule,
}

impl Job {
    /// Does it. Returns 200, or 503 if AWS has to come again with all or a part of it.
    pub(crate) async fn run(self, world: &World) -> Reply {
        let is_done = match self {
            Self::AdoptionByEvent(id) => {
                let event = s3_event(&world.name, &format!("uploads/{id}"), 1, "etag", "1");
                world.events.react(event).await.is_ok()
            }
            Self::OutboxEvent => {
                let answer = world.events.react(stream_event(&outbox(world))).await.unwrap();
                answer["batchItemFailures"] == json!([])
            }
            Self::AdoptionBySchedule => {
                let answer = scheduled::run(&world.backend, scheduled::Job::Adopt, NEVER).await;
                answer.is_ok_and(|answer| answer["failed"] == 0)
            }
            Self::CollectionBySchedule => {
                // An object goes an hour after its blob was declared dead.
                let first = collect(&world.backend, COLLECTED_AFTER).await;
                collect(&world.backend, COLLECTED_AFTER + 2 * HOUR).await && first
            }
            Self::FsckBySchedule => {
                let answer = scheduled::run(&world.backend, scheduled::Job::Fsck { deep: true }, NEVER).await;
                answer.is_ok_and(|answer| answer["findings"] == json!([]))
            }
        };
        Reply { status: if is_done { 200 } else { 503 }, headers: Map::new(), body: Default::default() }
    }
}

/// Collects as the clock would have it that much later; returns whether nothing failed.
pub(crate) async fn collect(backend: &Backend, later: Duration) -> bool {
    let job = scheduled::Job::Collect {
        dry_run: false,
        from: Some(0),
        untagged_days: Some(1),
        history_days: Some(1),
    };
    let clock = Arc::new(SetClock::at(SystemClock.now().after(later)));
    let answer = scheduled::run_at(backend, job, NEVER, clock).await;
    answer.is_ok_and(|answer| answer["failures"] == json!([]))
}

/// Returns what the stream brings of the outbox; what it brought and was not told comes again.
fn outbox(world: &World) -> Vec<Value> {
    let mut rows = world.first_rows();
    rows.retain(|row| row["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("EV#")));
    rows
}
