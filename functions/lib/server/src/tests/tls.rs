use std::path::Path;

use rcgen::CertifiedKey;
use tempfile::TempDir;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;

/// The files of a server's certificate.
struct Files {
    folder: TempDir,
    certificate: CertificateDer<'static>,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = write_pair(folder.path());
        Self { folder, certificate }
    }

    fn load(&self) -> Tls {
        Tls::load(&self.folder.path().join("cert.pem"), &self.folder.path().join("key.pem")).unwrap()
    }
}

fn write_pair(folder: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    cert.der().clone()
}

async fn start(tls: Tls, patience: Patience) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    Server::start_on(Listener::from(listener).with_tls(Some(tls)), address, patience)
}

/// Connects as somebody who trusts this certificate alone.
async fn connect(server: &Server, trusted: &CertificateDer<'static>) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(server.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

async fn answer_to(mut stream: TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn http_1_1_is_spoken_inside_tls() {
    let files = Files::new();
    let server = start(files.load(), PATIENT).await;
    let stream = connect(&server, &files.certificate).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert!(answer_to(stream).await.starts_with("HTTP/1.1 403 "));
}

#[tokio::test]
async fn a_client_that_does_not_shake_hands_keeps_nobody_waiting_and_the_server_from_no_end() {
    let files = Files::new();
    let server = start(files.load(), PATIENT).await;
    let silent = TcpStream::connect(server.address).await.unwrap();
    let answer = answer_to(connect(&server, &files.certificate).await.unwrap()).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    server.stop.send(()).unwrap();
    server.end.await.unwrap();
    drop(silent);
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_ends() {
    let files = Files::new();
    let server = start(files.load(), Patience { head: SHORT, ..PATIENT }).await;
    let silent = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(rest(silent).await, "");
}

#[tokio::test]
async fn a_new_certificate_is_shown_to_new_connections_and_a_bad_one_to_nobody() {
    let files = Files::new();
    let tls = files.load();
    let server = start(tls.clone(), PATIENT).await;
    let open = connect(&server, &files.certificate).await.unwrap();

    let renewed = write_pair(files.folder.path());
    tls.reload().unwrap();
    assert!(connect(&server, &files.certificate).await.is_err());
    connect(&server, &renewed).await.unwrap();
    assert!(answer_to(open).await.starts_with("HTTP/1.1 403 "));

    let another_key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    for (file, text) in [("key.pem", another_key.as_str()), ("cert.pem", "no certificate")] {
        std::fs::write(files.folder.path().join(file), text).unwrap();
        assert!(tls.reload().is_err(), "{file}");
        connect(&server, &renewed).await.unwrap();
    }
}

#[test]
fn files_of_no_use_are_named() {
    let files = Files::new();
    let (good, missing) = (files.folder.path().join("cert.pem"), files.folder.path().join("none.pem"));
    let error = Tls::load(&missing, &good).err().unwrap().to_string();
    assert!(error.contains("none.pem") && error.contains("certificate"), "{error}");
    let error = Tls::load(&good, &good).err().unwrap().to_string();
    assert!(error.contains("cert.pem") && error.contains("private key"), "{error}");
}
