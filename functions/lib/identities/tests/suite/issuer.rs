//! An issuer on this machine, over real HTTP, that says what a test tells it to, and counts who asks.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::signer::Signer;

pub(crate) const DISCOVERY: &str = "/.well-known/openid-configuration";
pub(crate) const KEYS: &str = "/keys";

/// What is answered to whoever asks for a path.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Document(Value),
    Bytes(Bytes),
    Status(u16),
    Redirect(String),
    Never,
}

/// An issuer; it is gone when this is dropped.
pub(crate) struct LocalIssuer {
    pub(crate) url: String,
    state: Arc<State>,
    server: JoinSet<()>,
}

#[derive(Default)]
struct State {
    answers: Mutex<BTreeMap<String, Answer>>,
    asked: Mutex<BTreeMap<String, usize>>,
}

impl LocalIssuer {
    /// Starts an issuer that publishes these keys.
    pub(crate) async fn start(keys: &[&Signer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let state = Arc::new(State::default());
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&state)));
        let issuer = Self { url, state, server };
        issuer.answer(DISCOVERY, Answer::Document(issuer.document()));
        issuer.publish(keys);
        issuer
    }

    /// Returns what an honest issuer says of itself.
    pub(crate) fn document(&self) -> Value {
        json!({"issuer": self.url, "jwks_uri": format!("{}{KEYS}", self.url), "subject_types_supported": ["public"]})
    }

    /// Publishes these keys from now on, and no others.
    pub(crate) fn publish(&self, keys: &[&Signer]) {
        self.publish_raw(&keys.iter().map(|key| key.jwk()).collect::<Vec<_>>());
    }

    /// Publishes these documents as keys.
    pub(crate) fn publish_raw(&self, keys: &[Value]) {
        self.answer(KEYS, Answer::Document(json!({ "keys": keys })));
    }

    /// Answers so from now on.
    pub(crate) fn answer(&self, path: &str, answer: Answer) {
        self.state.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    /// Returns how often the path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.state.asked.lock().unwrap().get(path).copied().unwrap_or_default()
    }

    /// Returns how often anything was asked for.
    pub(crate) fn asked_at_all(&self) -> usize {
        self.state.asked.lock().unwrap().values().sum()
    }

    /// Goes away: nothing listens at its address any more.
    pub(crate) async fn stop(&mut self) {
        self.server.shutdown().await;
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&state), request));
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    state: Arc<State>,
    request: http::Request<hyper::body::Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    *state.asked.lock().unwrap().entry(path.clone()).or_default() += 1;
    let answer = state.answers.lock().unwrap().get(&path).cloned().unwrap_or(Answer::Status(404));
    let respond = |status: u16| Response::builder().status(StatusCode::from_u16(status).unwrap());
    Ok(match answer {
        Answer::Document(value) => respond(200).body(Full::from(value.to_string())).unwrap(),
        Answer::Bytes(bytes) => respond(200).body(Full::from(bytes)).unwrap(),
        Answer::Status(status) => respond(status).body(Full::default()).unwrap(),
        Answer::Redirect(to) => respond(302).header(header::LOCATION, to).body(Full::default()).unwrap(),
        Answer::Never => std::future::pending().await,
    })
}
