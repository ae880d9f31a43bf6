//! A client: requests as docker, skopeo and the others send them, each to a process that may die meanwhile.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use registry::http::{Body, Service};
use registry::ports::Clock;
use registry::testing::Call;
use tokio::sync::{oneshot, watch};

use crate::content::{Content, REPOSITORIES};
use crate::dice::Dice;
use crate::gate::{NO_PROCESS, Pass, ProcessId};
use crate::ledger::{Attempt, Deed};
use crate::world::{SERVERS, World};

/// A request that takes longer may find what it reads gone.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// Somebody who asks.
pub(crate) struct Client {
    pub(crate) world: Arc<World>,
    pub(crate) number: usize,
    pub(crate) dice: Dice,
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// Returns the header's value, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What is asked.
pub(crate) struct Ask {
    method: Method,
    path: String,
    content_type: Option<&'static str>,
    range: Option<String>,
    body: Bytes,
    deed: Option<Deed>,
    comes_by_edge: bool,
}

impl Ask {
    pub(crate) fn new(method: Method, path: String) -> Self {
        let body = Bytes::new();
        Self { method, path, content_type: None, range: None, body, deed: None, comes_by_edge: false }
    }

    /// The request comes through the edge, by which clients can reach the store.
    pub(crate) fn by_edge(self) -> Self {
        Self { comes_by_edge: true, ..self }
    }

    pub(crate) fn with(self, body: Bytes) -> Self {
        Self { body, ..self }
    }

    /// The bytes begin there.
    pub(crate) fn at(self, offset: usize) -> Self {
        let end = offset + self.body.len() - 1;
        Self { range: Some(format!("{offset}-{end}")), ..self }
    }

    /// The request that puts this manifest there.
    pub(crate) fn put(path: String, content: &Content) -> Self {
        let ask = Self::new(Method::PUT, path).with(content.bytes.clone());
        Self { content_type: Some(content.media_type()), ..ask }
    }

    /// What it changes, if it succeeds.
    pub(crate) fn with_deed(self, deed: Deed) -> Self {
        Self { deed: Some(deed), ..self }
    }

    pub(crate) fn request(self) -> Request<Body> {
        let mut request = Request::new(Full::new(self.body).map_err(|never| match never {}).boxed_unsync());
        *request.method_mut() = self.method;
        *request.uri_mut() = self.path.parse().unwrap_or_default();
        if let Some(content_type) = self.content_type {
            request.headers_mut().insert("content-type", http::HeaderValue::from_static(content_type));
        }
        if let Some(range) = self.range.and_then(|range| http::HeaderValue::from_str(&range).ok()) {
            request.headers_mut().insert("content-range", range);
        }
        if self.comes_by_edge {
            let host = http::HeaderValue::from_static("registry.example");
            request.headers_mut().insert("x-viewer-host", host);
        }
        request
    }
}

impl Client {
    pub(crate) fn new(world: &Arc<World>, number: usize, seed: u64) -> Self {
        Self { world: Arc::clone(world), number, dice: Dice::new(seed, 100 + number as u64) }
    }

    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        self.world.tell(|| format!("client {}: {}", self.number, what()));
    }

    /// Asks one of the processes; `None` if no answer came.
    pub(crate) async fn send(&self, ask: Ask) -> Option<Reply> {
        let (method, path, asked) = (ask.method.clone(), ask.path.clone(), self.world.clock.now());
        let attempt = ask.deed.clone().map(|deed| self.world.ledger.begin(deed));
        let (service, life) = self.world.service(self.dice.below(SERVERS));
        let (answer, answered) = oneshot::channel();
        let asking = tokio::spawn(answer_one(service, life, ask.request(), attempt, answer));
        self.tell(|| format!("{method} {path}"));
        let reply = match self.dice.one_in(self.world.weather.hang_up_one_in) {
            false => answered.await.ok().flatten(),
            true => tokio::select! {
                biased;
                reply = answered => reply.ok().flatten(),
                () = self.loses_patience() => {
                    // A server may notice, or go on for nobody.
                    if self.dice.one_in(2) {
                        asking.abort();
                    }
                    None
                }
            },
        };
        self.tell(|| format!("{method} {path}: {}", reply.as_ref().map_or(0, |reply| reply.status)));
        if self.world.clock.now() < asked.after(PATIENCE) {
            self.judge(&method, &path, reply.as_ref());
        }
        reply
    }

    async fn loses_patience(&self) {
        for _ in 0..=self.dice.below(6) {
            self.world.gate.nap().await;
        }
    }

    /// No answer says that the registry is damaged; and in fair weather none says that it cannot answer.
    fn judge(&self, method: &Method, path: &str, reply: Option<&Reply>) {
        let status = reply.map_or(0, |reply| reply.status);
        let is_expected = match status {
            500 => false,
            0 | 429 | 501..=599 => !self.world.weather.is_fair(),
            _ => true,
        };
        if !is_expected {
            let body = reply.map(|reply| String::from_utf8_lossy(&reply.body).into_owned());
            self.world.ledger.accuse(format!("{method} {path}: {status} {}", body.unwrap_or_default()));
        }
    }

    /// Asks, and reads the answer where the registry says that it is.
    pub(crate) async fn get(&self, path: String) -> Option<Reply> {
        let asked = self.world.clock.now();
        let reply = self.send(Ask::new(Method::GET, path.clone())).await?;
        if reply.status != 307 {
            return Some(reply);
        }
        let pass = self.world.gate.call(NO_PROCESS, Call::ObjectGet).await;
        if matches!(pass, Pass::Failed(_) | Pass::LostReply) {
            return None;
        }
        let body = self.world.objects.serve(reply.header("location"));
        if body.is_none() && self.world.clock.now() < asked.after(PATIENCE) {
            self.world.ledger.accuse(format!("{path} leads to an object that is not there"));
        }
        Some(Reply { status: 200, body: body?, ..reply })
    }
}

async fn answer_one(
    service: Service,
    mut life: watch::Receiver<ProcessId>,
    request: Request<Body>,
    attempt: Option<Attempt>,
    answer: oneshot::Sender<Option<Reply>>,
) {
    let reply = tokio::select! {
        biased;
        _ = life.changed() => None,
        reply = read(service, request) => reply,
    };
    if let (Some(attempt), Some(reply)) = (&attempt, &reply) {
        attempt.answered(reply.status);
    }
    drop(attempt);
    // Nobody listens any more if the client hung up.
    let _hung_up = answer.send(reply);
}

pub(crate) async fn read(service: Service, request: Request<Body>) -> Option<Reply> {
    let (head, body) = service.handle(request).await.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    Some(Reply { status: head.status.as_u16(), headers: head.headers, body })
}

pub(crate) fn uploads(repository: usize) -> String {
    format!("/v2/{}/blobs/uploads/", REPOSITORIES[repository])
}

pub(crate) fn blob(repository: usize, content: &Content) -> String {
    format!("/v2/{}/blobs/{}", REPOSITORIES[repository], content.digest)
}

pub(crate) fn manifest(repository: usize, reference: &str) -> String {
    format!("/v2/{}/manifests/{reference}", REPOSITORIES[repository])
}

/// Adds the digest to a location, which may have a query already.
pub(crate) fn committing(location: &str, content: &Content) -> String {
    let joint = if location.contains('?') { '&' } else { '?' };
    format!("{location}{joint}digest={}", content.digest)
}
