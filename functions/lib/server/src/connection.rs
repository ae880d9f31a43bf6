//! Connections and the requests on them.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use oci::ErrorCode;
use registry::http::{Body, refusal};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::Patience;
use crate::body::{Stop, until_stop};

/// How much of a request is buffered before it is taken.
const BUFFER_BYTES: usize = 512 * 1024;

/// How long a connection is quiet before the system asks whether the client is still there, and asks again.
const KEEPALIVE_TIME: Duration = Duration::from_secs(60);

/// The connections of a server.
pub(crate) struct Connections<A> {
    answer: A,
    patience: Patience,
    stopping: watch::Receiver<bool>,
    graceful: GracefulShutdown,
}

impl<A, F> Connections<A>
where
    A: Fn(Request<Body>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    pub(crate) fn new(answer: A, patience: Patience, stopping: watch::Receiver<bool>) -> Self {
        Self { answer, patience, stopping, graceful: GracefulShutdown::new() }
    }

    /// Answers the requests of this connection, in a task of its own.
    pub(crate) fn begin(&self, stream: TcpStream) {
        if let Err(error) = prepare(&stream) {
            tracing::debug!(error = %error, "the client has gone away");
            return;
        }
        let (answer, stopping, silence) = (self.answer.clone(), self.stopping.clone(), self.patience.silence);
        let service = service_fn(move |request: Request<Incoming>| {
            let (answer, stop) = (answer.clone(), Stop::new(stopping.clone()));
            async move {
                let request = request.map(|body| until_stop(body, &stop, silence));
                let answer = answer(request).await;
                Ok::<_, Infallible>(if stop.has_interrupted() { repeatable(answer) } else { answer })
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.patience.head)
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let connection = self.graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "a connection ended early");
            }
        });
    }

    /// Returns what ends them.
    pub(crate) fn into_graceful(self) -> GracefulShutdown {
        self.graceful
    }
}

/// Sets what every connection needs.
pub(crate) fn prepare(stream: &TcpStream) -> io::Result<()> {
    // Small answers must not wait for an acknowledgement.
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_TIME).with_interval(KEEPALIVE_TIME);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// That the server broke a body off is not the client's fault; with 503 some clients try again.
fn repeatable(answer: Response<Body>) -> Response<Body> {
    if !answer.status().is_client_error() {
        return answer;
    }
    let mut stopping = refusal(ErrorCode::Unavailable, "the registry is stopping; try again in a moment");
    // They say where an upload stands.
    stopping.headers_mut().extend(answer.into_parts().0.headers);
    stopping
}
