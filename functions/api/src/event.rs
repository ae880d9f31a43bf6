//! Events in, answers out, as the Lambda service wants them.

use std::convert::Infallible;

use http::{HeaderMap, HeaderValue};
use lambda_http::lambda_runtime::{self, LambdaEvent};
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Service as _, service_fn};
use serde::Serialize;

use crate::function::Function;

/// Answers events for as long as the Lambda service has any.
pub async fn run(function: Function) -> Result<(), lambda_http::Error> {
    lambda_runtime::run(service_fn(move |event| answer(function.clone(), event))).await
}

/// Answers one event; what goes wrong is an answer too.
pub async fn answer(
    function: Function,
    event: LambdaEvent<LambdaRequest>,
) -> Result<impl Serialize + Send, Infallible> {
    let mut adapter = Adapter::from(service_fn(move |request| function.clone().answer(request)));
    let LambdaEvent { payload, context } = event;
    adapter.call(LambdaEvent::new(tamed(payload), context)).await
}

/// Returns the event so that it makes a request in any case.
///
/// The conversion panics on what is no URL, and a panic is a 500. `sam local` for one passes on paths decoded.
fn tamed(mut event: LambdaRequest) -> LambdaRequest {
    match &mut event {
        LambdaRequest::ApiGatewayV2(event) => {
            forget_origin(&mut event.headers);
            event.request_context.domain_name = None;
            event.raw_path = Some(tamed_path(event.raw_path.as_deref()));
            event.raw_query_string = event.raw_query_string.take().map(|query| escaped(&query));
        }
        LambdaRequest::ApiGatewayV1(event) => {
            forget_origin(&mut event.headers);
            forget_origin(&mut event.multi_value_headers);
            event.request_context.domain_name = None;
            event.path = Some(tamed_path(event.path.as_deref()));
        }
        LambdaRequest::Alb(event) => {
            forget_origin(&mut event.headers);
            forget_origin(&mut event.multi_value_headers);
            event.path = Some(tamed_path(event.path.as_deref()));
        }
        _ => {}
    }
    event
}

/// Scheme and host may be no scheme and no host, of which the conversion would make a URL.
///
/// Where clients log in is at the host that they asked, which is passed on under another name.
fn forget_origin(headers: &mut HeaderMap) {
    // Only the gateway says it, and nobody before the gateway.
    headers.remove("x-forwarded-host");
    if let Some(host) = headers.remove("host") {
        headers.insert("x-forwarded-host", host);
    }
    let is_scheme = |scheme: &HeaderValue| scheme == "http" || scheme == "https";
    if !headers.get("x-forwarded-proto").is_some_and(is_scheme) {
        headers.remove("x-forwarded-proto");
    }
}

fn tamed_path(path: Option<&str>) -> String {
    let path = escaped(path.unwrap_or_default());
    if path.starts_with('/') { path } else { format!("/{path}") }
}

/// Escapes what cannot stand in a request line; what is escaped already stays as it is.
fn escaped(text: &str) -> String {
    const KEPT: &[u8] = b"!$&'()*+,-./:;=?@_~%";
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || KEPT.contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
