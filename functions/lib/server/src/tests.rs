mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, Full};
use oci::ErrorCode;
use registry::access::Address;
use registry::http::refusal;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::*;

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(50);
const PATIENT: Patience = Patience { head: LONG, silence: LONG, stop: LONG };

/// A server that takes whole bodies, but denies everything that is no PATCH.
struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    took_a_piece: Arc<Notify>,
    end: JoinHandle<()>,
}

impl Server {
    async fn start(patience: Patience) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self::start_on(listener.into(), address, patience)
    }

    fn start_on(listener: Listener, address: SocketAddr, patience: Patience) -> Self {
        let (stop, stopped) = oneshot::channel();
        let took_a_piece = Arc::new(Notify::new());
        let noted = Arc::clone(&took_a_piece);
        let answer = move |request| answer(request, Arc::clone(&noted));
        let end = tokio::spawn(serve(listener, answer, patience, async { stopped.await.unwrap() }));
        Self { address, stop, took_a_piece, end }
    }

    /// Sends half a body, and waits until it has arrived.
    async fn half_a_body(&self) -> TcpStream {
        let mut client = TcpStream::connect(self.address).await.unwrap();
        client.write_all(b"PATCH / HTTP/1.1\r\nhost: a\r\ncontent-length: 8\r\n\r\nhalf").await.unwrap();
        self.took_a_piece.notified().await;
        client
    }
}

async fn answer(request: Request<Body>, took_a_piece: Arc<Notify>) -> Response<Body> {
    if request.method() != http::Method::PATCH {
        return refusal(ErrorCode::Denied, "not here");
    }
    let (mut body, mut size_bytes) = (request.into_body(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            let mut broken = refusal(ErrorCode::BlobUploadInvalid, "the body broke off");
            broken.headers_mut().insert(header::RANGE, HeaderValue::from(size_bytes));
            return broken;
        };
        size_bytes += frame.data_ref().map_or(0, Bytes::len);
        took_a_piece.notify_one();
    }
    let mut taken = Response::new(Full::default().map_err(|never| match never {}).boxed_unsync());
    *taken.status_mut() = StatusCode::ACCEPTED;
    taken
}

async fn rest(mut client: TcpStream) -> String {
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn a_body_that_the_stop_breaks_off_is_answered_with_503_and_with_where_it_stands() {
    let server = Server::start(Patience { stop: Duration::ZERO, ..PATIENT }).await;
    let client = server.half_a_body().await;
    server.stop.send(()).unwrap();
    let answer = rest(client).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("range: 4\r\n") && answer.contains("UNAVAILABLE"), "{answer}");
    server.end.await.unwrap();
}

#[tokio::test]
async fn a_patient_server_takes_bodies_to_their_end_before_it_stops() {
    let server = Server::start(PATIENT).await;
    let mut client = server.half_a_body().await;
    server.stop.send(()).unwrap();
    // An impatient server breaks the body off meanwhile.
    tokio::time::sleep(SHORT).await;
    client.write_all(b"rest").await.unwrap();
    let answer = rest(client).await;
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    server.end.await.unwrap();
}

#[tokio::test]
async fn a_client_that_falls_silent_loses_its_request_and_is_told_the_truth() {
    let server = Server::start(Patience { silence: SHORT, ..PATIENT }).await;
    let client = server.half_a_body().await;
    let answer = rest(client).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn an_idle_connection_ends_also_between_two_requests() {
    let server = Server::start(Patience { head: SHORT, ..PATIENT }).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let answer = rest(client).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[tokio::test]
async fn a_client_that_sends_a_body_nobody_wants_still_reads_the_answer() {
    let server = Server::start(PATIENT).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    let head = "DELETE / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 8000000\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(&vec![1; 8_000_000]).await.unwrap();
    let answer = rest(client).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[tokio::test]
async fn the_system_asks_whether_a_quiet_client_is_still_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    connection::prepare(&stream).unwrap();
    assert!(SockRef::from(&stream).keepalive().unwrap());
    assert!(!SockRef::from(&client).keepalive().unwrap());
}

/// Returns the addresses that two requests on one connection come from.
async fn seen_addresses(listener: Listener, mut client: impl AsyncReadExt + AsyncWriteExt + Unpin) -> String {
    let tell = |request: Request<Body>| async move {
        let mut answer = refusal(ErrorCode::Denied, "not here");
        let address = request.extensions().get::<Address>().unwrap().as_str();
        answer.headers_mut().insert("x-seen", address.parse().unwrap());
        answer
    };
    tokio::spawn(serve(listener, tell, PATIENT, std::future::pending()));
    let head = "GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 127.0.0.1, 192.0.2.7\r\n";
    client.write_all(format!("{head}\r\n{head}connection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap();
    let seen = text.lines().filter_map(|line| line.strip_prefix("x-seen: ").or(line.strip_prefix("x-seen:")));
    seen.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn each_request_says_where_it_comes_from() {
    for (is_behind_proxy, expected) in [(false, "127.0.0.1 127.0.0.1"), (true, "192.0.2.7 192.0.2.7")] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let listener = Listener::from(listener).behind_proxy(is_behind_proxy);
        assert_eq!(seen_addresses(listener, client).await, expected);
    }
}

#[tokio::test]
async fn a_unix_socket_is_answered_too() {
    let folder = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
    let client = UnixStream::connect(folder.path().join("socket")).await.unwrap();
    assert_eq!(seen_addresses(listener.into(), client).await, " ");
}

#[tokio::test]
async fn an_answer_that_panics_is_an_error_and_the_connection_goes_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = |request: Request<Body>| async move {
        assert_ne!(request.uri().path(), "/broken", "a secret of the inside");
        refusal(ErrorCode::Denied, "not here")
    };
    tokio::spawn(serve(listener, answer, PATIENT, std::future::pending()));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET /broken HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let broken = read_until(&mut client, "}]}").await;
    assert!(broken.starts_with("HTTP/1.1 500 ") && broken.contains(r#""code":"UNKNOWN""#), "{broken}");
    assert!(!broken.contains("secret"), "{broken}");
    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert!(read_until(&mut client, "}]}").await.starts_with("HTTP/1.1 403 "));
}

async fn read_until(client: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let mut bytes = [0; 1024];
        let length = client.read(&mut bytes).await.unwrap();
        assert_ne!(length, 0, "it ended: {text}");
        text.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
    }
    text
}

/// Returns the status of the answer to this head, on a connection of its own.
async fn status_of(server: &Server, head: &str) -> String {
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).await.unwrap();
    rest(client).await.split(' ').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn a_request_names_one_host_unless_it_is_older_than_that_rule() {
    let server = Server::start(PATIENT).await;
    for named in [
        "GET / HTTP/1.1\r\nhost: a\r\n",
        "GET / HTTP/1.1\r\nhost: a.example:5000\r\n",
        "GET / HTTP/1.1\r\nhost: [::1]:5000\r\n",
        "GET / HTTP/1.1\r\nhost:\r\n",
        "GET http://a.example/ HTTP/1.1\r\nhost: a.example\r\n",
        "GET / HTTP/1.0\r\n",
    ] {
        assert_eq!(status_of(&server, named).await, "403", "{named}");
    }
    for unnamed in [
        "GET / HTTP/1.1\r\n",
        "GET http://a.example/ HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n",
        "GET / HTTP/1.0\r\nhost: a\r\nhost: b\r\n",
        "GET / HTTP/1.1\r\nhost: a b\r\n",
        "GET / HTTP/1.1\r\nhost: a/b\r\n",
        "GET / HTTP/1.1\r\nhost: evil@localhost\r\n",
        "GET / HTTP/1.1\r\nhost: localhost:x\r\n",
    ] {
        assert_eq!(status_of(&server, unnamed).await, "400", "{unnamed}");
    }
}

#[tokio::test]
async fn a_body_comes_plainly_or_in_chunks() {
    let server = Server::start(PATIENT).await;
    for (coding, status) in [
        ("chunked", "403"),
        ("Chunked", "403"),
        ("gzip, chunked", "400"),
        ("chunked, chunked", "400"),
        ("gzip\r\ntransfer-encoding: chunked", "400"),
        ("gzip", "400"),
    ] {
        let head = format!("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: {coding}\r\n");
        assert_eq!(status_of(&server, &head).await, status, "{coding}");
    }
}

#[tokio::test]
async fn a_connection_too_many_is_closed_and_the_next_one_is_taken_when_another_has_ended() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = Listener::from(listener).limited(Limits { per_address: 2, in_all: 9 });
    let answer = |_: Request<Body>| async { refusal(ErrorCode::Denied, "not here") };
    tokio::spawn(serve(listener, answer, PATIENT, std::future::pending()));
    let mut silent = Vec::new();
    for _ in 0..2 {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        read_until(&mut client, "}]}").await;
        silent.push(client);
    }
    let mut third = TcpStream::connect(address).await.unwrap();
    assert_eq!(third.read(&mut [0; 10]).await.unwrap_or_default(), 0, "it was answered");
    silent.pop();
    loop {
        let mut client = TcpStream::connect(address).await.unwrap();
        // The server may not have seen yet that the other one has ended.
        let _ = client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        if client.read(&mut [0; 1000]).await.unwrap_or_default() > 0 {
            return;
        }
    }
}
