//! `/v2/`: is this a registry? (end-1)

use http::{Response, header};

use super::respond::{Body, full, text_header};

/// Answers that it is.
pub(crate) fn ping() -> Response<Body> {
    let mut response = Response::new(full("{}"));
    response.headers_mut().insert(header::CONTENT_TYPE, text_header("application/json"));
    response
}
