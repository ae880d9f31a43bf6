use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

fn certificate(name: &str) -> CertifiedKey<KeyPair> {
    generate_simple_self_signed([name.to_owned()]).unwrap()
}

/// Answers each connection with an empty document, under this certificate.
async fn serve(certified: &CertifiedKey<KeyPair>) -> SocketAddr {
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

/// Returns a client that trusts this certificate alone.
fn client_of(certified: &CertifiedKey<KeyPair>) -> Client {
    let mut roots = RootCertStore::empty();
    roots.add(certified.cert.der().clone()).unwrap();
    Client { tls: OnceCell::new_with(Some(tls(roots).unwrap())), ..Client::new(PATIENCE) }
}

async fn get(client: &Client, url: &str) -> Result<Bytes, Failure> {
    client.get(&Url::parse(url).unwrap()).await
}

#[tokio::test]
async fn a_certificate_has_to_be_trusted_and_to_have_the_name() {
    let certified = certificate("localhost");
    let port = serve(&certified).await.port();
    let answer = get(&client_of(&certified), &format!("https://localhost:{port}/")).await;
    assert_eq!(answer.unwrap(), "{}");
    let other_name = get(&client_of(&certified), &format!("https://127.0.0.1:{port}/")).await;
    assert!(matches!(other_name, Err(Failure::Connection(_))), "{other_name:?}");
    let unknown = get(&client_of(&certificate("localhost")), &format!("https://localhost:{port}/")).await;
    assert!(matches!(unknown, Err(Failure::Connection(_))), "{unknown:?}");
}

#[tokio::test]
async fn nothing_is_connected_to_at_an_address_that_is_not_public_however_it_is_written() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = Client::new(PATIENCE);
    for host in
        ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.0.0.2", "0", "[::ffff:127.0.0.1]", "[::]"]
    {
        let answer = get(&client, &format!("https://{host}:{port}/")).await;
        assert!(matches!(answer, Err(Failure::Address { .. })), "{host}: {answer:?}");
    }
    let nobody_came = timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(nobody_came.is_err());
    for host in ["10.0.0.1", "169.254.169.254", "[fd00:ec2::254]", "100.64.0.1"] {
        let answer = get(&client, &format!("https://{host}/")).await;
        assert!(matches!(answer, Err(Failure::Address { .. })), "{host}: {answer:?}");
    }
}

#[tokio::test]
async fn a_private_network_is_reached_only_where_somebody_said_so() {
    let private = Url::parse("https://10.0.0.1/keys").unwrap();
    let cautious = Client::new(PATIENCE);
    assert!(matches!(cautious.addresses(&private).await, Err(Failure::Address { .. })));
    let at_home = cautious.reaching(Networks::PrivateToo);
    assert_eq!(at_home.addresses(&private).await.unwrap(), ["10.0.0.1:443".parse().unwrap()]);
    let metadata = Url::parse("https://169.254.169.254/").unwrap();
    assert!(matches!(at_home.addresses(&metadata).await, Err(Failure::Address { .. })));
}
