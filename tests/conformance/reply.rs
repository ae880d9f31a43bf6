//! A whole reply and what can be demanded of it; a demand that is not met shows the exchange.

use std::fmt;

use reqwest::blocking::Response;
use reqwest::header::HeaderMap;
use serde_json::Value;
use test_support::content::{sha256, sha512};

/// The answer to one request.
pub(crate) struct Reply {
    request: String,
    /// The status code.
    pub(crate) status: u16,
    headers: HeaderMap,
    /// The body as it came.
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn read(request: String, response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().unwrap_or_else(|error| panic!("{request}: {error:?}")).to_vec();
        Self { request, status, headers, body }
    }

    /// Demands the status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert!(self.status == status, "expected {status} of {self}");
        self
    }

    /// Demands one of the statuses.
    #[track_caller]
    pub(crate) fn expect_one_of(self, statuses: &[u16]) -> Self {
        assert!(statuses.contains(&self.status), "expected one of {statuses:?} of {self}");
        self
    }

    /// Demands the status and an OCI error body whose first error has the code.
    #[track_caller]
    pub(crate) fn expect_error(self, status: u16, code: &str) -> Self {
        let reply = self.expect(status);
        assert!(reply.error_codes().first().is_some_and(|first| first == code), "expected {code} of {reply}");
        reply
    }

    /// Demands that the header is there with the value.
    #[track_caller]
    pub(crate) fn expect_header(self, name: &str, value: &str) -> Self {
        assert!(self.header(name) == value, "expected {name}: {value} of {self}");
        self
    }

    /// Demands that `Docker-Content-Digest` is a digest of `bytes`, by whichever algorithm.
    #[track_caller]
    pub(crate) fn expect_digest_of(self, bytes: &[u8]) -> Self {
        let digest = self.header("Docker-Content-Digest");
        assert!([sha256(bytes), sha512(bytes)].iter().any(|one| one == digest), "another digest in {self}");
        self
    }

    /// Demands that the header is absent.
    #[track_caller]
    pub(crate) fn expect_no_header(self, name: &str) -> Self {
        assert!(!self.headers.contains_key(name), "expected no {name} of {self}");
        self
    }

    /// Demands the body.
    #[track_caller]
    pub(crate) fn expect_body(self, bytes: &[u8]) -> Self {
        assert!(self.body == bytes, "expected another body of {} bytes of {self}", bytes.len());
        self
    }

    /// Returns the value of a header that must be there.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.optional_header(name).unwrap_or_else(|| panic!("expected a {name} of {self}"))
    }

    /// Returns the value of a header that may be missing.
    pub(crate) fn optional_header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Returns each line of a header that may be repeated.
    pub(crate) fn header_lines(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// Returns the members of a header that is a comma-separated list, whose lines may repeat (RFC 9110,
    /// 5.3).
    pub(crate) fn header_list(&self, name: &str) -> Vec<&str> {
        self.header_lines(name).into_iter().flat_map(|line| line.split(',')).map(str::trim).collect()
    }

    /// Returns the body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self}"))
    }

    /// Returns the codes of an OCI error body.
    #[track_caller]
    pub(crate) fn error_codes(&self) -> Vec<String> {
        let body = self.json();
        let errors = body["errors"].as_array().unwrap_or_else(|| panic!("expected errors in {self}"));
        errors.iter().map(|error| error["code"].as_str().unwrap().to_owned()).collect()
    }

    /// Returns what the first error of an OCI error body tells a person.
    #[track_caller]
    pub(crate) fn first_message(&self) -> String {
        self.json()["errors"][0]["message"]
            .as_str()
            .unwrap_or_else(|| panic!("no message in {self}"))
            .to_owned()
    }

    /// Returns the target of the `Link` header with `rel="next"`, if there is one.
    #[track_caller]
    pub(crate) fn next_link(&self) -> Option<String> {
        let link = self.optional_header("Link")?;
        let (target, parameters) = link.strip_prefix('<').and_then(|rest| rest.split_once('>')).unwrap();
        assert!(parameters.replace(' ', "").contains(r#";rel="next""#), r#"expected rel="next" of {self}"#);
        Some(target.to_owned())
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}, answered {}", self.request, self.status)?;
        for (name, value) in &self.headers {
            writeln!(formatter, "  {name}: {value:?}")?;
        }
        let shown = String::from_utf8_lossy(&self.body[..self.body.len().min(500)]).into_owned();
        write!(formatter, "  {} bytes of body: {shown}", self.body.len())
    }
}
