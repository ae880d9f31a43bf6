//! Parts of answers.

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};

use crate::ports::ByteStream;

/// Why a body ended early.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a request or an answer.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// No answer loads anything, and no page frames one.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// When to come again, if nothing more exact is known: others change the same thing, or storage is busy.
const RETRY_AFTER_SECS: HeaderValue = HeaderValue::from_static("1");

/// Returns a body of no bytes.
pub(crate) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// Returns a body of these bytes.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Returns a body of the bytes that the stream yields.
pub(crate) fn streamed(stream: ByteStream) -> Body {
    let frames = stream.map(|piece| match piece {
        Ok(bytes) => Ok(http_body::Frame::data(bytes)),
        Err(error) => Err(BoxError::from(error)),
    });
    StreamBody::new(frames).boxed_unsync()
}

/// Returns an answer without a body.
pub(crate) fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    response
}

/// Adds what every answer has: the version of the API, and what guards it.
pub(crate) fn complete(response: &mut Response<Body>) {
    let version = HeaderValue::from_static("registry/2.0");
    response.headers_mut().insert("docker-distribution-api-version", version);
    guard(response);
}

/// Adds what keeps browsers and caches from making more of an answer than it is, unless it says something itself; and when
/// to come again, where that is worth it.
///
/// What somebody pushed is shown by no page, runs nowhere, and is taken for nothing but its type; and nobody keeps an
/// answer for somebody else.
pub fn guard<B>(response: &mut Response<B>) {
    let is_temporary =
        matches!(response.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let headers = response.headers_mut();
    if is_temporary {
        headers.entry(header::RETRY_AFTER).or_insert(RETRY_AFTER_SECS);
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// Returns a header value of text that the registry made; what cannot be one becomes empty.
pub(crate) fn text_header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
