//! Whom a client believes, and what it says when it does not.

use std::sync::Arc;

use anyhow::{Error, Result};
use http::{Uri, uri::Scheme};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

/// Returns what speaks TLS. `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's certificates.
pub(super) fn connector() -> Result<TlsConnector> {
    let trusted = rustls_native_certs::load_native_certs().certs;
    let mut roots = RootCertStore::empty();
    // Without certificates every https request says that the issuer is unknown.
    roots.add_parsable_certificates(trusted.iter().cloned());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let builder = match WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build() {
        Ok(usual) => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Verifier { usual, trusted }))
        }
        Err(_) => builder.with_root_certificates(RootCertStore::empty()),
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Believes also a certificate that is itself among the trusted ones, as one is that signs itself.
#[derive(Debug)]
struct Verifier {
    usual: Arc<WebPkiServerVerifier>,
    trusted: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let usual = self.usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if usual.is_ok() || !self.trusted.iter().any(|trusted| trusted.as_ref() == end_entity.as_ref()) {
            return usual;
        }
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Says what to do about an error of TLS.
pub(super) fn explained(error: std::io::Error, url: &Uri) -> Error {
    let authority = url.authority().map(ToString::to_string).unwrap_or_default();
    let advice = match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::Other(_),
        )) => format!(
            "this machine trusts nobody who signed the certificate of {authority}; \
             SSL_CERT_FILE can name a file with the certificate, or with that of who signed it"
        ),
        Some(rustls::Error::InvalidMessage(_)) => {
            format!("{authority} speaks no TLS; if that is how it shall be, write http://{authority}")
        }
        _ => "TLS".to_owned(),
    };
    Error::new(error).context(advice)
}

/// Says what may be wrong where an answer is no HTTP: a server that wants TLS gives none.
pub(super) fn hinted(error: Error, url: &Uri) -> Error {
    let is_of_http = |cause: &hyper::Error| cause.is_parse() || cause.is_incomplete_message();
    let is_no_http = error.chain().any(|cause| cause.downcast_ref().is_some_and(is_of_http));
    match url.authority().filter(|_| is_no_http && url.scheme() == Some(&Scheme::HTTP)) {
        Some(authority) => error.context(format!("if {authority} speaks TLS, write https://{authority}")),
        None => error,
    }
}
