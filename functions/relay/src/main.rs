//! The container that takes layers of any size by PATCH. The edge sends it these, and the load balancer asks for `/v2/`.

mod places;
mod relay;

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result};
use aws::Trust;
use aws::environment::Environment;
use http::{HeaderValue, Request};
use registry::access::Address;
use registry::http::{Body, Service};
use server::Patience;
use tokio::net::TcpListener;

use crate::relay::Relay;

/// Longer than the load balancer's, which must not find a connection closed that it is about to use. Stopping takes
/// less than the 120 s after which Fargate kills.
const PATIENCE: Patience = Patience {
    head: Duration::from_secs(660),
    silence: Duration::from_secs(660),
    stop: Duration::from_secs(90),
};

#[tokio::main]
async fn main() -> Result<()> {
    aws::environment::log();
    let environment = Environment::read()?;
    let shared = aws::sdk_config().await;
    let backend = environment.backend(&shared);
    // The first request finds the connection open; without one it tries again itself.
    if let Err(error) = backend.items.warm_up().await {
        tracing::warn!(error = %error, "the table does not answer yet");
    }
    let guard = environment.guard(&shared, backend.registry(), Trust::Reading, None).await?;
    let relay = Relay::new(Service::guarded(guard.access().clone()));
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port()?)).await.context("listen")?;
    let stop = server::stop_signal()?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    let scheme = viewer_scheme()?;
    let answer = move |mut request: Request<Body>| {
        let (relay, guard) = (relay.clone(), guard.clone());
        tell_viewer(&mut request, &scheme);
        async move {
            guard.learn_key_of(request.headers()).await;
            relay.answer(request).await
        }
    };
    server::serve(listener, answer, PATIENCE, stop).await;
    Ok(())
}

/// How clients reach the edge: by https, but for the stack that runs on one machine.
fn viewer_scheme() -> Result<HeaderValue> {
    let scheme = std::env::var("SLIPWAY_VIEWER_SCHEME").ok().filter(|scheme| !scheme.is_empty());
    scheme.as_deref().unwrap_or("https").parse().context("the variable SLIPWAY_VIEWER_SCHEME")
}

/// Only the edge reaches the load balancer, and knows the viewer. What the load balancer says is about the edge: that
/// it came by http would send passwords there in clear.
fn tell_viewer(request: &mut Request<Body>, scheme: &HeaderValue) {
    request.headers_mut().insert("x-forwarded-proto", scheme.clone());
    let address = request.headers().get("x-viewer-address").and_then(|value| value.to_str().ok());
    if let Some(address) = address.map(Address::new) {
        request.extensions_mut().insert(address);
    }
}

fn port() -> Result<u16> {
    match std::env::var("PORT").unwrap_or_default().as_str() {
        "" => Ok(8080),
        port => port.parse().with_context(|| format!("the variable PORT cannot be {port:?}")),
    }
}
