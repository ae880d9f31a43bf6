//! A reply, and what can be read from it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::HeaderMap;
use oci::ErrorBody;

/// How much of a body a fact quotes.
const QUOTE_CHARACTERS: usize = 160;

/// A reply as it came.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The request, for facts.
    pub(crate) label: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// From the connection's begin to the body's end.
    pub(crate) elapsed: Duration,
    /// Whether `100 Continue` came first.
    pub(crate) is_invited: bool,
}

impl Reply {
    /// Returns the header as text; nothing if it is missing or no text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the Content-Length.
    pub(crate) fn length_bytes(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// Returns the reply, or an error that says what came instead of this status.
    pub(crate) fn expect(self, status: u16) -> Result<Self> {
        if self.status == status { Ok(self) } else { bail!("{} instead of {status}", self.fact()) }
    }

    /// Returns the Location.
    pub(crate) fn location(&self) -> Result<&str> {
        self.header("location").with_context(|| format!("{} has no Location", self.fact()))
    }

    /// Returns whether the reply sends the client elsewhere.
    pub(crate) fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }

    /// Returns the first error's code, if the body is an error as the specification has it.
    pub(crate) fn error_code(&self) -> Option<String> {
        let body: ErrorBody = serde_json::from_slice(&self.body).ok()?;
        body.errors.into_iter().next().map(|error| error.code)
    }

    /// Returns whether the request was understood, or refused as the specification has it.
    pub(crate) fn is_understood(&self) -> bool {
        self.status < 400 || self.status < 500 && self.error_code().is_some()
    }

    /// Says what came, from whom, and what it said.
    pub(crate) fn fact(&self) -> String {
        let mut fact = format!("{} was answered {}", self.label, self.status);
        if self.status < 400 {
            return fact;
        }
        fact.push_str(&format!(" by {}", self.author()));
        if !self.body.is_empty() {
            let text = String::from_utf8_lossy(&self.body);
            let quote: String = text.chars().take(QUOTE_CHARACTERS).collect();
            fact.push_str(&format!(": {}", quote.trim()));
        }
        fact
    }

    /// Guesses who answered, from what each of them leaves behind.
    pub(crate) fn author(&self) -> &'static str {
        let body = String::from_utf8_lossy(&self.body);
        let cache = self.header("x-cache").unwrap_or_default();
        if cache.starts_with("FunctionGeneratedResponse") {
            "the edge's function"
        } else if body.contains("<Error>") {
            "S3"
        } else if body.contains("<H1>") || cache.starts_with("LambdaGeneratedResponse") {
            "CloudFront"
        } else if self.error_code().is_some() {
            "the registry"
        } else if body.trim_start().starts_with("{\"message\"") {
            "API Gateway"
        } else {
            "somebody unknown"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &'static str) -> Reply {
        Reply {
            label: "PATCH /x".to_owned(),
            status,
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
            elapsed: Duration::ZERO,
            is_invited: false,
        }
    }

    #[test]
    fn the_author_is_known_by_the_body() {
        let oci = r#"{"errors":[{"code":"UNSUPPORTED","message":"no"}]}"#;
        assert_eq!(reply(413, oci).author(), "the registry");
        assert_eq!(reply(413, r#"{"message":"Request Entity Too Large"}"#).author(), "API Gateway");
        assert_eq!(reply(403, "<Error><Code>AccessDenied</Code></Error>").author(), "S3");
        let mut edge = reply(413, oci);
        edge.headers.insert("x-cache", "FunctionGeneratedResponse from cloudfront".parse().unwrap());
        assert_eq!(edge.author(), "the edge's function");
    }

    #[test]
    fn a_refusal_is_understood_only_with_an_error_of_the_specification() {
        let oci = r#"{"errors":[{"code":"NAME_INVALID","message":"no"}]}"#;
        assert!(reply(200, "").is_understood());
        assert!(reply(400, oci).is_understood());
        assert!(!reply(400, "Bad Request").is_understood());
        assert!(!reply(500, oci).is_understood());
    }
}
