//! The Lambda function that answers the registry API; its role is in its environment.

use std::sync::Arc;

use api::{Function, Role};
use aws::Trust;
use aws::environment::Environment;
use identities::Issuers;
use registry::http::Service;
use registry::ports::SystemClock;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    aws::environment::log();
    let environment = Environment::read()?;
    let role = Role::read()?;
    let shared = aws::function_config().await;
    let backend = environment.backend(&shared);
    // The first request finds the connection open; without one it tries again itself.
    if let Err(error) = backend.items.warm_up().await {
        tracing::warn!(error = %error, "the table does not answer yet");
    }
    let trust = match role {
        Role::Read => Trust::Reading,
        Role::Write => Trust::Rights,
        Role::Token => Trust::Logins,
    };
    let identities = Arc::new(Issuers::new(Arc::new(SystemClock)));
    let guard = environment.guard(&shared, backend.registry(), trust, Some(identities)).await?;
    let service = Service::guarded(guard.access().clone())
        .with_edge(environment.edge_host)
        .with_head_length(environment.head_length);
    api::run(Function::new(service, role).with_guard(guard).with_edge_key(environment.edge_key)).await
}
