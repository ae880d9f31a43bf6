//! Fetches documents: one request on one connection, to an address that was looked at before. Redirects are refused.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use crate::address::Networks;
use crate::url::Url;

/// How large a document may be: those of the large issuers have less than 20 KiB.
const BODY_MAX_BYTES: usize = 256 * 1024;

/// Why there is no document.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0:?} is no https URL that may be asked")]
    Url(String),
    #[error("{host} is at {address}, which may not be asked")]
    Address { host: String, address: IpAddr },
    #[error("no answer in time")]
    Silent,
    #[error("no connection: {0}")]
    Connection(String),
    #[error("the answer was {0}")]
    Status(StatusCode),
    #[error("the document is larger than {BODY_MAX_BYTES} bytes")]
    TooLarge,
    #[error("the document cannot be read: {0}")]
    Document(String),
    #[error("the document is that of {0:?}")]
    OtherIssuer(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Connection(error.to_string())
    }
}

impl From<hyper::Error> for Failure {
    fn from(error: hyper::Error) -> Self {
        Self::Connection(error.to_string())
    }
}

impl From<rustls::Error> for Failure {
    fn from(error: rustls::Error) -> Self {
        Self::Connection(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Document(error.to_string())
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Fetches documents; trusts the certificates that the system trusts.
pub(crate) struct Client {
    timeout: Duration,
    networks: Networks,
    /// Made when it is needed first: reading the system's certificates takes milliseconds.
    tls: OnceCell<TlsConnector>,
}

impl Client {
    /// Makes a client that waits so long for a document.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { timeout, networks: Networks::Public, tls: OnceCell::new() }
    }

    /// Returns the same for these networks.
    pub(crate) fn reaching(self, networks: Networks) -> Self {
        Self { networks, ..self }
    }

    /// Returns the same with another patience.
    pub(crate) fn waiting(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Fetches the document.
    pub(crate) async fn get(&self, url: &Url) -> Result<Bytes, Failure> {
        timeout(self.timeout, self.exchange(url)).await.unwrap_or(Err(Failure::Silent))
    }

    async fn exchange(&self, url: &Url) -> Result<Bytes, Failure> {
        let stream = self.connect(url).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // Ends the connection with this function, whatever else would come.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let response = sender.send_request(request(url)?).await?;
        // A redirect would lead to where nobody has looked.
        if response.status() != StatusCode::OK {
            return Err(Failure::Status(response.status()));
        }
        match Limited::new(response.into_body(), BODY_MAX_BYTES).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(Failure::TooLarge),
            Err(error) => Err(Failure::Connection(error.to_string())),
        }
    }

    async fn connect(&self, url: &Url) -> Result<Box<dyn Stream>, Failure> {
        let addresses = self.addresses(url).await?;
        let stream = self.connect_any(&addresses).await?;
        if !url.is_tls {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(url.host.clone());
        let name = name.map_err(|error| Failure::Connection(error.to_string()))?;
        let tls = self.tls.get_or_try_init(|| async { tls(system_roots()) }).await?;
        Ok(Box::new(tls.connect(name, stream).await?))
    }

    /// Looks the name up, once: what is connected to is what was looked at.
    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, Failure> {
        let found = tokio::net::lookup_host((url.host.as_str(), url.port)).await?;
        let addresses: Vec<SocketAddr> = found.collect();
        let is_allowed =
            |ip: IpAddr| if url.is_loopback { ip.is_loopback() } else { self.networks.allow(ip) };
        // One wrong address is enough to know that the name is not what it should be.
        match addresses.iter().find(|address| !is_allowed(address.ip())) {
            Some(wrong) => Err(Failure::Address { host: url.host.clone(), address: wrong.ip() }),
            None => Ok(addresses),
        }
    }

    /// Connects to the first address that answers, of each family one.
    async fn connect_any(&self, addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
        let first = addresses.first();
        let other = first.and_then(|first| addresses.iter().find(|it| it.is_ipv4() != first.is_ipv4()));
        // Two that do not answer leave time for nothing, one leaves enough.
        let patience = self.timeout / 2;
        let mut failure = Failure::Connection("the name has no address".to_owned());
        for address in first.into_iter().chain(other) {
            match timeout(patience, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failure = error.into(),
                Err(_) => failure = Failure::Silent,
            }
        }
        Err(failure)
    }
}

fn request(url: &Url) -> Result<Request<Empty<Bytes>>, Failure> {
    let request = Request::get(url.target())
        .header(header::HOST, url.authority())
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, concat!("slipway/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close")
        .body(Empty::new());
    request.map_err(|_| Failure::Url(url.authority().to_owned()))
}

/// `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's certificates.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn tls(roots: RootCertStore) -> Result<TlsConnector, Failure> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests;
