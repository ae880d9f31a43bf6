//! The stream: what was written, for a test to hand to a function.

use std::collections::VecDeque;
use std::sync::Mutex;

use dynoxide::Database;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::lock::lock;
use crate::target::Target;

/// AWS gives 21 digits and more.
const FIRST_SEQUENCE_NUMBER: u128 = 100_000_000_000_000_000_000;

/// What happened to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventName {
    /// It was not there before.
    Insert,
    /// It was replaced or changed.
    Modify,
    /// It was deleted.
    Remove,
}

impl EventName {
    /// Returns what happened between two images of an item, if anything did.
    fn of(before: Option<&Value>, after: Option<&Value>) -> Option<Self> {
        match (before, after) {
            _ if before == after => None,
            (None, _) => Some(Self::Insert),
            (_, None) => Some(Self::Remove),
            _ => Some(Self::Modify),
        }
    }

    /// Returns the word in the event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Modify => "MODIFY",
            Self::Remove => "REMOVE",
        }
    }
}

/// One write to one item, as a stream with `NEW_IMAGE` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamRecord {
    /// The table's name.
    pub table: String,
    /// What happened.
    pub event_name: EventName,
    /// The keys, as DynamoDB JSON: `{"pk": {"S": "…"}, …}`.
    pub keys: Value,
    /// The whole item after the write, as DynamoDB JSON; none after a deletion.
    pub new_image: Option<Value>,
    /// Digits, always the same number of them; grows with each record.
    pub sequence_number: String,
}

/// Records in the order of the writes.
///
/// The record of a write is there before the client has its answer. A write that changes nothing
/// leaves none; one whose answer was lost does. Every table has a stream, whatever its definition.
/// Not recorded: statements of `PartiQL`.
#[derive(Debug, Default)]
pub struct Stream {
    records: Mutex<VecDeque<StreamRecord>>,
    arrived: Notify,
    /// Held during a write, and counts the records.
    writer: tokio::sync::Mutex<u128>,
}

impl Stream {
    /// Takes the records that are there.
    pub fn take(&self) -> Vec<StreamRecord> {
        lock(&self.records).drain(..).collect()
    }

    /// Takes the next record, and waits for it if there is none.
    pub async fn next(&self) -> StreamRecord {
        loop {
            let arrived = self.arrived.notified();
            if let Some(record) = lock(&self.records).pop_front() {
                return record;
            }
            arrived.await;
        }
    }

    /// Does `write` while nothing else is written, and records how it has changed `targets`.
    pub(crate) async fn record<T>(
        &self,
        database: &Database,
        targets: Vec<Target>,
        write: impl Future<Output = T>,
    ) -> T {
        let mut count = self.writer.lock().await;
        let before: Vec<_> = targets.iter().map(|target| target.image(database)).collect();
        let outcome = write.await;
        for (target, before) in targets.into_iter().zip(before) {
            let after = target.image(database);
            if let Some(event_name) = EventName::of(before.as_ref(), after.as_ref()) {
                *count += 1;
                self.push(target, event_name, after, *count);
            }
        }
        outcome
    }

    fn push(&self, target: Target, event_name: EventName, new_image: Option<Value>, count: u128) {
        let Target { table, keys } = target;
        let sequence_number = (FIRST_SEQUENCE_NUMBER + count).to_string();
        let record = StreamRecord { table, event_name, keys, new_image, sequence_number };
        lock(&self.records).push_back(record);
        self.arrived.notify_waiters();
    }
}

/// Returns the event with which Lambda gives `records` to a function, for region `region`.
pub fn lambda_event(records: &[StreamRecord], region: &str) -> Value {
    let records: Vec<_> = records.iter().map(|record| lambda_record(record, region)).collect();
    json!({ "Records": records })
}

fn lambda_record(record: &StreamRecord, region: &str) -> Value {
    let mut change = json!({
        "ApproximateCreationDateTime": 1_790_000_000,
        "Keys": record.keys,
        "SequenceNumber": record.sequence_number,
        "SizeBytes": record.new_image.as_ref().unwrap_or(&record.keys).to_string().len(),
        "StreamViewType": "NEW_IMAGE",
    });
    if let Some(new_image) = &record.new_image {
        change["NewImage"] = new_image.clone();
    }
    json!({
        "eventID": record.sequence_number,
        "eventName": record.event_name.as_str(),
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": region,
        "dynamodb": change,
        "eventSourceARN": format!(
            "arn:aws:dynamodb:{region}:000000000000:table/{}/stream/2026-09-21T00:00:00.000", record.table
        ),
    })
}
