//! Connections and the requests on them.

use std::convert::Infallible;
use std::io;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Request, Response, Version, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use oci::ErrorCode;
use registry::http::{Body, NO_HOST, is_host, refusal};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::Patience;
use crate::body::{Stop, until_stop};
use crate::listener::Stream;
use crate::origin::Origin;
use crate::places::Place;
use crate::tls::Tls;

/// How much of a request is buffered before it is taken.
const BUFFER_BYTES: usize = 512 * 1024;

/// How long a connection is quiet before the system asks whether the client is still there, and asks again.
const KEEPALIVE_TIME: Duration = Duration::from_secs(60);

/// For a year. Not for the hosts below this one, which may be others'.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The connections of a server.
pub(crate) struct Connections<A> {
    answer: A,
    patience: Patience,
    stopping: watch::Receiver<bool>,
    graceful: GracefulShutdown,
    /// Dropped when no more connections are taken.
    listening: watch::Sender<()>,
}

impl<A, F> Connections<A>
where
    A: Fn(Request<Body>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    pub(crate) fn new(answer: A, patience: Patience, stopping: watch::Receiver<bool>) -> Self {
        let (listening, _) = watch::channel(());
        Self { answer, patience, stopping, graceful: GracefulShutdown::new(), listening }
    }

    /// Answers the requests of this connection, in a task of its own.
    pub(crate) fn begin(&self, stream: Stream, origin: Origin, place: Place, tls: Option<&Tls>) {
        let connection = self.connection(origin, place);
        match stream {
            Stream::Unix(stream) => drop(tokio::spawn(connection.serve(stream))),
            Stream::Tcp(stream) => match (prepare(&stream), tls) {
                (Err(error), _) => tracing::debug!(error = %error, "the client has gone away"),
                (Ok(()), None) => drop(tokio::spawn(connection.serve(stream))),
                (Ok(()), Some(tls)) => {
                    let (tls, listening) = (tls.clone(), self.listening.subscribe());
                    tokio::spawn(connection.serve_tls(stream, tls, listening));
                }
            },
        }
    }

    fn connection(&self, origin: Origin, place: Place) -> Connection<A> {
        Connection {
            answer: self.answer.clone(),
            patience: self.patience,
            stopping: self.stopping.clone(),
            watcher: self.graceful.watcher(),
            origin,
            place,
            is_tls: false,
        }
    }

    /// Returns what ends them. Those that are not ready for a request yet end now.
    pub(crate) fn into_graceful(self) -> GracefulShutdown {
        self.graceful
    }
}

/// One connection.
struct Connection<A> {
    answer: A,
    patience: Patience,
    stopping: watch::Receiver<bool>,
    watcher: Watcher,
    origin: Origin,
    place: Place,
    is_tls: bool,
}

impl<A, F> Connection<A>
where
    A: Fn(Request<Body>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    async fn serve_tls(self, stream: TcpStream, tls: Tls, mut listening: watch::Receiver<()>) {
        let handshake = tokio::select! {
            handshake = tokio::time::timeout(self.patience.head, tls.accept(stream)) => handshake,
            // Nothing is ever sent: this is the end of the sender.
            _ = listening.changed() => return,
        };
        match handshake {
            Ok(Ok(stream)) => Self { is_tls: true, ..self }.serve(stream).await,
            Ok(Err(error)) => tracing::debug!(error = %error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let Self { answer, patience, stopping, watcher, origin, place: _place, is_tls } = self;
        let service = service_fn(move |request: Request<Incoming>| {
            let (answer, stop) = (answer.clone(), Stop::new(stopping.clone()));
            let address = origin.address(request.headers());
            let unclear = unclear(request.version(), request.headers());
            async move {
                let mut request = request.map(|body| until_stop(body, &stop, patience.silence));
                request.extensions_mut().insert(address);
                let mut answer = match unclear {
                    None => {
                        let answer = AssertUnwindSafe(async move { answer(request).await }).catch_unwind();
                        answer.await.unwrap_or_else(|_| broken_down())
                    }
                    Some(why) => refusal(ErrorCode::ParameterInvalid, why),
                };
                if is_tls {
                    answer.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, ONLY_TLS);
                }
                Ok::<_, Infallible>(if stop.has_interrupted() { repeatable(answer) } else { answer })
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(patience.head)
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(error = %error, "a connection ended early");
        }
    }
}

/// Returns why a request could be understood in two ways, if it could.
fn unclear(version: Version, headers: &HeaderMap) -> Option<&'static str> {
    if !names_one_host(version, headers) {
        return Some(NO_HOST);
    }
    let codings = headers.get_all(header::TRANSFER_ENCODING);
    let is_known = |coding: &HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    // Whatever else the body went through would be taken for its content (RFC 9112, 6.1).
    let is_plain = codings.iter().all(is_known) && codings.iter().count() <= 1;
    (!is_plain).then_some("the only transfer coding that is understood is chunked")
}

/// Of two hosts a proxy may have looked at the other one (RFC 9112, 3.2).
fn names_one_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let may_be_host = |host: &HeaderValue| host.is_empty() || is_host(host.as_bytes());
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => may_be_host(host),
        (None, _) => version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// Nothing of it reaches the client; where it happened has been written to standard error.
fn broken_down() -> Response<Body> {
    tracing::error!("a request was not answered: the registry panicked");
    refusal(ErrorCode::Unknown, "something went wrong inside the registry; its log says what")
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
