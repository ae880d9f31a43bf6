//! One request of the gateway, answered by the same service as on one machine.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full};
use lambda_http::Body as LambdaBody;
use lambda_http::{BoxFuture, RequestExt};
use oci::ErrorCode;
use registry::http::{Body, Service, closed, refusal};

use crate::role::Role;

/// API Gateway may rename the challenge of a 401; the stack's mapping restores it from this copy.
const CHALLENGE_COPY: &str = "x-registry-challenge";

/// Larger answers travel in base64, which grows by a third always; as JSON text a manifest can double.
const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// An answer for the gateway.
pub(crate) type Answer = Result<Response<LambdaBody>, Infallible>;

/// What this process answers with.
#[derive(Clone)]
pub(crate) struct Function {
    service: Service,
    role: Role,
    is_open: bool,
}

impl Function {
    pub(crate) fn new(service: Service, role: Role, is_open: bool) -> Self {
        Self { service, role, is_open }
    }

    /// Answers; what goes wrong is an answer too.
    pub(crate) fn answer(self, request: lambda_http::Request) -> BoxFuture<'static, Answer> {
        Box::pin(async move {
            let response = match self.refusal(&request) {
                Some(refusal) => refusal,
                None => self.service.handle(registry_request(request)).await,
            };
            Ok(gateway_response(response).await)
        })
    }

    fn refusal(&self, request: &lambda_http::Request) -> Option<Response<Body>> {
        if !self.is_open {
            return Some(closed());
        }
        let message = "this function has another role; the gateway's routes are not those of the template";
        (!self.role.answers(request.method())).then(|| refusal(ErrorCode::Unsupported, message))
    }
}

/// The path is taken as the client sent it: a URL library would resolve `..` in it.
fn registry_request(request: lambda_http::Request) -> Request<Body> {
    let path = request.raw_http_path().to_owned();
    let (head, body) = request.into_parts();
    let target = match head.uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let bytes = match body {
        LambdaBody::Text(text) => Bytes::from(text),
        LambdaBody::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    };
    let mut request = Request::new(Full::new(bytes).map_err(|never| match never {}).boxed_unsync());
    *request.method_mut() = head.method;
    *request.headers_mut() = head.headers;
    // What is no target at all is answered like an unknown one.
    *request.uri_mut() = target.parse().unwrap_or_default();
    request
}

async fn gateway_response(response: Response<Body>) -> Response<LambdaBody> {
    let (mut head, body) = response.into_parts();
    if let Some(challenge) = head.headers.get(header::WWW_AUTHENTICATE).cloned() {
        head.headers.insert(CHALLENGE_COPY, challenge);
    }
    join_repeated(&mut head.headers);
    let bytes = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(cause) => {
            tracing::error!(error = %cause, "an answer broke off");
            let message = "the registry's storage does not answer; try again";
            let (head, _) = refusal(ErrorCode::Unavailable, message).into_parts();
            return Response::from_parts(head, LambdaBody::Empty);
        }
    };
    Response::from_parts(head, lambda_body(bytes))
}

/// An answer of a function has each header once; RFC 9110 (5.3) says that a list means the same.
fn join_repeated(headers: &mut HeaderMap) {
    for name in headers.keys().cloned().collect::<Vec<_>>() {
        let values: Vec<&[u8]> = headers.get_all(&name).iter().map(HeaderValue::as_bytes).collect();
        if values.len() > 1
            && let Ok(joined) = HeaderValue::from_bytes(&values.join(&b", "[..]))
        {
            headers.insert(name, joined);
        }
    }
}

fn lambda_body(bytes: Bytes) -> LambdaBody {
    if bytes.is_empty() {
        return LambdaBody::Empty;
    }
    match String::from_utf8(bytes.into()) {
        Ok(text) if text.len() <= TEXT_BYTES_MAX => LambdaBody::Text(text),
        Ok(text) => LambdaBody::Binary(text.into_bytes()),
        Err(error) => LambdaBody::Binary(error.into_bytes()),
    }
}
