//! The front: takes requests, verifies and counts them, and lets faults happen.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use time::UtcDateTime;
use tokio::net::{TcpListener, TcpStream};

use crate::answer::{Answer, edited, json_of};
use crate::engine::Engine;
use crate::faults::throughput_exceeded;
use crate::signature::Verifier;
use crate::target::Target;
use crate::{Calls, Fault, Faults, Stream, batch, query_keys};

pub(crate) struct Front {
    verifier: Verifier,
    engine: Engine,
    calls: Calls,
    faults: Faults,
    stream: Stream,
}

/// There is no answer: the connection is cut.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("connection cut")
    }
}

impl std::error::Error for Cut {}

impl Front {
    pub(crate) fn new(verifier: Verifier, engine: Engine) -> Self {
        let (calls, faults, stream) = Default::default();
        Self { verifier, engine, calls, faults, stream }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn calls(&self) -> &Calls {
        &self.calls
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Serves connections until the runtime ends.
    pub(crate) async fn listen(self: Arc<Self>, listener: std::net::TcpListener) {
        let listener = TcpListener::from_std(listener).expect("the listener does not block");
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(Arc::clone(&self).connection(socket));
        }
    }

    async fn connection(self: Arc<Self>, socket: TcpStream) {
        let _ = socket.set_nodelay(true);
        let service = service_fn(move |request| Arc::clone(&self).serve(request));
        // An error means a connection that the client or a fault has cut.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
    }

    async fn serve(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let request = Request::from_parts(head, body);
        // A task of its own: a request that has arrived is applied, even when the client goes away.
        let answer = tokio::spawn(async move { self.answer(request).await });
        Ok(answer.await.map_err(|_| Cut)??.map(Full::new))
    }

    async fn answer(&self, request: Request<Bytes>) -> Result<Answer, Cut> {
        if let Err(error) = self.verifier.verify(&request, UtcDateTime::now()) {
            return Ok(error.into_answer());
        }
        let operation = operation_of(&request);
        self.calls.add_call(&operation);
        if let Some(refusal) = query_keys::refusal(&operation, &json_of(request.body())) {
            return Ok(refusal);
        }
        match self.faults.next(&operation) {
            Some(fault) => self.answer_faulty(&operation, request, fault).await,
            None => Ok(self.apply(&operation, request).await),
        }
    }

    async fn answer_faulty(
        &self,
        operation: &str,
        request: Request<Bytes>,
        fault: Fault,
    ) -> Result<Answer, Cut> {
        let asked = json_of(request.body());
        if let Some(refusal) = fault.refusal(operation, batch::actions_of(&asked)) {
            return Ok(refusal);
        }
        match fault {
            Fault::Unprocessed(count) => {
                return Ok(self.apply_partly(operation, request, asked, count).await);
            }
            Fault::ShortPage(count) => {
                return Ok(self.apply(operation, limited(request, asked, count)).await);
            }
            Fault::Delayed(by) => tokio::time::sleep(by).await,
            _ => {}
        }
        let answer = self.apply(operation, request).await;
        if fault == Fault::AppliedThenLost { Err(Cut) } else { Ok(answer) }
    }

    async fn apply(&self, operation: &str, request: Request<Bytes>) -> Answer {
        let asked = json_of(request.body());
        let database = self.engine.database();
        let targets = Target::all(operation, &asked, database);
        let answer = match targets.is_empty() {
            true => self.engine.answer(request).await,
            false => self.stream.record(database, targets, self.engine.answer(request)).await,
        };
        if answer.status().is_success() {
            self.calls.add_items(operation, batch::items_of(operation, &asked, &json_of(answer.body())));
        }
        answer
    }

    async fn apply_partly(
        &self,
        operation: &str,
        request: Request<Bytes>,
        mut asked: Value,
        count: usize,
    ) -> Answer {
        let withheld = batch::withhold(&mut asked, count);
        if batch::entry_count(&asked["RequestItems"]) == 0 {
            return throughput_exceeded();
        }
        let answer = self.apply(operation, request.map(|_| asked.to_string().into())).await;
        if !answer.status().is_success() {
            return answer;
        }
        edited(answer, |answer| batch::add_unprocessed(operation, answer, withheld))
    }
}

/// Returns the operation in `x-amz-target`, such as `PutItem` in `DynamoDB_20120810.PutItem`.
fn operation_of(request: &Request<Bytes>) -> String {
    let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
    let operation = target.and_then(|target| target.split_once('.')).map(|(_, operation)| operation);
    operation.unwrap_or_default().to_owned()
}

/// Lowers the request's `Limit` to `count`.
fn limited(request: Request<Bytes>, mut asked: Value, count: usize) -> Request<Bytes> {
    let limit = asked["Limit"].as_u64().unwrap_or(u64::MAX).min(count as u64);
    asked["Limit"] = json!(limit);
    request.map(|_| asked.to_string().into())
}
