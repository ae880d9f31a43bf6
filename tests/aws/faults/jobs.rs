//! What AWS asks of the functions for events and for the clock.

use gateway_standin::{s3_event, stream_event};
use oci::UploadId;
use registry::ports::Timestamp;
use serde_json::{Map, Value, json};

use crate::client::Reply;
use crate::world::World;

/// An event, or a job of the clock.
pub(crate) enum Job {
    AdoptionByEvent(UploadId),
    AdoptionBySchedule,
    OutboxEvent,
    FsckBySchedule,
}

impl Job {
    /// Does it. Returns 200, or 503 if AWS has to come again with all or a part of it.
    pub(crate) async fn run(self, world: &World) -> Reply {
        let never = Timestamp::from_millis(u64::MAX);
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
                let answer = scheduled::run(&world.backend, scheduled::Job::Adopt, never).await;
                answer.is_ok_and(|answer| answer["failed"] == 0)
            }
            Self::FsckBySchedule => {
                let answer = scheduled::run(&world.backend, scheduled::Job::Fsck { deep: true }, never).await;
                answer.is_ok_and(|answer| answer["findings"] == json!([]))
            }
        };
        Reply { status: if is_done { 200 } else { 503 }, headers: Map::new(), body: Default::default() }
    }
}

/// Returns what the stream brings of the outbox; what it brought and was not told comes again.
fn outbox(world: &World) -> Vec<Value> {
    let mut rows = world.first_rows();
    rows.retain(|row| row["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("EV#")));
    rows
}
