//! What stands between a client and a sound server, and does things wrong.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use test_support::server::Server;

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fate {
    Forwarded,
    /// It gets an answer with this status, and the server does not hear of it.
    Answered(u16),
    /// It gets this answer, head and body.
    Said(&'static str),
    /// The connection ends without an answer.
    CutOff,
    /// The connection ends within the answer.
    CutShort,
}

/// Bytes of an answer that is cut short: its head, and some of its body.
const SHORT_BYTES: u64 = 2000;

/// Serves on a free port until the test ends, one request a connection; returns `127.0.0.1:<port>`.
pub(crate) fn start(server: &Server, fate: impl FnMut(&str) -> Fate + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, upstream) = (listener.local_addr().unwrap().to_string(), server.address().to_owned());
    let fate = Arc::new(Mutex::new(fate));
    thread::spawn(move || {
        for client in listener.incoming().map(Result::unwrap) {
            let (fate, upstream) = (fate.clone(), upstream.clone());
            thread::spawn(move || {
                let head = head(&client);
                let line = head.lines().next().unwrap_or_default().to_owned();
                let fate = fate.lock().unwrap()(&line);
                meet(fate, client, &head, &upstream);
            });
        }
    });
    address
}

fn meet(fate: Fate, mut client: TcpStream, head: &str, upstream: &str) {
    let length = match fate {
        Fate::Forwarded => u64::MAX,
        Fate::CutShort => SHORT_BYTES,
        Fate::CutOff => return,
        Fate::Answered(status) => {
            let answer = format!("HTTP/1.1 {status} So\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            return client.write_all(answer.as_bytes()).unwrap();
        }
        Fate::Said(answer) => return client.write_all(answer.as_bytes()).unwrap(),
    };
    let mut server = TcpStream::connect(upstream).unwrap();
    server.write_all(head.replacen("\r\n", "\r\nconnection: close\r\n", 1).as_bytes()).unwrap();
    // A client that goes away is no failure here.
    let _ = std::io::copy(&mut server.take(length), &mut client);
    let _ = client.shutdown(Shutdown::Both);
}

/// Reads what comes before a body; requests that only read have none.
fn head(mut client: &TcpStream) -> String {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|length| length == 1) {
        bytes.extend(byte);
    }
    String::from_utf8(bytes).unwrap()
}
