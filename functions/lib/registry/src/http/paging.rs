//! Pages of lists: `n`, `last` and the `Link` to the next.

use http::{HeaderMap, HeaderValue, Response, header};
use oci::ErrorCode;
use oci::limits::PAGE_MAX_ENTRIES;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::error::HttpError;
use super::request::Request;
use super::respond::{Body, full, text_header};

const IN_QUERY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b':');

/// Returns how many entries are asked for, but no more than a page may have.
pub(crate) fn limit(request: &Request) -> Result<usize, HttpError> {
    let Some(text) = request.query.get("n")? else { return Ok(PAGE_MAX_ENTRIES) };
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        let message = "the parameter n has to be a number of entries";
        return Err(HttpError::new(ErrorCode::PaginationNumberInvalid, message));
    }
    // A number too large to hold is still a number larger than a page.
    Ok(text.parse().unwrap_or(usize::MAX).min(PAGE_MAX_ENTRIES))
}

/// Nothing that is listed has a longer name, and DynamoDB refuses to look for one.
const NAME_MAX_BYTES: usize = 900;

/// Returns after which entry to go on.
pub(crate) fn last(request: &Request) -> Result<Option<&str>, HttpError> {
    listed_name(request, "last")
}

/// Returns a parameter that names what is listed; an empty one counts as none.
pub(crate) fn listed_name<'a>(request: &'a Request, parameter: &str) -> Result<Option<&'a str>, HttpError> {
    let Some(name) = request.query.get(parameter)?.filter(|name| !name.is_empty()) else { return Ok(None) };
    if name.len() > NAME_MAX_BYTES {
        let message =
            format!("the parameter {parameter} has {} bytes; {NAME_MAX_BYTES} are accepted", name.len());
        return Err(HttpError::new(ErrorCode::ParameterInvalid, message));
    }
    Ok(Some(name))
}

/// Returns a query parameter, escaped.
pub(crate) fn parameter(name: &str, value: &str) -> String {
    format!("{name}={}", utf8_percent_encode(value, IN_QUERY))
}

/// Returns an answer with this JSON.
pub(crate) fn json(media_type: &'static str, value: &impl Serialize) -> Response<Body> {
    let mut response = Response::new(full(serde_json::to_vec(value).unwrap_or_default()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// Names the next page (RFC 8288).
pub(crate) fn link_next(headers: &mut HeaderMap, path: &str, parameters: &[String]) {
    let link = format!("<{path}?{}>; rel=\"next\"", parameters.join("&"));
    headers.insert(header::LINK, text_header(&link));
}
