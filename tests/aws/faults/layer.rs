//! The layer between the adapters and the stand-ins: it counts attempts, and lets faults happen to them.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::fault::{Call, Fault, Service};
use crate::rights::needed;

/// What goes wrong, from which attempt on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// The attempt, counted from 0.
    pub(crate) at: usize,
    pub(crate) fault: Fault,
    /// Whether every attempt after it fails, too.
    pub(crate) persists: bool,
}

#[derive(Default)]
struct Attempts {
    calls: Vec<Call>,
    plan: Option<Plan>,
}

/// One for each case, before the stores that all cases share.
#[derive(Clone, Default)]
pub(crate) struct Layer {
    attempts: Arc<Mutex<Attempts>>,
    pub(crate) clock: Clock,
}

/// The connection is closed here.
#[derive(Debug, Default)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("closed as planned")
    }
}

impl std::error::Error for Closed {}

type Body = UnsyncBoxBody<Bytes, Closed>;

/// What forwards to the stand-ins; all layers share it.
pub(crate) type Forward = Client<HttpConnector, Full<Bytes>>;

pub(crate) fn forward() -> Forward {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

impl Layer {
    /// Begins to count; the plan, if there is one, is for the attempts from now on.
    pub(crate) fn begin(&self, plan: Option<Plan>) {
        *self.attempts.lock().unwrap() = Attempts { calls: Vec::new(), plan };
    }

    /// Ends all faults. Returns what was called since the beginning.
    pub(crate) fn end(&self) -> Vec<Call> {
        std::mem::take(&mut *self.attempts.lock().unwrap()).calls
    }

    fn next(&self, call: &Call) -> Option<Fault> {
        let mut attempts = self.attempts.lock().unwrap();
        let at = attempts.calls.len();
        attempts.calls.push(call.clone());
        let plan = attempts.plan.filter(|plan| at == plan.at || (plan.persists && at > plan.at))?;
        Some(plan.fault.fitted(call))
    }

    /// Listens before a service until the set is dropped; returns the endpoint.
    pub(crate) async fn listen(
        &self,
        service: Service,
        upstream: String,
        forward: Forward,
        tasks: &mut JoinSet<()>,
    ) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let door = Door { layer: self.clone(), service, upstream, forward };
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                let door = door.clone();
                connections.spawn(async move {
                    let answer = service_fn(|request| door.answer(request));
                    // A connection that a fault or a timeout has closed is no surprise here.
                    drop(http1::Builder::new().serve_connection(TokioIo::new(socket), answer).await);
                });
            }
        });
        endpoint
    }
}

#[derive(Clone)]
struct Door {
    layer: Layer,
    service: Service,
    upstream: String,
    forward: Forward,
}

impl Door {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Closed> {
        let (head, body) = request.into_parts();
        let asked = body.collect().await.map_err(|_| Closed)?.to_bytes();
        let operation = operation(self.service, &head);
        let rights = needed(self.service, &operation, &head, &asked);
        let is_conditional = self.service == Service::S3
            && head.method != Method::GET
            && head.headers.contains_key("if-none-match");
        let call = Call { service: self.service, operation, is_conditional, rights };
        let fault = self.layer.next(&call);
        if let Some(refusal) = fault.and_then(|fault| fault.refusal(&call, &asked)) {
            return Ok(refusal.map(whole));
        }
        if fault == Some(Fault::Hung) {
            self.layer.clock.hang().await;
        }
        let answer = self.forwarded(head, asked).await;
        match fault {
            Some(Fault::AppliedThenLost) => Err(Closed),
            Some(Fault::BrokenOff) => Ok(answer.map(|bytes| half(&bytes))),
            _ => Ok(answer.map(whole)),
        }
    }

    async fn forwarded(&self, head: http::request::Parts, asked: Bytes) -> Response<Bytes> {
        if self.service == Service::EventBridge {
            return Response::new(Bytes::from_static(
                br#"{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}"#,
            ));
        }
        let mut request = Request::from_parts(head, Full::new(asked));
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = format!("{}{path}", self.upstream).parse().unwrap();
        let (head, body) = self.forward.request(request).await.unwrap().into_parts();
        Response::from_parts(head, body.collect().await.unwrap().to_bytes())
    }
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

fn half(bytes: &Bytes) -> Body {
    let half = bytes.slice(..bytes.len() / 2);
    StreamBody::new(stream::iter([Ok(Frame::data(half)), Err(Closed)])).boxed_unsync()
}

/// Returns the name of what is called.
fn operation(service: Service, head: &http::request::Parts) -> String {
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    match service {
        Service::S3 => s3_operation(head, header("x-amz-copy-source").is_some()).to_owned(),
        _ => header("x-amz-target").and_then(|target| target.split_once('.')).unwrap().1.to_owned(),
    }
}

fn s3_operation(head: &http::request::Parts, is_copy: bool) -> &'static str {
    let query = head.uri.query().unwrap_or_default();
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    match (&head.method, is_copy) {
        (&Method::PUT, true) if has("partNumber") => "UploadPartCopy",
        (&Method::PUT, true) => "CopyObject",
        (&Method::PUT, false) if has("partNumber") => "UploadPart",
        (&Method::PUT, false) => "PutObject",
        (&Method::POST, _) if has("uploads") => "CreateMultipartUpload",
        (&Method::POST, _) => "CompleteMultipartUpload",
        (&Method::DELETE, _) if has("uploadId") => "AbortMultipartUpload",
        (&Method::DELETE, _) => "DeleteObject",
        (&Method::HEAD, _) => "HeadObject",
        _ if has("list-type") => "ListObjectsV2",
        _ if has("uploads") => "ListMultipartUploads",
        _ if has("uploadId") => "ListParts",
        _ => "GetObject",
    }
}
