//! The Lambda function that reacts to what happened in the bucket and in the table.

use aws::environment::Environment;
use events::Reactions;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::environment::log();
    let shared = aws::sdk_config().await;
    let backend = Environment::read()?.backend(&shared);
    let reactions = Reactions::new(&backend, aws_sdk_eventbridge::config::Builder::from(&shared));
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let reactions = reactions.clone();
        async move { reactions.react(event.payload).await }
    }))
    .await
}
