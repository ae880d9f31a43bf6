//! The Lambda function that the clock starts.

use aws::environment::Environment;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use registry::ports::Timestamp;
use scheduled::{Job, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::environment::log();
    let backend = Environment::read()?.backend(&aws::function_config().await);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Job>| {
        let backend = backend.clone();
        let deadline = Timestamp::from_millis(event.context.deadline);
        async move { run(&backend, event.payload, deadline).await }
    }))
    .await
}
