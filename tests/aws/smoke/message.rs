//! Requests and replies, whole.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;

/// A request that has arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    pub(crate) fn is(&self, method: &Method, path_part: &str) -> bool {
        self.method == method && self.path.contains(path_part)
    }

    pub(crate) fn is_chunked(&self) -> bool {
        self.headers.contains_key("transfer-encoding")
    }

    pub(crate) fn is_upload(&self) -> bool {
        self.path.contains("/blobs/uploads/")
    }

    /// Path and query.
    pub(crate) fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.query.split('&').filter_map(|parameter| parameter.split_once('='));
        parameters.find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// A reply to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// An error as the specification has it.
    pub(crate) fn oci(status: u16, code: &str) -> Self {
        let error = json!({"errors": [{"code": code, "message": "scripted"}]});
        Self { body: error.to_string().into(), ..Self::new(status) }
    }

    /// What S3 says.
    pub(crate) fn s3(status: u16, code: &str) -> Self {
        Self { body: format!("<Error><Code>{code}</Code></Error>").into(), ..Self::new(status) }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.headers.insert(name, HeaderValue::from_str(value).unwrap());
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
