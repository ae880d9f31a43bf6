//! Bodies as the gateway passes them: as text, or in base64.

use bytes::Bytes;
use http::header;
use http_body_util::{BodyExt, Full};
use lambda_http::Body as LambdaBody;
use registry::http::Body;

/// Larger answers travel in base64, which grows by a third always; as JSON text a manifest can double.
const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// What is said of a damaged body.
pub(crate) const DAMAGED: &str = "the body did not arrive as it was sent: its Content-Type says text, and it is none; \
    send bytes as application/octet-stream, and what has U+FFFD in it as another type than text, too";

/// What becomes of what is no UTF-8.
const DAMAGE: char = char::REPLACEMENT_CHARACTER;

/// Returns whether the body came as text and is not, or may not be, what the client sent.
///
/// A gateway decides by `Content-Type` what is text; of bytes that are no UTF-8 it makes U+FFFD, whose three bytes may stand for
/// three others: the length alone does not tell.
pub(crate) fn is_damaged(request: &lambda_http::Request) -> bool {
    let LambdaBody::Text(text) = request.body() else { return false };
    if text.contains(DAMAGE) {
        return true;
    }
    let sent_length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    sent_length.and_then(|length| length.parse().ok()).is_some_and(|length: usize| length != text.len())
}

/// Returns what the client sent.
pub(crate) fn of_request(body: LambdaBody) -> Body {
    let bytes = match body {
        LambdaBody::Text(text) => Bytes::from(text),
        LambdaBody::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    };
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// Returns these bytes for the gateway, as text if they are short text.
pub(crate) fn of_answer(bytes: Bytes) -> LambdaBody {
    if bytes.is_empty() {
        return LambdaBody::Empty;
    }
    match String::from_utf8(bytes.into()) {
        Ok(text) if text.len() <= TEXT_BYTES_MAX => LambdaBody::Text(text),
        Ok(text) => LambdaBody::Binary(text.into_bytes()),
        Err(error) => LambdaBody::Binary(error.into_bytes()),
    }
}
