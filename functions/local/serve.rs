//! The registry as a server.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use registry::http::Service;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::request_body::until_stop;
use crate::settings::Settings;
use crate::storage::{Storage, forget_address, note_address};

/// How long a client may take to send the head of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long requests may go on after the server was asked to stop.
const GRACE: Duration = Duration::from_secs(10);

/// How much of a request is buffered before it is taken.
const BUFFER_BYTES: usize = 512 * 1024;

/// Serves until a signal comes; then the requests under way end, and uploads keep what has arrived.
pub(crate) async fn serve(settings: &Settings) -> Result<()> {
    let storage = Storage::open(&settings.data)?;
    let service = Service::new(storage.registry());
    let listener =
        TcpListener::bind(settings.listen).await.with_context(|| format!("listen on {}", settings.listen))?;
    let address = listener.local_addr()?;
    note_address(&settings.data, address)?;
    greet(settings, address);

    let (stop, stopping) = watch::channel(false);
    let connections = GracefulShutdown::new();
    let mut signals = Signals::new()?;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => connect(stream, &service, &connections, stopping.clone()),
                Err(error) => wait_after(&error).await,
            },
            () = signals.any() => break,
        }
    }
    drop(listener);
    tracing::info!("stopping");
    stop.send_replace(true);
    if tokio::time::timeout(GRACE, connections.shutdown()).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
    forget_address(&settings.data);
    Ok(())
}

fn greet(settings: &Settings, address: SocketAddr) {
    let shown = if address.ip().is_loopback() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    };
    println!("Slipway {} listens on http://{address}", env!("CARGO_PKG_VERSION"));
    println!("  data      {}", settings.data.display());
    if address.ip().is_loopback() {
        println!("  access    open to everybody on this machine");
    } else {
        println!("  access    OPEN TO EVERYBODY who can reach {address}, unencrypted");
    }
    println!("  try       docker tag IMAGE {shown}/hello && docker push {shown}/hello");
}

/// Out of file descriptors, for example: others have to end first.
async fn wait_after(error: &std::io::Error) {
    tracing::warn!(error = %error, "a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(50)).await;
}

fn connect(
    stream: TcpStream,
    service: &Service,
    connections: &GracefulShutdown,
    stopping: watch::Receiver<bool>,
) {
    // Small answers must not wait for an acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(error = %error, "the client has gone away");
        return;
    }
    let service = service.clone();
    let answer = service_fn(move |request: http::Request<Incoming>| {
        let (service, stopping) = (service.clone(), stopping.clone());
        async move {
            let request = request.map(|body| until_stop(body, stopping));
            Ok::<_, Infallible>(service.handle(request).await)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), answer);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error = %error, "a connection ended early");
        }
    });
}

struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
