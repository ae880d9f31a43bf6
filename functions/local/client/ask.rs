//! A request before it is sent.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::TIMEOUT;
use super::payload::Payload;

/// A request to a whole URL.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) url: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Payload,
    pub(crate) timeout: Duration,
}

impl Ask {
    /// A request without headers and without a body.
    pub(crate) fn new(method: Method, url: Uri) -> Self {
        let takes_body = matches!(method, Method::POST | Method::PUT | Method::PATCH);
        let payload = if takes_body { Payload::Empty } else { Payload::None };
        Self { method, url, headers: HeaderMap::new(), payload, timeout: TIMEOUT }
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Sets the body.
    pub(crate) fn payload(mut self, payload: Payload) -> Self {
        self.payload = payload;
        self
    }

    /// Returns how a person is told which request this was. A query may hold a signature, so it stays out.
    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.method, self.url.path())
    }

    /// Returns the size of request line and headers, as a front door counts them.
    pub(crate) fn head_bytes(&self) -> usize {
        let target = self.url.path_and_query().map_or(1, |target| target.as_str().len());
        let host = self.url.authority().map_or(0, |authority| "host: \r\n".len() + authority.as_str().len());
        let headers = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
        self.method.as_str().len() + target + "  HTTP/1.1\r\n".len() + host + headers.sum::<usize>() + 2
    }
}
