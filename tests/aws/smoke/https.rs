//! Certificates: the system's are trusted, others are not.

use std::io::Write;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::NamedTempFile;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::accounts::PASSWORD;
use crate::checks::{LETS_IN, REALM};
use crate::fault::Fault;
use crate::run::Run;
use crate::site::Site;
use crate::stories::Story;

pub(crate) const STORIES: &[Story] = &[
    ("a certificate that is not trusted is refused", certificate_decides),
    ("a password is not sent where everybody can read it", password_stays_encrypted),
];

/// A registry by https is checked, and only if its certificate is trusted.
fn certificate_decides(site: &Site) {
    let (url, certificate) = serve(site, Fault::none());
    let trusting = Run::of(&url, &["--json"], &[("SSL_CERT_FILE", certificate.path().to_str().unwrap())]);
    assert_eq!(trusting.names("does not hold"), Vec::<String>::new(), "{}", trusting.stdout);
    assert!(trusting.passes);

    let wary = Run::of(&url, &["--json"], &[]);
    let fact = wary.fact(LETS_IN);
    assert!(fact.contains("certificate") && fact.contains("SSL_CERT_FILE"), "{fact}");
    assert!(!wary.passes);
}

/// The accounts of these tests always say http.
fn password_stays_encrypted(site: &Site) {
    let (url, certificate) = serve(site, Fault::none().asking());
    let trusted = ("SSL_CERT_FILE", certificate.path().to_str().unwrap());
    let run = Run::of(&url, &["--json", "--user", "admin"], &[trusted, ("SLIPWAY_SMOKE_PASSWORD", PASSWORD)]);
    let fact = run.fact(LETS_IN);
    assert!(fact.contains("the password would go to http://127.0.0.1"), "{fact}");
    assert!(run.names("does not hold").contains(&REALM.to_owned()));
    assert!(!run.passes);
}

/// Serves by https; returns the URL, and the file of a certificate to be trusted.
fn serve(site: &Site, fault: Fault) -> (String, NamedTempFile) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let url = site.serve_tls(fault, TlsAcceptor::from(Arc::new(config)));
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(cert.pem().as_bytes()).unwrap();
    (url, file)
}
