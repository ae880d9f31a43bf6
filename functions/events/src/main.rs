//! The Lambda function that reacts to what happened in the bucket and in the table.

mod adoption;
mod outbox;

use aws::environment::Environment;
use lambda_runtime::{Error, LambdaEvent, service_fn};
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

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::environment::log();
    let environment = Environment::read()?;
    let shared = aws::sdk_config().await;
    let backend = environment.backend(&shared);
    let adoption = Adoption::new(backend.registry());
    let outbox = Outbox::new(backend.items, aws_sdk_eventbridge::Client::new(&shared));
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let (adoption, outbox) = (adoption.clone(), outbox.clone());
        async move { react(&adoption, &outbox, event.payload).await }
    }))
    .await
}

async fn react(adoption: &Adoption, outbox: &Outbox, payload: Value) -> Result<Value, Error> {
    let event = Event::deserialize(&payload)?;
    match event.records.first().map(|record| record.source.as_str()) {
        Some("aws:s3") => adoption.take_over(serde_json::from_value(payload)?).await,
        Some("aws:dynamodb") => outbox.deliver(serde_json::from_value(payload)?).await,
        // S3 sends such an event when the notification is set up.
        _ => Ok(Value::Null),
    }
}
