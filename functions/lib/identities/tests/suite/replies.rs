//! Answers of the registry, read to their end.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// Returns the answer if it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:#?}");
        self
    }

    /// Returns a field of the body, which has to be a text.
    #[track_caller]
    pub(crate) fn text(&self, field: &str) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        body[field].as_str().unwrap_or_else(|| panic!("{field} is missing: {self:#?}")).to_owned()
    }

    /// Returns the first error's code and message.
    #[track_caller]
    pub(crate) fn error(&self) -> (String, String) {
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        let text = |field: &str| body["errors"][0][field].as_str().unwrap_or_default().to_owned();
        (text("code"), text("message"))
    }

    /// Returns where the upload is.
    #[track_caller]
    pub(crate) fn location(&self) -> &str {
        self.headers["location"].to_str().unwrap()
    }
}
