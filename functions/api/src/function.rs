//! One request of the gateway, answered by the same service as on one machine.

use std::convert::Infallible;
use std::fmt::Display;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use aws::Guard;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use lambda_http::Body as LambdaBody;
use lambda_http::request::RequestContext;
use lambda_http::{BoxFuture, IntoResponse, RequestExt};
use management::Management;
use oci::ErrorCode;
use registry::access::Address;
use registry::http::{Body, Service, refusal};
use subtle::ConstantTimeEq;

use crate::body;
use crate::role::Role;

/// API Gateway may rename the challenge of a 401; the stack's mapping restores it from this copy.
const CHALLENGE_COPY: &str = "x-registry-challenge";

/// The header in which the edge passes on whom it serves; it always overwrites it.
const VIEWER_ADDRESS: &str = "x-viewer-address";

/// The header in which CloudFront shows that a request comes from the stack's own edge.
const EDGE_KEY: &str = "x-slipway-edge";

/// Gateway and edge speak nothing else.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// How long an answer may take: Lambda ends the function after 29 s, and the gateway's own answer is no OCI error.
const ANSWER_WITHIN: Duration = Duration::from_secs(27);

/// An answer for the gateway, whose body is text or bytes for good.
///
/// Of a `Response` `lambda_http` makes text if its type is JSON: what is too long for text fails, and parts of characters
/// become others.
pub(crate) struct Chosen(Response<LambdaBody>);

impl IntoResponse for Chosen {
    fn into_response(self) -> BoxFuture<'static, Response<LambdaBody>> {
        Box::pin(ready(self.0))
    }
}

/// An answer for the gateway.
pub(crate) type Answer = Result<Chosen, Infallible>;

/// What ends after so much time.
type Timer = Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

/// What this process answers with.
#[derive(Clone)]
pub struct Function {
    service: Service,
    role: Role,
    guard: Option<Guard>,
    management: Option<Management>,
    edge_key: Option<Arc<str>>,
    timer: Timer,
}

impl Function {
    /// Answers with this service what is for this role.
    pub fn new(service: Service, role: Role) -> Self {
        Self {
            service: service.behind_proxy(true),
            role,
            guard: None,
            management: None,
            edge_key: None,
            timer: Arc::new(|duration| Box::pin(tokio::time::sleep(duration))),
        }
    }

    /// Learns new signing keys from this guard, and answers what it manages.
    #[must_use]
    pub fn with_guard(self, guard: Guard) -> Self {
        let management = Management::new(guard.access().clone()).entered_by(self.service.entry().clone());
        Self { guard: Some(guard), management: Some(management), ..self }
    }

    /// Believes whoever shows this key about whom it serves; without a key, nobody.
    #[must_use]
    pub fn with_edge_key(self, key: Option<String>) -> Self {
        Self { edge_key: key.map(Arc::from), ..self }
    }

    /// Measures time by another timer.
    #[must_use]
    pub fn with_timer(
        self,
        timer: impl Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        Self { timer: Arc::new(timer), ..self }
    }

    /// Answers; what goes wrong is an answer too.
    pub(crate) fn answer(self, request: lambda_http::Request) -> BoxFuture<'static, Answer> {
        Box::pin(async move {
            let mut response = match self.refusal(&request) {
                Some(refusal) => gateway_response(refusal).await,
                None => self.answer_in_time(request).await,
            };
            response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, ONLY_TLS);
            Ok(Chosen(response))
        })
    }

    async fn answer_in_time(&self, request: lambda_http::Request) -> Response<LambdaBody> {
        let (is_head, path) = (request.method() == Method::HEAD, request.raw_http_path().to_owned());
        let answering = async { gateway_response(self.handle(self.registry_request(request)).await).await };
        tokio::select! {
            response = answering => response,
            () = (self.timer)(ANSWER_WITHIN) => unanswered("the time is up", &path, is_head).await,
        }
    }

    fn refusal(&self, request: &lambda_http::Request) -> Option<Response<Body>> {
        // The gateway's default route leads here with methods that no endpoint has, and with POST and the like
        // to paths that have none.
        let message =
            "this method is not possible here, or the gateway's routes are not those of the template";
        let path = request.raw_http_path();
        if Role::of(request.method(), path) != self.role {
            return Some(refused(path, ErrorCode::Unsupported, message));
        }
        body::is_damaged(request).then(|| refused(path, ErrorCode::SizeInvalid, body::DAMAGED))
    }

    /// The path is taken as the client sent it: a URL library would resolve `..` in it.
    fn registry_request(&self, request: lambda_http::Request) -> Request<Body> {
        let path = request.raw_http_path().to_owned();
        let address = self.client_address(&request);
        let (head, body) = request.into_parts();
        let target = match head.uri.query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        let mut request = Request::new(body::of_request(body));
        *request.method_mut() = head.method;
        *request.headers_mut() = head.headers;
        request.headers_mut().remove(EDGE_KEY);
        request.extensions_mut().insert(address);
        // What is no target at all is answered like an unknown one.
        *request.uri_mut() = target.parse().unwrap_or_default();
        request
    }

    /// The edge says whom it serves. Who comes past it cannot say so: failed logins count against the address.
    fn client_address(&self, request: &lambda_http::Request) -> Address {
        let told = request.headers().get(VIEWER_ADDRESS).filter(|_| self.is_of_edge(request.headers()));
        let context = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.clone(),
            Some(RequestContext::ApiGatewayV1(context)) => context.identity.source_ip.clone(),
            _ => None,
        };
        let told = told.and_then(|value| value.to_str().ok());
        Address::new(told.or(context.as_deref()).unwrap_or_default())
    }

    fn is_of_edge(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(EDGE_KEY).map(HeaderValue::as_bytes);
        shown.zip(self.edge_key.as_deref()).is_some_and(|(shown, key)| shown.ct_eq(key.as_bytes()).into())
    }

    async fn handle(&self, request: Request<Body>) -> Response<Body> {
        if let Some(guard) = &self.guard {
            guard.learn_key_of(request.headers()).await;
        }
        match &self.management {
            Some(management) if request.uri().path().starts_with(management::PREFIX) => {
                management.handle(request).await
            }
            _ => self.service.handle(request).await,
        }
    }
}

/// Refuses in the form of the API that was asked.
fn refused(path: &str, code: ErrorCode, message: &str) -> Response<Body> {
    if !path.starts_with(management::PREFIX) {
        return refusal(code, message);
    }
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    management::refusal(status, message)
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
            // Only a GET of the registry's reads from storage what it answers with.
            return unanswered(&cause, "/v2/", false).await;
        }
    };
    Response::from_parts(head, body::of_answer(bytes))
}

/// Returns the answer when storage gives none in time, or not all of it.
async fn unanswered(cause: &(impl Display + ?Sized), path: &str, is_head: bool) -> Response<LambdaBody> {
    tracing::error!(error = %cause, "a request was not answered");
    let message = "the registry's storage does not answer; try again";
    let (head, body) = refused(path, ErrorCode::Unavailable, message).into_parts();
    let bytes = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    Response::from_parts(head, if is_head { LambdaBody::Empty } else { body::of_answer(bytes) })
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
