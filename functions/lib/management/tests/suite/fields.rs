//! Fields of one body that different callers may set.

use http::Method;
use serde_json::json;

use crate::world::{PASSWORD, Scene, Show, full};

#[tokio::test]
async fn what_only_administrators_set_nobody_else_sets_beside_what_they_may() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let (root, bob) = (world.client(&scene.root), world.client(&Show::basic("bob", PASSWORD)));
    let before = root.get("/users/bob").await.expect(200).json();
    bob.patch("/users/bob", json!({ "default_visibility": "private" })).await.expect(204);
    for (field, value) in [("is_administrator", true), ("is_disabled", true), ("is_disabled", false)] {
        let change = json!({ "default_visibility": "public", field: value });
        bob.patch("/users/bob", change).await.expect(403);
    }
    for field in ["name", "created", "id"] {
        bob.patch("/users/bob", json!({ "default_visibility": "public", field: "x" })).await.expect(422);
    }
    let alice = world.client(&scene.alice);
    for field in ["role", "created", "grants"] {
        alice.patch("/repositories/team%2Fapp", json!({ field: "x" })).await.expect(422);
    }
    assert_eq!(root.get("/users/bob").await.json(), before);
}

#[tokio::test]
async fn a_form_of_another_site_manages_nothing() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let (before, root) = (world.settled().await, world.client(&scene.root));
    let body = json!({ "name": "mallory", "password": PASSWORD, "is_administrator": true }).to_string();
    // What a page can send without asking the browser's leave.
    for media_type in
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("multipart/form-data")]
    {
        for path in
            ["/users", "/organisations", "/repositories", "/accounts/team/tokens", "/accounts/team/trusts"]
        {
            let path = format!("/api/v1{path}");
            root.send_text(Method::POST, &path, media_type, body.clone()).await.expect(415);
        }
    }
    // Its question for that leave gets no answer that gives it.
    root.send_text(Method::OPTIONS, "/api/v1/users/bob", None, "").await.expect(405);
    assert_eq!(world.settled().await, before);
}

#[tokio::test]
async fn a_page_of_another_site_manages_nothing_even_if_it_says_json() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let (before, root) = (world.settled().await, world.client(&scene.root));
    let body = json!({ "name": "guild" }).to_string();
    let send = async |headers: &[(&str, &str)]| {
        let headers =
            [&[("content-type", "application/json"), ("host", "registry.example")], headers].concat();
        root.send_body(Method::POST, "/api/v1/organisations", &headers, full(body.clone())).await
    };
    for origin in ["https://evil.example", "http://registry.example:8080", "null", ""] {
        send(&[("origin", origin)]).await.expect(403);
    }
    for site in ["cross-site", "same-site"] {
        send(&[("sec-fetch-site", site)]).await.expect(403);
    }
    let foreign = [("host", "registry.example"), ("origin", "https://evil.example")];
    root.send_body(Method::DELETE, "/api/v1/users/bob", &foreign, full("")).await.expect(403);
    root.send_body(Method::GET, "/api/v1/users/bob", &foreign, full("")).await.expect(200);
    assert_eq!(world.settled().await, before);
    let own = [("origin", "https://registry.example"), ("sec-fetch-site", "same-origin")];
    send(&own).await.expect(201);
}

#[tokio::test]
async fn a_request_for_what_is_no_host_is_refused() {
    let scene = Scene::new().await;
    let client = scene.world().await.client(&scene.alice);
    for host in ["alice@localhost", "a/b", "a:b", "[::1"] {
        let asked = client.send_body(Method::GET, "/api/v1/me", &[("host", host)], full("")).await;
        assert!(asked.expect(400).json()["detail"].as_str().unwrap().contains("host"));
    }
}
