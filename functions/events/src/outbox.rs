//! What happened in the registry, told on the event bus of the account.
//!
//! The transaction that makes something happen also writes it to the outbox; the table's stream brings it here. An
//! event leaves the outbox when the bus has it, so it may be told twice (its id says so). It is tried as often as the
//! stack says; then the queue of failures has its place in the stream, and its item stays two weeks.

use std::time::Duration;

use aws::{DynamoDb, item_of_image};
use aws_lambda_events::event::dynamodb::{Event, EventRecord as StreamRecord};
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::Builder;
use aws_sdk_eventbridge::config::timeout::TimeoutConfig;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use lambda_runtime::Error;
use registry::ports::{Condition, Item, ItemStore, Write};
use registry::records::{EventAction, EventRecord, Record};
use serde_json::{Value, json};

/// Who tells.
const SOURCE: &str = "slipway";

/// How long the bus may take for an answer; by itself the SDK waits for ever.
const BUS_TIMEOUT: Duration = Duration::from_secs(5);

/// Delivers events.
#[derive(Clone)]
pub(crate) struct Outbox {
    items: DynamoDb,
    bus: Client,
}

impl Outbox {
    pub(crate) fn new(items: DynamoDb, bus: Builder) -> Self {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(BUS_TIMEOUT).build();
        Self { items, bus: Client::from_conf(bus.timeout_config(timeouts).build()) }
    }

    /// Delivers in order; the first that fails and all after it come again (`ReportBatchItemFailures`).
    pub(crate) async fn deliver(&self, event: Event) -> Result<Value, Error> {
        for record in event.records {
            let sequence_number = record.change.sequence_number.clone();
            if let Err(error) = self.deliver_one(record).await {
                tracing::error!(error = %error, ?sequence_number, "an event was not delivered");
                return Ok(json!({ "batchItemFailures": [{ "itemIdentifier": sequence_number }] }));
            }
        }
        Ok(json!({ "batchItemFailures": [] }))
    }

    async fn deliver_one(&self, record: StreamRecord) -> Result<(), Error> {
        if record.event_name != "INSERT" || record.change.new_image.is_empty() {
            return Ok(());
        }
        let item = item_of_image(record.change.new_image)?;
        let Record::Event(event) = &item.record else { return Ok(()) };
        self.tell(&item, event).await?;
        self.items.transact(vec![Write::Delete(item.key, Condition::Always)]).await?;
        Ok(())
    }

    async fn tell(&self, item: &Item, event: &EventRecord) -> Result<(), Error> {
        let entry = PutEventsRequestEntry::builder()
            .source(SOURCE)
            .detail_type(detail_type(event.action))
            .detail(detail(item, event).to_string())
            .build();
        let told = self.bus.put_events().entries(entry).send().await?;
        match told.failed_entry_count {
            0 => Ok(()),
            _ => Err(format!("the event bus refused {}: {:?}", item.key.sk, told.entries).into()),
        }
    }
}

fn detail_type(action: EventAction) -> &'static str {
    match action {
        EventAction::ManifestPushed => "Manifest Pushed",
        EventAction::ManifestDeleted => "Manifest Deleted",
        EventAction::TagDeleted => "Tag Deleted",
    }
}

fn detail(item: &Item, event: &EventRecord) -> Value {
    json!({
        "id": item.key.sk,
        "repository": event.repository.as_str(),
        "digest": event.digest.as_str(),
        "tags": event.tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>(),
        "at": event.at.as_millis(),
        "by": event.by,
    })
}
