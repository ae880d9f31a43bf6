//! Answers that carry a blob or manifest, whole, in part, or not at all because the client has it.

use http::{HeaderMap, Method, Response, StatusCode, header};
use oci::{ByteRange, Digest, ErrorCode, RangeHeader, RangeOutcome};

use super::error::HttpError;
use super::request::{Request, single_header};
use super::respond::{Body, status, text_header};

/// What is answered, as far as the request alone decides it.
pub(crate) enum Wanted {
    /// The answer is complete: the client has the content.
    Nothing(Response<Body>),
    /// These headers are to be sent, and say how long the content is.
    Length(HeaderMap),
    /// These bytes are to be sent with these headers.
    Bytes(ByteRange, StatusCode, HeaderMap),
}

/// Decides what to send of a content (RFC 9110: conditions first, then the method, then the range).
pub(crate) fn wanted(
    request: &Request,
    digest: &Digest,
    media_type: &str,
    size_bytes: u64,
) -> Result<Wanted, HttpError> {
    let mut headers = HeaderMap::new();
    headers.insert("docker-content-digest", text_header(digest.as_str()));
    headers.insert(header::ETAG, text_header(&format!("\"{digest}\"")));
    // A client may keep it for itself, if it asks each time whether it still may have it.
    headers.insert(header::CACHE_CONTROL, text_header("private, no-cache"));
    headers.insert(header::VARY, text_header("authorization"));
    if request.has_content(digest) {
        return Ok(Wanted::Nothing(with_headers(status(StatusCode::NOT_MODIFIED), headers)));
    }
    headers.insert(header::CONTENT_TYPE, text_header(media_type));
    headers.insert(header::ACCEPT_RANGES, text_header("bytes"));
    if request.head.method == Method::HEAD {
        headers.insert(header::CONTENT_LENGTH, size_bytes.into());
        return Ok(Wanted::Length(headers));
    }
    match wanted_range(request, digest, size_bytes)? {
        RangeOutcome::Whole => {
            headers.insert(header::CONTENT_LENGTH, size_bytes.into());
            Ok(Wanted::Bytes(ByteRange { start: 0, end_exclusive: size_bytes }, StatusCode::OK, headers))
        }
        RangeOutcome::Part(part) => {
            let range = format!("bytes {}-{}/{size_bytes}", part.start, part.end_exclusive - 1);
            headers.insert(header::CONTENT_RANGE, text_header(&range));
            headers.insert(header::CONTENT_LENGTH, part.len().into());
            Ok(Wanted::Bytes(part, StatusCode::PARTIAL_CONTENT, headers))
        }
        RangeOutcome::Unsatisfiable => {
            let error =
                HttpError::new(ErrorCode::RangeInvalid, format!("the content has {size_bytes} bytes"));
            Err(error.with_header(header::CONTENT_RANGE, &format!("bytes */{size_bytes}")))
        }
    }
}

/// Returns the answer with these bytes.
pub(crate) fn answer(body: Body, code: StatusCode, headers: HeaderMap) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    with_headers(response, headers)
}

fn with_headers(mut response: Response<Body>, headers: HeaderMap) -> Response<Body> {
    *response.headers_mut() = headers;
    response
}

/// A range is only meant for the content that `If-Range` names.
fn wanted_range(request: &Request, digest: &Digest, size_bytes: u64) -> Result<RangeOutcome, HttpError> {
    let headers = &request.head.headers;
    let is_meant = single_header(headers, &header::IF_RANGE)?
        .is_none_or(|etag| etag.trim_matches('"') == digest.as_str());
    let range = single_header(headers, &header::RANGE)?.filter(|_| is_meant);
    Ok(range.map_or(RangeOutcome::Whole, |range| RangeHeader::parse(range, size_bytes)))
}
