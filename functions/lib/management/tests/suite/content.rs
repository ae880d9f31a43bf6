//! What is told of the content of a repository, and to whom: its manifests, and where its tags pointed.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Request;
use registry::http::Service;
use registry::testing::{Call, Outcome, SetClock};
use serde_json::{Value, json};

use crate::world::{Reply, Scene, Show, World, full};

const REPOSITORY: &str = "/repositories/team%2Fapp";

const RESTORE: &str = "/repositories/team%2Fapp/tags/v1/restore";

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Returns an index of nothing but this text.
pub(crate) fn index(text: &str) -> String {
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": { "of": text } })
        .to_string()
}

/// Moves the tag to the index of this text; returns its digest.
pub(crate) async fn push(world: &World, show: &Show, repository: &str, text: &str) -> String {
    let request = Request::put(format!("/v2/{repository}/manifests/v1")).header("content-type", INDEX);
    let request = show.on(request).body(full(index(text))).unwrap();
    let response = Service::guarded(world.access.clone()).handle(request).await;
    assert_eq!(response.status(), 201);
    response.headers()["docker-content-digest"].to_str().unwrap().to_owned()
}

/// Returns a world in which alice has moved `team/app:v1`, and where it pointed before and points now.
async fn moved(scene: &Scene) -> (World, [String; 2]) {
    let world = scene.world().await;
    let old = push(&world, &scene.alice, "team/app", "old").await;
    let new = push(&world, &scene.alice, "team/app", "new").await;
    (world, [old, new])
}

/// Returns the value that the field has in the only or latest entry.
fn first(reply: &Reply, field: &str) -> Option<Value> {
    reply.json()["items"][0].as_object().unwrap().get(field).cloned()
}

#[tokio::test]
async fn who_pushed_is_told_to_those_who_may_push_and_to_nobody_else() {
    let scene = Scene::new().await;
    let (world, _) = moved(&scene).await;
    world.client(&scene.alice).patch(REPOSITORY, json!({ "visibility": "public" })).await.expect(204);
    for (show, may_know) in [
        (&scene.alice, true),
        (&scene.root, true),
        (&scene.robot, true),
        (&scene.bob, false),
        (&scene.carol, false),
        // Whatever its account may do: the token may only pull.
        (&scene.limited, false),
        (&Show::Nothing, false),
    ] {
        let client = world.client(show);
        let expected = may_know.then(|| json!("alice"));
        let manifests = client.get(&format!("{REPOSITORY}/manifests")).await.expect(200);
        assert_eq!(first(&manifests, "pushed_by"), expected, "{show:?}");
        let history = client.get(&format!("{REPOSITORY}/history")).await.expect(200);
        for field in ["pushed_by", "by"] {
            assert_eq!(first(&history, field), expected, "{show:?} {field}");
        }
        assert_eq!(manifests.text.contains("alice") || history.text.contains("alice"), may_know, "{show:?}");
    }
}

#[tokio::test]
async fn a_name_that_may_be_left_out_is_not_required_by_the_document() {
    let document = Scene::new().await.world().await.client(&Show::Nothing).get("/openapi.json").await.json();
    for (schema, field) in [("ListedManifest", "pushed_by"), ("Move", "pushed_by"), ("Move", "by")] {
        let schema = &document["components"]["schemas"][schema];
        assert_eq!(schema["properties"][field]["type"], "string", "{schema:#}");
        assert!(!schema["required"].as_array().unwrap().contains(&json!(field)), "{schema:#}");
    }
}

#[tokio::test]
async fn the_lists_of_a_repository_that_is_not_there_are_not_there() {
    let scene = Scene::new().await;
    let (world, _) = moved(&scene).await;
    let alice = world.client(&scene.alice);
    for list in ["manifests", "history"] {
        alice.get(&format!("/repositories/team%2Fnone/{list}")).await.expect(404);
    }
    alice.delete(REPOSITORY).await.expect(204);
    for (show, status) in
        [(&scene.alice, 404), (&scene.root, 404), (&scene.carol, 404), (&Show::Nothing, 401)]
    {
        for list in ["manifests", "history"] {
            world.client(show).get(&format!("{REPOSITORY}/{list}")).await.expect(status);
        }
    }
}

#[tokio::test]
async fn a_deletion_goes_on_when_its_client_goes_away() {
    let scene = Scene::new().await;
    let has_begun = Arc::new(AtomicBool::new(false));
    let hook = {
        let has_begun = Arc::clone(&has_begun);
        move |call: Call| {
            has_begun.fetch_or(call == Call::ItemsTransact, Relaxed);
            Outcome::Done
        }
    };
    let world = scene.world_with(Arc::new(hook)).await;
    let alice = world.client(&scene.alice);
    alice.get(REPOSITORY).await.expect(200);
    has_begun.store(false, Relaxed);
    let begun = async {
        while !has_begun.load(Relaxed) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = begun => {}
        reply = alice.delete(REPOSITORY) => panic!("nobody could go away: {reply:?}"),
    }
    alice.get(REPOSITORY).await.expect(404);
}

#[tokio::test]
async fn a_deletion_that_is_too_much_for_one_answer_has_begun_and_goes_on_when_it_is_asked_for_again() {
    let scene = Scene::new().await;
    let (clock, is_slow) = (Arc::new(OnceLock::<Arc<SetClock>>::new()), Arc::new(AtomicBool::new(true)));
    let hook = {
        let (clock, is_slow) = (Arc::clone(&clock), Arc::clone(&is_slow));
        move |call: Call| {
            if let (Call::ItemsTransact, true, Some(clock)) = (call, is_slow.load(Relaxed), clock.get()) {
                clock.advance(Duration::from_secs(30));
            }
            Outcome::Done
        }
    };
    let world = scene.world_with(Arc::new(hook)).await;
    push(&world, &scene.alice, "team/app", "one").await;
    let alice = world.client(&scene.alice);
    assert!(clock.set(Arc::clone(&world.clock)).is_ok());
    alice.delete(REPOSITORY).await.expect(202);
    is_slow.store(false, Relaxed);
    let refused = alice.patch(REPOSITORY, json!({ "description": "new" })).await.expect(429);
    assert!(refused.text.contains("is being deleted"), "{refused:?}");
    alice.delete(REPOSITORY).await.expect(204);
    alice.get(REPOSITORY).await.expect(404);
}

#[tokio::test]
async fn a_tag_that_cannot_be_put_back_is_told_why() {
    let scene = Scene::new().await;
    let (world, [old, new]) = moved(&scene).await;
    let alice = world.client(&scene.alice);
    let other = format!("sha256:{}", "0".repeat(64));
    let detail = |reply: Reply| reply.json()["detail"].as_str().unwrap().to_owned();
    let refused = alice.post(RESTORE, json!({ "digest": other })).await.expect(404);
    assert_eq!(
        detail(refused),
        format!("tag v1 of repository team/app never pointed to {other}, as far as its history goes")
    );
    let path = RESTORE.replace("v1", "v2");
    let refused = alice.post(&path, json!({})).await.expect(404);
    assert_eq!(
        detail(refused),
        "tag v2 of repository team/app has no history: it was never moved or deleted"
    );
    // It is there already, as after a repetition of what succeeded.
    for digest in [&new, &old, &old] {
        let restored = alice.post(RESTORE, json!({ "digest": digest })).await.expect(200);
        assert_eq!(restored.json(), json!({ "digest": digest }));
    }
}

#[tokio::test]
async fn a_token_that_cannot_make_the_repository_is_told_so_and_strangers_learn_nothing() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let detail = |reply: Reply| reply.json()["detail"].as_str().unwrap().to_owned();
    let restore = "/repositories/team%2Fnone/tags/v1/restore";
    let limited = world.client(&scene.limited).post(restore, json!({})).await.expect(403);
    let expected = "there is no repository team/none, and these credentials may not make one";
    assert_eq!(detail(limited), expected);
    let robot = world.client(&scene.robot);
    let new = |name: &str| json!({ "name": name });
    let made = robot.post("/repositories", new("team/none")).await.expect(403);
    assert_eq!(
        detail(made),
        "these credentials manage nothing; but a push with them makes repository team/none"
    );
    let limited = world.client(&scene.limited).post("/repositories", new("team/none")).await.expect(403);
    assert_eq!(detail(limited), expected);
    for (path, body) in [(restore, json!({})), ("/repositories", new("team/none"))] {
        let refused = world.client(&scene.carol).post(path, body.clone()).await.expect(403);
        let known = body.to_string().replace("none", "app").parse().unwrap();
        let known = world.client(&scene.carol).post(&path.replace("none", "app"), known).await.expect(403);
        assert_eq!(detail(refused).replace("none", "app"), detail(known));
    }
}
