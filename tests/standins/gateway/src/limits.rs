//! The sizes that API Gateway and Lambda let pass.

/// The largest request body that an HTTP API takes: 10 MB, not adjustable.
pub const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// The largest request line and headers that an HTTP API takes, not adjustable.
///
/// The quota speaks of header values; names are counted here too, which is the stricter reading.
pub const MAX_HEAD_BYTES: usize = 10_240;

/// The largest event that a function takes when it is invoked synchronously, and its largest answer: 6 MB as
/// Lambda counts them, base64 included.
pub const MAX_PAYLOAD_BYTES: usize = 6_291_556;

/// Returns the size of the request line and of all headers.
pub(crate) fn head_bytes(parts: &http::request::Parts) -> usize {
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    let line = parts.method.as_str().len() + target + " HTTP/1.1".len() + 1;
    parts.headers.iter().fold(line, |sum, (name, value)| sum + name.as_str().len() + value.len())
}
