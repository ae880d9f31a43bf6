use std::sync::Arc;

use http::{Method, header};
use http_body_util::{BodyExt, Full, StreamBody};
use registry::ports::{Abilities, SystemClock, SystemRandom};
use registry::testing::{MemoryItems, MemoryObjects};
use registry::{Lifetimes, Registry, Stores};

use super::*;

/// Counts the bodies that are being taken, and how many more pieces of them there are.
#[derive(Clone)]
struct Bodies {
    begun: Arc<Semaphore>,
    pieces: Arc<Semaphore>,
}

impl Bodies {
    /// Returns a body of one piece, which comes when there is one.
    fn body(&self) -> Body {
        let bodies = self.clone();
        let piece = futures_util::stream::once(async move {
            bodies.begun.add_permits(1);
            bodies.pieces.acquire().await.unwrap().forget();
            Ok(http_body::Frame::data("bytes".into()))
        });
        StreamBody::new(piece).boxed_unsync()
    }
}

fn service() -> Service {
    let stores = Stores {
        items: Arc::new(MemoryItems::default()),
        objects: Arc::new(MemoryObjects::default()),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        abilities: Abilities::default(),
    };
    Service::new(Registry::new(stores, Lifetimes::default()))
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

#[tokio::test]
async fn an_append_too_many_waits_until_another_has_ended_and_the_load_balancer_does_not_notice() {
    let service = service();
    let relay = Relay::new(service.clone());
    let bodies = Bodies { begun: Arc::new(Semaphore::new(0)), pieces: Arc::new(Semaphore::new(0)) };
    let mut appends = Vec::new();
    for _ in 0..APPENDS_MAX + 1 {
        let begun = service.handle(request(&Method::POST, "/v2/a/blobs/uploads/", "")).await;
        let mut append = request(&Method::PATCH, begun.headers()[header::LOCATION].to_str().unwrap(), "");
        *append.body_mut() = bodies.body();
        appends.push(tokio::spawn(relay.clone().answer(append)));
    }
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bodies.begun.available_permits(), APPENDS_MAX);
    assert_eq!(reply(&relay, &Method::GET, "/v2/").await.0, 200);
    bodies.pieces.add_permits(APPENDS_MAX + 1);
    for append in appends {
        assert_eq!(append.await.unwrap().status(), 202);
    }
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
