//! What is true of every answer.

use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode, header};
use http_body_util::BodyExt;
use oci::{ContentRange, Digest, Endpoint, ErrorBody};
use registry::http::Body;

/// Checks the answer and returns where it leads.
pub(super) async fn check(method: &Method, response: Response<Body>) -> Option<String> {
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let (status, headers) = (head.status, &head.headers);
    assert!(!status.is_server_error(), "{status}: {body:?}");
    assert_eq!(text(headers, "docker-distribution-api-version"), Some("registry/2.0"));
    if *method == Method::HEAD {
        assert!(body.is_empty(), "a HEAD with a body: {body:?}");
    } else {
        check_content(status, headers, &body);
    }
    let location = text(headers, "location").map(str::to_owned);
    let link = text(headers, "link").map(|link| link.trim_start_matches('<').split('?').next().unwrap());
    for path in location.as_deref().into_iter().chain(link) {
        assert!(Endpoint::parse(path).is_ok(), "leads nowhere: {path:?}");
    }
    location
}

fn check_content(status: StatusCode, headers: &HeaderMap, body: &Bytes) {
    if status.is_client_error() {
        check_error(headers, body);
    }
    if let Some(length) = text(headers, header::CONTENT_LENGTH.as_str()) {
        assert_eq!(length, body.len().to_string());
    }
    if let (StatusCode::OK, Some(digest)) = (status, text(headers, "docker-content-digest")) {
        let digest = Digest::parse(digest).unwrap();
        assert_eq!(Digest::of(digest.algorithm(), body), digest);
    }
    if status == StatusCode::PARTIAL_CONTENT {
        let range = ContentRange::parse(text(headers, "content-range").unwrap()).unwrap();
        assert_eq!(range.len(), body.len() as u64);
    }
}

fn check_error(headers: &HeaderMap, body: &Bytes) {
    assert_eq!(text(headers, "content-type"), Some("application/json"));
    let body: ErrorBody = serde_json::from_slice(body).unwrap();
    assert!(!body.errors.is_empty());
    for error in body.errors {
        let is_code = error.code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        assert!(is_code && !error.code.is_empty() && !error.message.is_empty(), "{error:?}");
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}
