//! HTTP in front of the registry's service: connections, their patience, and a graceful end.

mod body;
mod closed;
mod connection;
mod listener;
mod origin;
mod places;
#[cfg(test)]
mod tests;
mod tls;

use std::io;
use std::pin::pin;
use std::time::Duration;

use http::{Request, Response};
use hyper_util::server::graceful::GracefulShutdown;
use registry::http::Body;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use closed::Closed;
use connection::Connections;
pub use listener::Listener;
pub use places::Limits;
use places::Places;
pub use tls::{Tls, TlsInvalid};

/// How long answers may take once bodies have broken off.
const GRACE: Duration = Duration::from_secs(10);

/// How long a server waits for its clients.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the head of a request, from the moment the connection is free for it. Idle connections end then too, and
    /// those whose TLS handshake takes longer.
    pub head: Duration,
    /// For the next bytes of a body. A client that is silent for longer is gone, and its upload free for another.
    pub silence: Duration,
    /// For the end of bodies once the server is to stop. Then they break off, and uploads keep what has arrived.
    pub stop: Duration,
}

/// Answers everybody who connects until `stop`, and ends when the requests under way have ended.
///
/// Each request's extensions hold the [`registry::access::Address`] that it came from.
pub async fn serve<A, F>(
    listener: impl Into<Listener>,
    answer: A,
    patience: Patience,
    stop: impl Future<Output = ()>,
) where
    A: Fn(Request<Body>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let (stop_bodies, stopping) = watch::channel(false);
    let listener = listener.into();
    let (connections, places) = (Connections::new(answer, patience, stopping), Places::new(listener.limits));
    let (mut stop, mut closed) = (pin!(stop), Closed::default());
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, origin)) => match places.take(origin.peer()) {
                    Ok(place) => connections.begin(stream, origin, place, listener.tls.as_ref()),
                    Err(full) => closed.note(origin.peer(), full),
                },
                Err(error) => wait_after(&error).await,
            },
            () = &mut stop => break,
        }
    }
    drop(listener);
    end(connections.into_graceful(), &stop_bodies, patience.stop).await;
}

/// Returns what is over when the process is asked to stop, by SIGTERM or SIGINT; from now on these do not kill it.
///
/// # Errors
///
/// The system refuses to pass signals on.
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    })
}

/// Out of file descriptors, for example: others have to end first.
async fn wait_after(error: &io::Error) {
    tracing::warn!(error = %error, "a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(50)).await;
}

async fn end(connections: GracefulShutdown, stop_bodies: &watch::Sender<bool>, patience: Duration) {
    let mut ended = pin!(connections.shutdown());
    if tokio::time::timeout(patience, &mut ended).await.is_ok() {
        return;
    }
    stop_bodies.send_replace(true);
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
}
