//! What AWS does between its services: events of the bucket and of the table reach their function.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dynamodb_standin::{DynamoDbStandin, lambda_event};
use gateway_standin::{Function, s3_event};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use s3_standin::S3Standin;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How often Lambda gives an asynchronous event to a function that fails, after the first time.
const REPEATS: usize = 2;

/// Brings the bucket's events to the function.
pub(crate) async fn bucket_events(s3: Arc<S3Standin>, events: Function) {
    let mut created = s3.events();
    while let Ok(object) = created.recv().await {
        if object.key.starts_with("uploads/") {
            let event =
                s3_event(&object.bucket, &object.key, object.size_bytes, &object.etag, &object.sequencer);
            let events = events.clone();
            tokio::spawn(async move {
                for _ in 0..=REPEATS {
                    if events.invoke(&event).await.is_ok() {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            });
        }
    }
}

/// Brings new items of the outbox to the function, as the filter of the template has it.
pub(crate) async fn outbox_stream(dynamodb: Arc<DynamoDbStandin>, events: Function) {
    loop {
        let record = dynamodb.stream().next().await;
        let is_event = record.keys["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("EV#"));
        if is_event && record.event_name.as_str() == "INSERT" {
            let event = lambda_event(&[record], dynamodb.region());
            // What fails for good goes to a queue that nobody reads here.
            let _ = events.invoke(&event).await;
        }
    }
}

/// An event bus that keeps what it is told.
#[derive(Clone, Default)]
pub(crate) struct Bus(Arc<Mutex<Vec<Value>>>);

impl Bus {
    /// Listens; returns the endpoint.
    pub(crate) async fn listen(&self) -> std::io::Result<String> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let bus = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let bus = bus.clone();
                let answer = service_fn(move |request| bus.clone().answer(request));
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), answer));
            }
        });
        Ok(endpoint)
    }

    /// Returns what it was told so far.
    pub(crate) fn entries(&self) -> Vec<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let told: Value = serde_json::from_slice(&body).unwrap_or_default();
        let entries = told["Entries"].as_array().cloned().unwrap_or_default();
        let ids: Vec<Value> = entries.iter().map(|_| json!({ "EventId": "1" })).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(entries);
        let answer = json!({ "FailedEntryCount": 0, "Entries": ids }).to_string();
        Ok(Response::new(Full::new(answer.into())))
    }
}
