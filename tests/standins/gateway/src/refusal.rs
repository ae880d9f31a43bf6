//! The answers that the gateway gives by itself.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;

use crate::InvokeError;

/// An answer of the gateway's own: a status and `{"message":"…"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal(StatusCode, &'static str);

impl Refusal {
    /// The path cannot be decoded.
    pub(crate) const BAD_REQUEST: Self = Self(StatusCode::BAD_REQUEST, "Bad Request");
    /// No route fits.
    pub(crate) const NOT_FOUND: Self = Self(StatusCode::NOT_FOUND, "Not Found");
    /// The body is over 10 MB, or the event would be over 6 MB.
    ///
    /// AWS documents the two limits but not the answer to the second.
    pub(crate) const TOO_LARGE: Self = Self(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    /// The request line and the headers are too large: AWS documents the limit, not the answer.
    pub(crate) const HEAD_TOO_LARGE: Self =
        Self(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large");
    /// The function failed, or its answer is not one.
    pub(crate) const INTERNAL: Self = Self(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    /// The function did not answer in time.
    pub(crate) const UNAVAILABLE: Self = Self(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");

    pub(crate) fn response(self) -> Response<Full<Bytes>> {
        let body = format!(r#"{{"message":"{}"}}"#, self.1);
        Response::builder()
            .status(self.0)
            .header("content-type", "application/json")
            .header("content-length", body.len())
            .body(Full::from(body))
            .unwrap()
    }
}

impl From<InvokeError> for Refusal {
    fn from(error: InvokeError) -> Self {
        match error {
            InvokeError::EventTooLarge => Self::TOO_LARGE,
            InvokeError::AnswerTooLarge | InvokeError::Function(_) | InvokeError::Broken(_) => Self::INTERNAL,
        }
    }
}
