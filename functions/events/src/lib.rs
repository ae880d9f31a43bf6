//! The Lambda function that reacts to what happened in the bucket and in the table.

mod adoption;
mod outbox;

use aws::environment::Backend;
use aws_sdk_eventbridge::config::Builder;
use lambda_runtime::Error;
use serde::Deserialize;
use serde_json::Value;

use crate::adoption::Adoption;
use crate::outbox::Outbox;

/// What this function is called with, told apart by where it comes from.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records", default)]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventSource", default)]
    source: String,
}

/// Takes over what arrived, and tells what happened.
#[derive(Clone)]
pub struct Reactions {
    adoption: Adoption,
    outbox: Outbox,
}

impl Reactions {
    /// Reacts with these stores, and tells this event bus.
    pub fn new(backend: &Backend, bus: Builder) -> Self {
        Self { adoption: Adoption::new(backend.registry()), outbox: Outbox::new(backend.items.clone(), bus) }
    }

    /// Reacts to one event. With an error the event comes again.
    pub async fn react(&self, payload: Value) -> Result<Value, Error> {
        let event = Event::deserialize(&payload)?;
        match event.records.first().map(|record| record.source.as_str()) {
            Some("aws:s3") => self.adoption.take_over(serde_json::from_value(payload)?).await,
            Some("aws:dynamodb") => self.outbox.deliver(serde_json::from_value(payload)?).await,
            // S3 sends such an event when the notification is set up.
            _ => Ok(Value::Null),
        }
    }
}
