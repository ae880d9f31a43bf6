//! When the store fails, and when somebody guesses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Method;
use http_body_util::{BodyExt, StreamBody};
use registry::ports::StoreErrorKind;
use registry::testing::{Call, Outcome};
use serde_json::json;

use crate::world::{PASSWORD, Scene, Show};

#[tokio::test]
async fn a_failing_store_is_told_by_status_and_nothing_internal() {
    let scene = Scene::new().await;
    for (kind, status) in [
        (StoreErrorKind::Throttled, 429),
        (StoreErrorKind::Unavailable, 503),
        (StoreErrorKind::Full, 507),
        (StoreErrorKind::Corrupt, 500),
        (StoreErrorKind::AlreadyFinished, 500),
    ] {
        let fails = Arc::new(AtomicBool::new(false));
        let hook = {
            let fails = Arc::clone(&fails);
            move |call: Call| match fails.load(Ordering::SeqCst) && call == Call::ItemsTransact {
                true => Outcome::Failed(kind),
                false => Outcome::Done,
            }
        };
        let client = scene.world_with(Arc::new(hook)).await.client(&scene.root);
        client.get("/me").await.expect(200);
        fails.store(true, Ordering::SeqCst);
        let reply = client.post("/organisations", json!({ "name": "guild" })).await.expect(status);
        let problem = reply.json();
        assert_eq!(problem["request_id"].as_str().unwrap().len(), 32);
        assert!(!reply.text.contains("injected") && !reply.text.contains("Transact"), "{}", reply.text);
    }
}

#[tokio::test]
async fn nobody_is_let_in_while_the_store_does_not_answer() {
    let scene = Scene::new().await;
    let world = scene.world_with(Arc::new(|_| Outcome::Failed(StoreErrorKind::Unavailable))).await;
    for show in [scene.root.clone(), Show::basic("root", PASSWORD)] {
        world.client(&show).get("/users").await.expect(503);
    }
    world.client(&Show::Nothing).get("/openapi.json").await.expect(200);
}

/// How often an address may be wrong.
const GUESSES: usize = 50;

#[tokio::test]
async fn guessing_a_password_is_throttled() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let guess = world.client(&Show::basic("alice", "wrong horse"));
    for _ in 0..GUESSES {
        guess.get("/me").await.expect(401);
    }
    let reply = guess.get("/me").await.expect(429);
    let secs: u64 = reply.header("retry-after").parse().unwrap();
    assert!((1..=15).contains(&secs));
    assert!(reply.json().get("request_id").is_none());
    // The right one has to wait too, tokens have not.
    let right = world.client(&Show::basic("alice", PASSWORD));
    right.get("/me").await.expect(429);
    world.client(&scene.alice).get("/me").await.expect(200);
    world.clock.advance(std::time::Duration::from_secs(secs));
    right.get("/me").await.expect(200);
}

#[tokio::test]
async fn the_old_password_is_guessed_no_faster_than_any() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let alice = world.client(&scene.alice);
    let change = json!({ "password": "another horse battery", "old_password": "wrong horse" });
    for _ in 0..GUESSES {
        alice.patch("/users/alice", change.clone()).await.expect(403);
    }
    alice.patch("/users/alice", change).await.expect(429);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_answered() {
    let scene = Scene::new().await;
    let client = scene.world().await.client(&scene.root);
    let body = StreamBody::new(futures_util::stream::pending()).boxed_unsync();
    let headers = [("content-type", "application/json")];
    let reply = client.send_body(Method::POST, "/api/v1/organisations", &headers, body).await.expect(408);
    assert!(reply.text.contains("30 seconds"), "{reply:?}");
}
