//! A request in the words of a table: `<name>`, `<layer>` and the like stand for what the baseline holds.

use crate::words::Words;

/// The word for what logs the client in, where the registry asks for accounts.
pub(crate) const AUTHORIZATION: &str = "authorization";

/// A request, valid or not.
pub(crate) enum Request {
    /// A request line and headers, completed by `Host`, `Connection`, `Authorization` and
    /// `Content-Length` unless they are given.
    Http { line: Vec<u8>, headers: Vec<Vec<u8>>, body: Vec<u8> },
    /// Bytes to send as they are.
    Raw(Vec<u8>),
}

impl Request {
    /// Starts a request from `<method> <target>`.
    pub(crate) fn new(line: impl Into<Vec<u8>>) -> Self {
        Self::Http { line: line.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header, `<name>: <value>`.
    pub(crate) fn with_header(mut self, field: impl Into<Vec<u8>>) -> Self {
        if let Self::Http { headers, .. } = &mut self {
            headers.push(field.into());
        }
        self
    }

    /// Sets the body.
    pub(crate) fn with_body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        if let Self::Http { body, .. } = &mut self {
            *body = bytes.into();
        }
        self
    }

    /// Returns whether `<word>`, or a word that begins with it, stands in the request line.
    pub(crate) fn mentions(&self, word: &str) -> bool {
        let mentioned = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(&format!("<{word}"));
        match self {
            Self::Http { line, .. } => mentioned(line),
            Self::Raw(bytes) => mentioned(bytes),
        }
    }

    /// Returns whether the reply comes without a body.
    pub(crate) fn is_head(&self) -> bool {
        matches!(self, Self::Http { line, .. } if line.starts_with(b"HEAD "))
    }

    /// Returns the host at `location`, a plain HTTP URL, and this GET as it is sent there.
    pub(crate) fn redirected(&self, location: &str) -> Option<(String, Self)> {
        let (host, path) = location.strip_prefix("http://")?.split_once('/')?;
        let Self::Http { line, headers, .. } = self else { return None };
        if !line.starts_with(b"GET ") {
            return None;
        }
        let redirected = Self::new(format!("GET /{path}")).with_header(format!("Host: {host}"));
        let redirected = headers.iter().fold(redirected, |request, field| request.with_header(field.clone()));
        Some((host.to_owned(), redirected))
    }

    /// Returns the bytes to send, every word replaced.
    pub(crate) fn encode(&self, words: &Words) -> Vec<u8> {
        let (line, headers, body) = match self {
            Self::Raw(bytes) => return words.fill(bytes),
            Self::Http { line, headers, body } => (line, headers, words.fill(body)),
        };
        let mut bytes = words.fill(line);
        bytes.extend_from_slice(b" HTTP/1.1");
        for field in headers.iter().chain(&missing(line, headers, body.len(), words)) {
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(&words.fill(field));
        }
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(&body);
        bytes
    }
}

/// Returns the headers that every sound request has and this one lacks.
fn missing(line: &[u8], headers: &[Vec<u8>], body_len: usize, words: &Words) -> Vec<Vec<u8>> {
    let has =
        |name: &str| headers.iter().any(|field| field.to_ascii_lowercase().starts_with(name.as_bytes()));
    let has_content = [&b"POST "[..], b"PUT ", b"PATCH "].iter().any(|method| line.starts_with(method));
    let needs_length = (has_content || body_len > 0) && !has("content-length") && !has("transfer-encoding");
    let mut missing = Vec::new();
    if !has("host") {
        missing.push(b"Host: <host>".to_vec());
    }
    if !has("connection") {
        missing.push(b"Connection: close".to_vec());
    }
    if words.has(AUTHORIZATION) && !has("authorization") {
        missing.push(format!("Authorization: <{AUTHORIZATION}>").into_bytes());
    }
    if needs_length {
        missing.push(format!("Content-Length: {body_len}").into_bytes());
    }
    missing
}
