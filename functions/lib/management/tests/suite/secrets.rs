//! Secrets are shown once, and nowhere else.

use serde_json::json;

use crate::world::{PASSWORD, Scene, Show, user};

#[tokio::test]
async fn a_token_is_shown_once_and_never_listed() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let alice = world.client(&scene.alice);
    let body = json!({ "label": "laptop", "expires_in_days": 30 });
    let made = alice.post("/accounts/alice/tokens", body).await.expect(201);
    let token = made.json();
    let (secret, id) = (token["token"].as_str().unwrap(), token["id"].as_str().unwrap());
    assert!(secret.starts_with("slipway_pat_"));
    assert_eq!(made.header("location"), format!("/api/v1/accounts/alice/tokens/{id}"));
    let expected = json!({ "token": secret, "id": id, "kind": "personal", "label": "laptop", "created_by": "alice",
        "created": "2026-09-21T14:13:20Z", "expires": "2026-10-21T14:13:20Z", "state": "good" });
    assert_eq!(token, expected);
    world.client(&Show::basic("alice", secret)).get("/me").await.expect(200);
    let listed = alice.get("/accounts/alice/tokens").await.expect(200);
    let entry =
        listed.json()["items"].as_array().unwrap().iter().find(|entry| entry["id"] == id).unwrap().clone();
    assert_eq!(entry["last_used"], "2026-09-21T14:13:20Z");
    assert_eq!(entry.get("token"), None);
    let stored = format!("{:?}", world.stored().await);
    let audit = world.client(&scene.root).get("/audit?limit=1000").await.text;
    for place in [&listed.text, &stored, &audit] {
        assert!(!place.contains(secret));
        // 16 characters name the token, 64 are the secret.
        assert!(!place.contains(&secret["slipway_pat_".len() + 16..][..16]));
    }
    alice.delete(&format!("/accounts/alice/tokens/{id}")).await.expect(204);
    world.client(&Show::basic("alice", secret)).get("/me").await.expect(401);
}

#[tokio::test]
async fn a_robots_token_says_what_it_is_for() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let scopes = json!([{ "repositories": "team/*", "permissions": ["pull", "push"] }]);
    let body = json!({ "label": "build", "robot": "ci", "scopes": scopes });
    let token = world.client(&scene.alice).post("/accounts/team/tokens", body).await.expect(201).json();
    assert!(token["token"].as_str().unwrap().starts_with("slipway_bot_"));
    assert_eq!((&token["kind"], &token["robot"], &token["scopes"]), (&json!("robot"), &json!("ci"), &scopes));
    let client = world.client(&Show::basic("team+ci", token["token"].as_str().unwrap()));
    assert_eq!(client.get("/me").await.json()["name"], "team+ci");
    assert_eq!(client.get("/repositories").await.names("name"), ["team/app"]);
}

#[tokio::test]
async fn logins_that_a_client_keeps_are_listed_and_revoked() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    world.access_token(&Show::basic("bob", PASSWORD), "&offline_token=true&client_id=docker").await;
    let bob = world.client(&scene.bob);
    let tokens = bob.get("/accounts/bob/tokens").await.json()["items"].as_array().unwrap().clone();
    let login = tokens.iter().find(|token| token["kind"] == "login").unwrap();
    bob.delete(&format!("/accounts/bob/tokens/{}", login["id"].as_str().unwrap())).await.expect(204);
    assert_eq!(bob.get("/accounts/bob/tokens").await.names("id").len(), tokens.len() - 1);
}

#[tokio::test]
async fn no_answer_and_no_log_entry_tells_a_password() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let root = world.client(&scene.root);
    let canary = "canary-9f3b-word";
    let mut answers = vec![
        root.post("/users", json!({ "name": "dave", "password": canary })).await.expect(201),
        root.post("/users", json!({ "name": "dave", "password": canary })).await.expect(409),
        root.post("/users", json!({ "name": "x", "password": canary })).await.expect(422),
        root.post("/users", json!({ "password": canary, "name": canary.len() })).await.expect(422),
        root.post("/users", json!({ "name": "dave", "password": [canary] })).await.expect(422),
        root.post("/users", json!({ "name": "dave", "password": { "is": canary } })).await.expect(422),
        root.patch("/users/dave", json!({ "password": canary, "old_password": 5 })).await.expect(422),
        root.patch("/users/root", json!({ "password": PASSWORD, "old_password": canary })).await.expect(403),
        world.client(&Show::basic("root", canary)).get("/me").await.expect(401),
    ];
    answers.push(root.get("/users").await.expect(200));
    answers.push(root.get("/audit?limit=1000").await.expect(200));
    for answer in answers {
        assert!(!answer.text.contains(canary), "{answer:?}");
        assert!(!answer.text.contains("argon2"), "{answer:?}");
    }
    assert!(!format!("{:?}", world.stored().await).contains(canary));
    root.post("/users", user("erin")).await.expect(201);
}
