use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Method, header};
use http_body_util::{BodyExt, Full, StreamBody};
use registry::access::{Access, AccessOptions, KeyRing};
use registry::ports::{
    Abilities, AppendState, Appended, ByteStream, KeptState, ObjectKey, ObjectStore, StoreError, SystemClock,
    SystemRandom,
};
use registry::testing::{MemoryItems, MemoryObjects};
use registry::{Lifetimes, Registry, Stores};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;
use crate::places::{APPENDS_MAX, APPENDS_OF_ONE_MAX, PACE_BYTES, PATIENCE, Place};

/// When the edge gives up: `OriginReadTimeout` of `infra/edge.yaml`, less what is spent on the way.
const CLIENTS_PATIENCE: Duration = Duration::from_secs(50);

/// Counts the bodies that are being taken, and how many more pieces of them there are.
#[derive(Clone)]
struct Bodies {
    begun: Arc<Semaphore>,
    pieces: Arc<Semaphore>,
}

impl Default for Bodies {
    fn default() -> Self {
        Self { begun: Arc::new(Semaphore::new(0)), pieces: Arc::new(Semaphore::new(0)) }
    }
}

impl Bodies {
    /// Returns a body of one piece, which comes when there is one.
    fn body(&self) -> Body {
        let bodies = self.clone();
        let piece = stream::once(async move {
            bodies.begun.add_permits(1);
            bodies.pieces.acquire().await.unwrap().forget();
            Ok(http_body::Frame::data("bytes".into()))
        });
        StreamBody::new(piece).boxed_unsync()
    }
}

/// Objects of which each append ends when it may.
struct Slow {
    objects: MemoryObjects,
    ends: Arc<Semaphore>,
}

#[async_trait]
impl ObjectStore for Slow {
    async fn append(
        &self,
        key: &ObjectKey,
        kept: &mut dyn KeptState,
        mut body: ByteStream,
    ) -> Result<Appended, StoreError> {
        let mut pieces = Vec::new();
        while let Some(piece) = body.next().await {
            pieces.push(piece);
        }
        self.ends.acquire().await.unwrap().forget();
        self.objects.append(key, kept, stream::iter(pieces).boxed()).await
    }

    async fn put(&self, key: &ObjectKey, bytes: Bytes) -> Result<(), StoreError> {
        self.objects.put(key, bytes).await
    }

    async fn get(&self, key: &ObjectKey, range: Range<u64>) -> Result<Option<ByteStream>, StoreError> {
        self.objects.get(key, range).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        self.objects.head(key).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.objects.delete(key).await
    }

    async fn finish(
        &self,
        key: &ObjectKey,
        state: &AppendState,
        kept: &mut dyn KeptState,
    ) -> Result<(), StoreError> {
        self.objects.finish(key, state, kept).await
    }

    async fn abort(&self, key: &ObjectKey, state: &AppendState) -> Result<(), StoreError> {
        self.objects.abort(key, state).await
    }
}

fn registry(objects: impl ObjectStore + 'static) -> Registry {
    let stores = Stores {
        items: Arc::new(MemoryItems::default()),
        objects: Arc::new(objects),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        abilities: Abilities::default(),
    };
    Registry::new(stores, Lifetimes::default())
}

fn service() -> Service {
    Service::new(registry(MemoryObjects::default()))
}

/// Returns the service of a registry that is closed to everybody who shows nothing.
fn closed_service() -> Service {
    let keys = KeyRing::new("slipway", &[7; 32], &[]);
    let registry = registry(MemoryObjects::default());
    Service::guarded(Access::new(registry, keys, AccessOptions::default(), None))
}

fn request(method: &Method, path: &str, body: &'static str) -> Request<Body> {
    let body = Full::from(body).map_err(|never| match never {}).boxed_unsync();
    Request::builder().method(method).uri(path).body(body).unwrap()
}

/// Returns status and error code of the answer.
async fn reply(relay: &Relay, method: &Method, path: &str) -> (u16, String) {
    let answer = relay.clone().answer(request(method, path, "")).await;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    (status, json["errors"][0]["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn the_relay_takes_appends_only() {
    let relay = Relay::new(service());
    let blob = format!("/v2/a/blobs/sha256:{}", "0".repeat(64));
    for (method, path, status, code) in [
        (Method::GET, "/v2/", 200, ""),
        (Method::PATCH, "/v2/a/blobs/uploads/1", 404, "BLOB_UPLOAD_UNKNOWN"),
        (Method::PATCH, "/v2/a//b/blobs/uploads/1", 400, "NAME_INVALID"),
        (Method::GET, "/", 404, "UNSUPPORTED"),
        (Method::PATCH, "/v2/a/manifests/1", 405, "UNSUPPORTED"),
        (Method::GET, "/v2/a/blobs/uploads/1", 405, "UNSUPPORTED"),
        (Method::PUT, "/v2/a/blobs/uploads/1", 405, "UNSUPPORTED"),
        (Method::DELETE, "/v2/a/blobs/uploads/1", 405, "UNSUPPORTED"),
        (Method::POST, "/v2/a/blobs/uploads/", 405, "UNSUPPORTED"),
        (Method::GET, &blob, 405, "UNSUPPORTED"),
        (Method::DELETE, &blob, 405, "UNSUPPORTED"),
        (Method::GET, "/v2/a/manifests/1", 405, "UNSUPPORTED"),
        (Method::PUT, "/v2/a/manifests/1", 405, "UNSUPPORTED"),
        (Method::DELETE, "/v2/a/manifests/1", 405, "UNSUPPORTED"),
        (Method::GET, "/v2/a/tags/list", 405, "UNSUPPORTED"),
        (Method::GET, "/v2/_catalog", 405, "UNSUPPORTED"),
    ] {
        assert_eq!(reply(&relay, &method, path).await, (status, code.to_owned()), "{method} {path}");
    }
}

/// Begins appends of these clients, one each, and lets them come as far as they can.
async fn begin_appends(
    relay: &Relay,
    bodies: &Bodies,
    clients: impl IntoIterator<Item = usize>,
) -> Vec<JoinHandle<Response<Body>>> {
    begin_appends_from(relay, bodies, clients.into_iter().map(|client| format!("192.0.2.{client}"))).await
}

async fn begin_appends_from(
    relay: &Relay,
    bodies: &Bodies,
    addresses: impl IntoIterator<Item = String>,
) -> Vec<JoinHandle<Response<Body>>> {
    let mut appends = Vec::new();
    for address in addresses {
        let append = append_to(&begin_upload(relay).await, &address, bodies);
        appends.push(tokio::spawn(relay.clone().answer(append)));
    }
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    appends
}

/// Returns where the upload is.
async fn begin_upload(relay: &Relay) -> String {
    let begun = relay.service.handle(request(&Method::POST, "/v2/a/blobs/uploads/", "")).await;
    begun.headers()[header::LOCATION].to_str().unwrap().to_owned()
}

fn append_to(upload: &str, address: &str, bodies: &Bodies) -> Request<Body> {
    let mut append = request(&Method::PATCH, upload, "");
    append.extensions_mut().insert(Address::new(address));
    *append.body_mut() = bodies.body();
    append
}

#[tokio::test]
async fn an_append_too_many_waits_until_another_has_ended_and_the_load_balancer_does_not_notice() {
    let (relay, bodies) = (Relay::new(service()), Bodies::default());
    let appends = begin_appends(&relay, &bodies, 0..APPENDS_MAX + 1).await;
    assert_eq!(bodies.begun.available_permits(), APPENDS_MAX);
    assert_eq!(reply(&relay, &Method::GET, "/v2/").await.0, 200);
    bodies.pieces.add_permits(APPENDS_MAX + 1);
    for append in appends {
        assert_eq!(append.await.unwrap().status(), 202);
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_needs_no_place() {
    let (relay, bodies) = (Relay::new(service()), Bodies::default());
    let _appends = begin_appends(&relay, &bodies, 0..APPENDS_MAX).await;
    let closed = Relay { service: closed_service().behind_proxy(true), ..relay.clone() };
    for (relay, status) in [(&closed, 401), (&relay, 404)] {
        for shown in [None, Some("Basic YWxpY2U6d3Jvbmc="), Some("Bearer x.y.z")] {
            let mut append = request(&Method::PATCH, "/v2/a/blobs/uploads/1", "bytes");
            let shown = shown.map(|shown| (header::AUTHORIZATION, shown.parse().unwrap()));
            append.headers_mut().extend(shown);
            let answer = tokio::time::timeout(PATIENCE / 2, relay.clone().answer(append));
            assert_eq!(answer.await.expect("it waits").status(), status);
        }
    }
}

#[tokio::test]
async fn the_place_of_an_append_that_was_cut_off_is_free_when_the_store_has_done_with_it() {
    let (ends, bodies) = (Arc::new(Semaphore::new(0)), Bodies::default());
    let slow = Slow { objects: MemoryObjects::default(), ends: Arc::clone(&ends) };
    let relay = Relay::new(Service::new(registry(slow)));
    let appends = begin_appends(&relay, &bodies, 0..APPENDS_MAX).await;
    bodies.pieces.add_permits(APPENDS_MAX);
    appends.iter().for_each(JoinHandle::abort);
    let next = Bodies::default();
    let other = begin_appends(&relay, &next, [100]).await;
    assert_eq!(next.begun.available_permits(), 0, "all places are taken still");
    ends.add_permits(APPENDS_MAX + 1);
    next.pieces.add_permits(1);
    for append in other {
        assert_eq!(append.await.unwrap().status(), 202);
    }
}

#[tokio::test]
async fn one_client_cannot_have_all_places() {
    let (relay, bodies) = (Relay::new(service()), Bodies::default());
    let mut appends = begin_appends(&relay, &bodies, [1; APPENDS_MAX]).await;
    assert_eq!(bodies.begun.available_permits(), APPENDS_OF_ONE_MAX);
    appends.extend(begin_appends(&relay, &bodies, [2]).await);
    assert_eq!(bodies.begun.available_permits(), APPENDS_OF_ONE_MAX + 1);
    bodies.pieces.add_permits(APPENDS_MAX + 1);
    for append in appends {
        assert_eq!(append.await.unwrap().status(), 202);
    }
}

#[tokio::test]
async fn one_client_is_all_addresses_of_its_network() {
    let (relay, bodies) = (Relay::new(service()), Bodies::default());
    let addresses = (0..APPENDS_MAX).map(|host| format!("2001:db8:1:2::{host:x}"));
    let appends = begin_appends_from(&relay, &bodies, addresses).await;
    assert_eq!(bodies.begun.available_permits(), APPENDS_OF_ONE_MAX);
    bodies.pieces.add_permits(APPENDS_MAX);
    for append in appends {
        assert_eq!(append.await.unwrap().status(), 202);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_append_loses_its_place_when_another_client_waits_and_only_then() {
    let (relay, bodies) = (Relay::new(service()), Bodies::default());
    let mut slow = begin_appends(&relay, &bodies, 0..APPENDS_MAX).await;
    tokio::time::sleep(10 * PATIENCE).await;
    assert!(!slow.iter().any(JoinHandle::is_finished), "nobody waits");

    let quick = Bodies::default();
    quick.pieces.add_permits(1);
    let other = begin_appends(&relay, &quick, [100]).await.remove(0);
    assert_eq!(other.await.unwrap().status(), 202);
    let lost = slow.iter().position(JoinHandle::is_finished).unwrap();
    let answer = slow.remove(lost).await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()[header::RANGE], "0-0");
    tokio::time::sleep(10 * PATIENCE).await;
    bodies.pieces.add_permits(APPENDS_MAX);
    for append in slow {
        assert_eq!(append.await.unwrap().status(), 202, "one place was enough");
    }
}

#[tokio::test(start_paused = true)]
async fn an_append_that_was_slow_for_long_goes_soon_when_another_client_waits() {
    let (relay, bodies) = (Relay::new(service()), Bodies::default());
    let _slow = begin_appends(&relay, &bodies, 0..APPENDS_MAX).await;
    tokio::time::sleep(2 * PATIENCE + Duration::from_secs(1)).await;
    let quick = Bodies::default();
    quick.pieces.add_permits(1);
    let other = relay.clone().answer(append_to(&begin_upload(&relay).await, "192.0.2.100", &quick));
    let other = tokio::time::timeout(Duration::from_secs(10), other).await.expect("it waits on");
    assert_eq!(other.status(), 202);
}

#[tokio::test(start_paused = true)]
async fn an_append_that_waited_in_vain_is_told_before_its_client_gives_up() {
    let (relay, bodies) = (Relay::new(service()), Bodies::default());
    let _appends = begin_appends(&relay, &bodies, 0..APPENDS_MAX).await;
    let upload = begin_upload(&relay).await;
    let waiting = relay.clone().answer(append_to(&upload, "192.0.2.100", &Bodies::default()));
    let answer = tokio::time::timeout(CLIENTS_PATIENCE, waiting).await.expect("it waits on");
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()[header::LOCATION].to_str().unwrap(), upload);
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
}

#[tokio::test(start_paused = true)]
async fn who_repeats_an_append_that_waited_is_not_told_that_the_upload_is_in_use() {
    let (relay, bodies) = (Relay::new(service()), Bodies::default());
    let _appends = begin_appends(&relay, &bodies, 0..APPENDS_MAX).await;
    let upload = begin_upload(&relay).await;
    let first = append_to(&upload, "192.0.2.100", &Bodies::default());
    let first = tokio::spawn(relay.clone().answer(first));
    tokio::time::sleep(CLIENTS_PATIENCE - Duration::from_secs(10)).await;
    // Its client goes away, which ends its answer, but not the work.
    first.abort();
    let again = Bodies::default();
    again.pieces.add_permits(1);
    let second = relay.clone().answer(append_to(&upload, "192.0.2.100", &again)).await;
    assert_eq!(second.status(), 202, "{second:?}");
    assert_eq!(second.headers()[header::RANGE], "0-4");
}

#[tokio::test(start_paused = true)]
async fn an_append_that_keeps_pace_keeps_its_place() {
    let places = Places::new();
    let place = places.take(&Address::default()).await;
    let pieces = stream::unfold(0, |count| async move {
        tokio::time::sleep(PATIENCE / 2).await;
        let piece = vec![0; PACE_BYTES as usize * PATIENCE.as_secs() as usize / 2];
        (count < 20).then_some((Ok(http_body::Frame::data(piece.into())), count + 1))
    });
    let body = place.paced(StreamBody::new(pieces).boxed_unsync());
    let _taken = take_all(&places).await;
    let other = Address::new("192.0.2.200");
    let (waiting, reading) = (places.take(&other), body.collect());
    tokio::select! {
        _ = waiting => panic!("there is no place"),
        read = reading => assert_eq!(read.unwrap().to_bytes().len() as u64, 20 * PACE_BYTES * 30),
    }
    assert!(!place.is_lost());
}

/// Takes what is left.
async fn take_all(places: &Places) -> Vec<Place> {
    let mut taken = Vec::new();
    for client in 1..APPENDS_MAX {
        taken.push(places.take(&Address::new(&format!("192.0.2.{client}"))).await);
    }
    taken
}

#[tokio::test]
async fn after_an_append_the_client_goes_on_at_the_host_that_it_came_to() {
    let service = service();
    let begun = service.handle(request(&Method::POST, "/v2/a/blobs/uploads/", "")).await;
    let upload = begun.headers()[header::LOCATION].to_str().unwrap();
    let relay = Relay::new(service);
    let answer = relay.answer(request(&Method::PATCH, upload, "bytes")).await;
    assert_eq!(answer.status(), 202);
    assert_eq!(answer.headers()[header::LOCATION].to_str().unwrap(), upload);
    assert!(upload.starts_with("/v2/a/blobs/uploads/"), "{upload}");
    assert_eq!(answer.headers()[header::RANGE], "0-4");
}
