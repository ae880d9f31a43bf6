//! A client that hides nothing: one request on one connection, and its reply as it came.
//!
//! Redirects are not followed, nothing is repeated, and the protocol is HTTP/1.1.

pub(crate) mod ask;
pub(crate) mod endpoint;
pub(crate) mod payload;
pub(crate) mod reply;
mod stream;
mod tls;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{HeaderValue, Uri, header, uri::Scheme};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use ask::Ask;
use payload::Invitation;
use reply::Reply;
use stream::Listening;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Sends requests; trusts the certificates that the system trusts.
pub(crate) struct Client {
    tls: TlsConnector,
}

impl Client {
    /// Makes a client. `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's certificates.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { tls: tls::connector()? })
    }

    /// Sends one request and reads the whole reply, also one that comes before the body was sent.
    pub(crate) async fn send(&self, ask: Ask) -> Result<Reply> {
        let (label, timeout, url) = (ask.label(), ask.timeout, ask.url.clone());
        match tokio::time::timeout(timeout, self.exchange(ask)).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(error)) => Err(tls::hinted(error, &url).context(format!("{label} had no answer"))),
            Err(_) => bail!("{label} had no answer within {} s", timeout.as_secs()),
        }
    }

    /// Sends one request, and returns the answer as it comes.
    pub(crate) async fn open(&self, ask: Ask) -> Result<http::Response<registry::http::Body>> {
        let (label, timeout) = (ask.label(), ask.timeout);
        let opened = async {
            let stream = self.connect(&ask.url).await?;
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            let mut driver = JoinSet::new();
            driver.spawn(connection);
            let response = sender.send_request(request(ask, &Arc::default())?).await?;
            // The connection is open for as long as somebody reads the body.
            anyhow::Ok(response.map(|body| {
                let body = body.map_frame(move |frame| {
                    let _ = &driver;
                    frame
                });
                body.map_err(Into::into).boxed_unsync()
            }))
        };
        match tokio::time::timeout(timeout, opened).await {
            Ok(response) => response.with_context(|| format!("{label} had no answer")),
            Err(_) => bail!("{label} had no answer within {} s", timeout.as_secs()),
        }
    }

    async fn exchange(&self, ask: Ask) -> Result<Reply> {
        let begin = Instant::now();
        let stream = self.connect(&ask.url).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // Ends the connection with this function, whatever is still to be sent.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let label = ask.label();
        let invitation = Arc::new(Invitation::default());
        let mut request = request(ask, &invitation)?;
        hyper::ext::on_informational(&mut request, {
            let invitation = invitation.clone();
            move |response| invitation.note(response.status())
        });
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            // Who refuses early often closes the connection, and then its last bytes may be lost.
            Err(_) if head.status.is_client_error() => Bytes::new(),
            Err(error) => return Err(error).context("the answer broke off"),
        };
        let (elapsed, is_invited) = (begin.elapsed(), invitation.is_given());
        Ok(Reply { label, status: head.status.as_u16(), headers: head.headers, body, elapsed, is_invited })
    }

    async fn connect(&self, url: &Uri) -> Result<Box<dyn Stream>> {
        let host = url.host().context("a URL without a host")?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_tls = url.scheme() == Some(&Scheme::HTTPS);
        let port = url.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let stream = TcpStream::connect((host.as_str(), port)).await;
        let stream = stream.with_context(|| format!("connect to {host}:{port}"))?;
        stream.set_nodelay(true)?;
        let stream = Listening::new(stream);
        if !is_tls {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host)?;
        let connected = self.tls.connect(name, stream).await;
        Ok(Box::new(connected.map_err(|error| tls::explained(error, url))?))
    }
}

/// How long a request may take if nothing else is said: API Gateway gives up after 30 s.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(90);

fn request(ask: Ask, invitation: &Arc<Invitation>) -> Result<http::Request<payload::Body>> {
    let authority = ask.url.authority().context("a URL without a host")?.as_str().to_owned();
    let target = ask.url.path_and_query().map_or("/", |target| target.as_str());
    let mut request = http::Request::builder().method(ask.method).uri(target).body(())?;
    *request.headers_mut() = ask.headers;
    request.headers_mut().insert(header::HOST, HeaderValue::from_str(&authority)?);
    if let Some(length) = ask.payload.length_bytes() {
        request.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    }
    Ok(request.map(|()| ask.payload.into_body(invitation)))
}
