//! A client that sends the bytes it is given, as they are, and reads one reply.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::request::{AUTHORIZATION, Request};
use crate::words::Words;

/// How long a server may stay silent before that counts as a hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came back.
pub(crate) enum Outcome {
    /// An HTTP reply.
    Reply(Reply),
    /// The connection ended without a whole reply.
    Closed,
    /// Neither a reply nor an end.
    Silence,
}

/// An HTTP reply, read as far as its `Content-Length` or to the end of the connection.
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Returns the value of the header `name`.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// Reads a reply from the front of `bytes`; interim replies (1xx) are passed over.
    ///
    /// At the end of the connection a reply is whole that has not announced its length.
    fn parse(bytes: &[u8], is_head: bool, is_end: bool) -> Option<Self> {
        let head_len = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&bytes[..head_len]).into_owned();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        if (100..200).contains(&status) {
            return Self::parse(&bytes[head_len..], is_head, is_end);
        }
        let reply = Self { status, head, body: bytes[head_len..].to_vec() };
        reply.is_whole(is_head, is_end).then_some(reply)
    }

    fn is_whole(&self, is_head: bool, is_end: bool) -> bool {
        let announced = self.header("Content-Length").and_then(|length| length.parse().ok());
        let has_no_body = is_head || matches!(self.status, 204 | 304);
        has_no_body || announced.map_or(is_end, |length: usize| self.body.len() >= length)
    }
}

/// Sends `request` and reads what comes back; a GET follows one redirect, as every client does for a blob.
pub(crate) fn ask(request: &Request, words: &Words, is_cut_off: bool) -> Outcome {
    let outcome = exchange(words.get("host"), &request.encode(words), is_cut_off);
    let Outcome::Reply(reply) = &outcome else { return outcome };
    let location = reply.header("Location").filter(|_| reply.status == 307);
    match location.and_then(|location| request.redirected(location)) {
        // Who is logged in here is nobody there, and the URL says all that is needed.
        Some((host, request)) => exchange(&host, &request.encode(&words.without(AUTHORIZATION)), is_cut_off),
        None => outcome,
    }
}

/// Sends `request` to `address` and reads what comes back.
///
/// With `is_cut_off` the sending direction is closed after the last byte, as if the client had died.
pub(crate) fn exchange(address: &str, request: &[u8], is_cut_off: bool) -> Outcome {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    std::thread::scope(|scope| {
        // The server may answer and close before it has read everything: sending must not stand in the way.
        scope.spawn(|| send(&stream, request, is_cut_off));
        let outcome = receive(&stream, request.starts_with(b"HEAD "));
        let _already_closed = stream.shutdown(Shutdown::Both);
        outcome
    })
}

fn send(mut stream: &TcpStream, request: &[u8], is_cut_off: bool) {
    if stream.write_all(request).is_ok() && is_cut_off {
        let _already_closed = stream.shutdown(Shutdown::Write);
    }
}

fn receive(mut stream: &TcpStream, is_head: bool) -> Outcome {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        if let Some(reply) = Reply::parse(&bytes, is_head, false) {
            return Outcome::Reply(reply);
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Reply::parse(&bytes, is_head, true).map_or(Outcome::Closed, Outcome::Reply),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Outcome::Silence,
            Err(_) => return Outcome::Closed,
        }
    }
}
