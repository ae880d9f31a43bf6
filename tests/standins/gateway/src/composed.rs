//! The HTTP answer that a function's reply becomes.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

use crate::reply::Reply;
use crate::{Manners, Route};

const CHALLENGE: HeaderName = http::header::WWW_AUTHENTICATE;
const REMAPPED_CHALLENGE: HeaderName = HeaderName::from_static("x-amzn-remapped-www-authenticate");

/// Returns what the client gets for `reply`.
pub(crate) fn compose(
    reply: &Reply,
    method: &Method,
    route: &Route,
    manners: Manners,
) -> Response<Full<Bytes>> {
    let mut headers = mapped_headers(reply, route, manners);
    add_content_type(&mut headers, reply, manners);
    for cookie in &reply.cookies {
        headers.append(SET_COOKIE, cookie.clone());
    }
    let length = content_length(reply, method, manners);
    if let Some(length) = length.filter(|_| may_have_length(reply.status)) {
        headers.insert(CONTENT_LENGTH, length);
    }
    let mut response = Response::new(Full::new(sent_body(&reply.body, method, manners)));
    *response.status_mut() = reply.status;
    *response.headers_mut() = headers;
    response
}

/// A mapping sees the headers as the function sent them, and has the last word.
fn mapped_headers(reply: &Reply, route: &Route, manners: Manners) -> HeaderMap {
    let mut headers = passed(&reply.headers);
    let is_renamed_last = manners.rename_challenge_despite_mapping;
    if !manners.keep_challenge && !is_renamed_last {
        rename_challenge(&mut headers);
    }
    for mapping in route.response_headers.get(&reply.status.as_u16()).into_iter().flatten() {
        mapping.apply(&mut headers, &reply.headers);
    }
    if is_renamed_last {
        rename_challenge(&mut headers);
    }
    if manners.mangle_location {
        mangle_location(&mut headers);
    }
    headers
}

/// The headers that a function may set: not those of the connection.
fn passed(own: &HeaderMap) -> HeaderMap {
    let mut headers = own.clone();
    for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    headers
}

/// AWS documents this for REST APIs; for HTTP APIs the accounts differ, so the worse is assumed.
fn rename_challenge(headers: &mut HeaderMap) {
    let challenges: Vec<HeaderValue> = headers.get_all(CHALLENGE).iter().cloned().collect();
    headers.remove(CHALLENGE);
    for challenge in challenges {
        headers.append(REMAPPED_CHALLENGE, challenge);
    }
}

fn mangle_location(headers: &mut HeaderMap) {
    if let Some(location) = headers.get_mut(LOCATION) {
        let text = String::from_utf8_lossy(location.as_bytes()).into_owned();
        let path = text.split('?').next().unwrap_or_default();
        *location = HeaderValue::from_str(path).unwrap();
    }
}

/// HTTP APIs were seen to say `text/plain;charset=UTF-8` for a body without a type, and nothing without a body.
fn add_content_type(headers: &mut HeaderMap, reply: &Reply, manners: Manners) {
    if headers.contains_key(CONTENT_TYPE) {
        return;
    }
    if manners.default_to_json && reply.status != StatusCode::NOT_MODIFIED {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    } else if !manners.default_to_json && !reply.body.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=UTF-8"));
    }
}

/// A function's own Content-Length counts only in the answer to a HEAD; otherwise the body tells.
fn content_length(reply: &Reply, method: &Method, manners: Manners) -> Option<HeaderValue> {
    if method != Method::HEAD {
        return Some(sent_length(&reply.body, manners).into());
    }
    match manners {
        Manners { drop_head_length: true, .. } => None,
        Manners { count_head_length: true, .. } => Some(reply.body.len().into()),
        _ => Some(reply.headers.get(CONTENT_LENGTH).cloned().unwrap_or_else(|| reply.body.len().into())),
    }
}

fn may_have_length(status: StatusCode) -> bool {
    !status.is_informational() && status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED
}

fn sent_body(body: &Bytes, method: &Method, manners: Manners) -> Bytes {
    if method == Method::HEAD { Bytes::new() } else { body.slice(..sent_length(body, manners)) }
}

fn sent_length(body: &Bytes, manners: Manners) -> usize {
    body.len().saturating_sub(usize::from(manners.cut_answer_bytes))
}
