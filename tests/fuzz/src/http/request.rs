//! Requests as text that is easy to write and to mutate.
//!
//! ```text
//! PATCH $location
//! Content-Range: 0-4
//!
//! hello
//! ===
//! GET /v2/
//! ```
//!
//! `$location` stands for where the last answer led; a body that ends with a CANCEL character (0x18) breaks off.

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt, StreamBody};
use registry::http::{Body, BoxError};

const SEPARATOR: &[u8] = b"\n===\n";
const LOCATION: &[u8] = b"$location";
const CANCEL: u8 = 0x18;

/// Returns the texts of the requests.
pub(super) fn split(mut conversation: &[u8]) -> Vec<&[u8]> {
    let mut texts = Vec::new();
    while let Some((text, rest)) = split_once(conversation, SEPARATOR) {
        texts.push(text);
        conversation = rest;
    }
    texts.push(conversation);
    texts
}

/// Returns the request, unless it is so wrong that no HTTP server lets it through.
pub(super) fn parse(text: &[u8], location: &str) -> Option<Request<Body>> {
    let (head, body) = split_once(text, b"\n\n").unwrap_or((text, b""));
    let mut lines = head.split(|byte| *byte == b'\n');
    let (method, uri) = split_once(lines.next()?, b" ")?;
    let mut request = Request::new(self::body(body));
    *request.method_mut() = Method::from_bytes(method).ok()?;
    *request.uri_mut() = Uri::try_from(with_location(uri, location)).ok()?;
    for line in lines {
        let (name, value) = split_once(line, b":")?;
        let name = HeaderName::from_bytes(name).ok()?;
        request.headers_mut().append(name, HeaderValue::from_bytes(value.trim_ascii()).ok()?);
    }
    Some(request)
}

fn with_location(uri: &[u8], location: &str) -> Vec<u8> {
    match split_once(uri, LOCATION) {
        Some((before, after)) => [before, location.as_bytes(), after].concat(),
        None => uri.to_vec(),
    }
}

/// Returns a body of two pieces, so that a border is somewhere.
fn body(bytes: &[u8]) -> Body {
    let (bytes, is_broken) = match bytes.split_last() {
        Some((&CANCEL, before)) => (before, true),
        _ => (bytes, false),
    };
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let pieces = [first, second].map(|piece| Ok(http_body::Frame::data(Bytes::copy_from_slice(piece))));
    let end = is_broken.then(|| Err(BoxError::from("the client went away")));
    StreamBody::new(stream::iter(pieces.into_iter().chain(end))).boxed_unsync()
}

fn split_once<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(separator.len()).position(|window| window == separator)?;
    Some((&bytes[..at], &bytes[at + separator.len()..]))
}
