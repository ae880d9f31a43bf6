//! The Lambda function that answers the registry API; its role is in its environment.

use api::{Function, Role};
use aws::environment::Environment;
use registry::http::Service;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    aws::environment::log();
    let environment = Environment::read()?;
    let role = Role::read()?;
    let backend = environment.backend(&aws::sdk_config().await);
    // The first request finds the connection open; without one it tries again itself.
    if let Err(error) = backend.items.warm_up().await {
        tracing::warn!(error = %error, "the table does not answer yet");
    }
    let service = Service::new(backend.registry()).with_edge(environment.edge_host);
    api::run(Function::new(service, role, environment.is_open)).await
}
