//! Certificates: the system's are trusted, others are not.

use std::io::Write;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::fault::Fault;
use crate::run::Run;
use crate::site::Site;

/// A registry by https is checked, and only if its certificate is trusted.
pub(crate) fn certificate_decides(site: &Site) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let url = site.serve_tls(Fault::none(), TlsAcceptor::from(Arc::new(config)));
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(cert.pem().as_bytes()).unwrap();

    let trusting = Run::of(&url, &["--json"], &[("SSL_CERT_FILE", file.path().to_str().unwrap())]);
    assert_eq!(trusting.names("does not hold"), Vec::<String>::new(), "{}", trusting.stdout);
    assert!(trusting.passes);

    let wary = Run::of(&url, &["--json"], &[]);
    let fact = wary.fact("the registry lets this client in");
    assert!(fact.contains("TLS") && fact.contains("certificate"), "{fact}");
    assert!(!wary.passes);
}
