//! TLS with a certificate that may change.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

/// Why a certificate and its key are of no use.
#[derive(Debug, thiserror::Error)]
pub enum TlsInvalid {
    /// The file of the certificates or the key has none, or cannot be read.
    #[error("{path} has no {what} in PEM form that can be read: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What it should have.
        what: &'static str,
        /// Why it has not. No source: the message has told it.
        reason: pem::Error,
    },
    /// They do not fit each other, or nobody would accept them.
    #[error("the certificate and the key cannot be used: {0}")]
    Pair(rustls::Error),
}

/// A certificate and its key, in two files. Clones change together.
#[derive(Clone)]
pub struct Tls(Arc<Files>);

struct Files {
    certificate: PathBuf,
    key: PathBuf,
    config: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the files: the server's certificate and those that lead from it to the root; and its key.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsInvalid> {
        let config = RwLock::new(config(certificate, key)?.into());
        Ok(Self(Arc::new(Files { certificate: certificate.to_owned(), key: key.to_owned(), config })))
    }

    /// Reads them again, for connections from now on. If they are of no use, nothing changes.
    pub fn reload(&self) -> Result<(), TlsInvalid> {
        let config = config(&self.0.certificate, &self.0.key)?.into();
        *self.0.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = Arc::clone(&self.0.config.read().unwrap_or_else(PoisonError::into_inner));
        TlsAcceptor::from(config).accept(stream).await
    }
}

fn config(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsInvalid> {
    let invalid = |path: &Path, what| {
        let path = path.to_owned();
        move |reason| TlsInvalid::File { path, what, reason }
    };
    let chain = chain(certificate).map_err(invalid(certificate, "certificate"))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(invalid(key, "private key"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(TlsInvalid::Pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, pem::Error> {
    let chain = CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>()?;
    if chain.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(chain) }
}
