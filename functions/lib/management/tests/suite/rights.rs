//! Who may do what: every route, for everybody.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use crate::document::operations;
use crate::world::{PASSWORD, Scene, Show, user};

/// Method and route, its body, and what anonymous, carol (a stranger), bob (a member, and the user in the path), alice
/// (the owner), the robot, alice with a token that has scopes, and root (the administrator) are answered.
pub(crate) type Row = (&'static str, &'static str, Option<Value>, [u16; 7]);

pub(crate) fn rows() -> Vec<Row> {
    let scopes = json!([{ "repositories": "team/*", "permissions": ["pull"] }]);
    let robot = json!({ "label": "ci", "robot": "ci", "scopes": scopes });
    let trust = json!({ "issuer": "https://ci.example", "audience": "slipway", "claims": { "sub": "x" },
        "robot": "ci", "scopes": scopes });
    let visibility = || Some(json!({ "default_visibility": "public" }));
    const O: &str = "/organisations/{organisation}";
    const A: &str = "/accounts/{account}";
    const R: &str = "/repositories/{repository}";
    let below = |base: &'static str, rest: &str| -> &'static str { format!("{base}{rest}").leak() };
    vec![
        ("GET", "/openapi.json", None, [200; 7]),
        ("GET", "/me", None, [200; 7]),
        ("GET", "/users", None, [401, 403, 403, 403, 403, 403, 200]),
        ("POST", "/users", Some(user("dave")), [401, 403, 403, 403, 403, 403, 201]),
        ("GET", "/users/{user}", None, [401, 404, 200, 404, 404, 403, 200]),
        ("PATCH", "/users/{user}", visibility(), [401, 404, 204, 404, 404, 403, 204]),
        ("DELETE", "/users/{user}", None, [401, 404, 403, 404, 404, 403, 204]),
        ("GET", "/users/{user}/organisations", None, [401, 403, 200, 403, 403, 403, 200]),
        ("GET", "/organisations", None, [401, 403, 403, 403, 403, 403, 200]),
        ("POST", "/organisations", Some(json!({ "name": "guild" })), [401, 201, 201, 201, 403, 403, 201]),
        ("GET", O, None, [401, 404, 200, 200, 404, 403, 200]),
        ("PATCH", O, visibility(), [401, 404, 403, 204, 404, 403, 204]),
        ("DELETE", O, None, [401, 404, 403, 409, 404, 403, 409]),
        ("GET", below(O, "/members"), None, [401, 404, 200, 200, 404, 403, 200]),
        (
            "PUT",
            below(O, "/members/{user}"),
            Some(json!({ "role": "owner" })),
            [401, 404, 403, 204, 404, 403, 204],
        ),
        ("DELETE", below(O, "/members/{user}"), None, [401, 404, 204, 204, 404, 403, 204]),
        ("GET", below(O, "/teams"), None, [401, 404, 200, 200, 404, 403, 200]),
        (
            "PUT",
            below(O, "/teams/{team}"),
            Some(json!({ "description": "x" })),
            [401, 404, 403, 204, 404, 403, 204],
        ),
        ("DELETE", below(O, "/teams/{team}"), None, [401, 404, 403, 204, 404, 403, 204]),
        ("PUT", below(O, "/teams/{team}/members/{user}"), None, [401, 404, 403, 204, 404, 403, 204]),
        ("DELETE", below(O, "/teams/{team}/members/{user}"), None, [401, 404, 403, 204, 404, 403, 204]),
        ("GET", below(A, "/tokens"), None, [401, 404, 403, 200, 404, 403, 200]),
        ("POST", below(A, "/tokens"), Some(robot), [401, 404, 403, 201, 404, 403, 201]),
        ("DELETE", below(A, "/tokens/{id}"), None, [401, 404, 403, 204, 404, 403, 204]),
        ("GET", below(A, "/trusts"), None, [401, 404, 403, 200, 404, 403, 200]),
        ("POST", below(A, "/trusts"), Some(trust), [401, 403, 403, 403, 403, 403, 201]),
        ("DELETE", below(A, "/trusts/{id}"), None, [401, 403, 403, 403, 403, 403, 204]),
        ("GET", "/repositories", None, [200; 7]),
        ("POST", "/repositories", Some(json!({ "name": "team/new" })), [401, 403, 403, 201, 403, 403, 201]),
        ("GET", R, None, [401, 404, 200, 200, 200, 200, 200]),
        ("PATCH", R, Some(json!({ "visibility": "public" })), [401, 404, 403, 204, 403, 403, 204]),
        ("DELETE", R, None, [401, 404, 403, 204, 403, 403, 204]),
        ("GET", below(R, "/grants"), None, [401, 404, 403, 200, 403, 403, 200]),
        (
            "PUT",
            below(R, "/grants/{grantee}"),
            Some(json!({ "role": "admin" })),
            [401, 404, 403, 204, 403, 403, 204],
        ),
        ("DELETE", below(R, "/grants/{grantee}"), None, [401, 404, 403, 204, 403, 403, 204]),
        ("GET", below(R, "/manifests"), None, [401, 404, 200, 200, 200, 200, 200]),
        ("GET", below(R, "/history"), None, [401, 404, 200, 200, 200, 200, 200]),
        ("POST", below(R, "/tags/{tag}/restore"), Some(json!({})), [401, 403, 403, 404, 404, 403, 404]),
        ("GET", "/audit", None, [401, 403, 403, 403, 403, 403, 200]),
    ]
}

pub(crate) fn concrete(route: &str, scene: &Scene) -> String {
    let id = if route.contains("trusts") { &scene.trust_id } else { &scene.token_id };
    route
        .replace("{user}", "bob")
        .replace("{organisation}", "team")
        .replace("{account}", "team")
        .replace("{team}", "devs")
        .replace("{id}", id)
        .replace("{repository}", "team%2Fapp")
        .replace("{tag}", "v1")
        .replace("{grantee}", "user:bob")
}

#[tokio::test]
async fn everybody_may_do_what_the_table_says_and_what_is_refused_changes_nothing() {
    let scene = Scene::new().await;
    let shows = [
        Show::Nothing,
        scene.carol.clone(),
        scene.bob.clone(),
        scene.alice.clone(),
        scene.robot.clone(),
        scene.limited.clone(),
        scene.root.clone(),
    ];
    let mut wrong = Vec::new();
    for (method, route, body, expected) in rows() {
        for (show, expected) in shows.iter().zip(expected) {
            let world = scene.world().await;
            let before = world.settled().await;
            let path = concrete(route, &scene);
            let method: Method = method.parse().unwrap();
            let reply = world.client(show).send(method.clone(), &path, body.clone()).await;
            if reply.status.as_u16() != expected {
                wrong.push(format!(
                    "{method} {route} as {show:?}: {} not {expected}: {}",
                    reply.status, reply.text
                ));
            }
            let changes_nothing = expected >= 300 || method == Method::GET;
            if changes_nothing && before != world.settled().await {
                wrong.push(format!("{method} {route} as {show:?} changed something"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn every_route_is_in_the_table() {
    let world = Scene::new().await.world().await;
    let document = world.client(&Show::Nothing).get("/openapi.json").await.json();
    let described: BTreeSet<(String, String)> = operations(&document).collect();
    let in_table = rows().into_iter().map(|(method, route, ..)| (method.to_owned(), route.to_owned()));
    assert_eq!(in_table.collect::<BTreeSet<_>>(), described);
}

#[tokio::test]
async fn an_unknown_organisation_looks_like_one_of_others() {
    let scene = Scene::new().await;
    let client = scene.world().await.client(&scene.carol);
    for (known, unknown) in [
        ("/organisations/team", "/organisations/tean"),
        ("/organisations/team/members", "/organisations/tean/members"),
        ("/users/bob", "/users/bop"),
        ("/accounts/team/tokens", "/accounts/tean/tokens"),
        ("/repositories/team%2Fapp", "/repositories/team%2Fapq"),
        ("/repositories/team%2Fapp/manifests", "/repositories/team%2Fapq/manifests"),
        ("/repositories/team%2Fapp/history", "/repositories/team%2Fapq/history"),
    ] {
        let (known_reply, reply) = (client.get(known).await, client.get(unknown).await);
        let name = |path: &str| path.split('/').nth(2).unwrap().replace("%2F", "/");
        assert_eq!(known_reply.text.replace(&name(known), &name(unknown)), reply.text);
        assert_eq!(known_reply.headers, reply.headers);
    }
}

#[tokio::test]
async fn one_organisations_owner_has_no_say_in_another() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let carol = world.client(&scene.carol);
    carol.post("/organisations", json!({ "name": "guild" })).await.expect(201);
    carol.post("/repositories", json!({ "name": "guild/app" })).await.expect(201);
    let alice = world.client(&scene.alice);
    alice.put("/organisations/guild/members/alice", json!({ "role": "owner" })).await.expect(404);
    alice.delete("/accounts/guild/tokens/0123456789abcdef").await.expect(404);
    alice.delete("/repositories/guild%2Fapp").await.expect(404);
    // The token is of another account than the path says, and so is the trust.
    carol.delete(&format!("/accounts/guild/tokens/{}", scene.token_id)).await.expect(404);
    let root = world.client(&scene.root);
    root.delete(&format!("/accounts/guild/trusts/{}", scene.trust_id)).await.expect(404);
    // A team is a team of the organisation that the repository is of.
    carol.put("/repositories/guild%2Fapp/grants/team:devs", json!({ "role": "pull" })).await.expect(404);
}

#[tokio::test]
async fn an_access_token_manages_only_if_it_was_asked_for_without_scopes() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let root = Show::basic("root", PASSWORD);
    let scopeless = Show::Bearer(world.access_token(&root, "").await);
    let scoped = Show::Bearer(world.access_token(&root, "&scope=repository:team/app:pull").await);
    world.client(&scopeless).get("/users").await.expect(200);
    let reply = world.client(&scoped).get("/users").await.expect(403);
    assert!(reply.json()["detail"].as_str().unwrap().contains("scopes"), "{reply:?}");
    world.client(&scoped).get("/repositories").await.expect(403);
    world.clock.advance(std::time::Duration::from_secs(6 * 60));
    world.client(&scopeless).get("/users").await.expect(401);
    world.client(&scopeless).get("/me").await.expect(401);
}

#[tokio::test]
async fn wrong_credentials_are_refused_even_where_none_are_needed() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    for show in [
        Show::basic("alice", "wrong horse"),
        Show::basic("nobody", PASSWORD),
        Show::basic("bob", "slipway_pat_0"),
        Show::Bearer("x.y.z".to_owned()),
    ] {
        for path in ["/me", "/repositories", "/users"] {
            world.client(&show).get(path).await.expect(401);
        }
        world.client(&show).get("/openapi.json").await.expect(200);
    }
    for text in ["Digest a=b", "Basic !", "Basic YQ==", ""] {
        world.client(&Show::Raw(text.to_owned())).get("/me").await.expect(401);
    }
    let Show::Basic(_, token) = &scene.bob else { unreachable!() };
    world.client(&Show::basic("alice", token)).get("/me").await.expect(401);
}

#[tokio::test]
async fn a_disabled_or_deleted_user_is_nobody() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let (root, bob) = (world.client(&scene.root), world.client(&scene.bob));
    bob.get("/users/bob").await.expect(200);
    root.patch("/users/bob", json!({ "is_disabled": true })).await.expect(204);
    for show in [scene.bob.clone(), Show::basic("bob", PASSWORD)] {
        world.client(&show).get("/users/bob").await.expect(401);
    }
    assert_eq!(root.get("/users/bob").await.json()["is_disabled"], true);
    root.patch("/users/bob", json!({ "is_disabled": false })).await.expect(204);
    bob.get("/users/bob").await.expect(200);
    root.delete("/users/bob").await.expect(204);
    bob.get("/me").await.expect(401);
    root.get("/users/bob").await.expect(404);
    root.post("/users", user("bob")).await.expect(409);
}

#[tokio::test]
async fn credentials_that_may_do_everything_with_content_manage_nothing() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let alice = world.client(&scene.alice);
    let scopes = json!([{ "repositories": "team/*", "permissions": ["pull", "push", "delete"] }]);
    let mut shows = Vec::new();
    for (account, user, body) in [
        ("team", "team+all", json!({ "robot": "all", "scopes": scopes })),
        ("alice", "alice", json!({ "scopes": scopes })),
    ] {
        let made = alice.post(&format!("/accounts/{account}/tokens"), body).await;
        shows.push(Show::basic(user, made.expect(201).json()["token"].as_str().unwrap()));
    }
    const R: &str = "/repositories/team%2Fapp";
    for show in shows {
        let client = world.client(&show);
        client.get(R).await.expect(200);
        client.get(&format!("{R}/grants")).await.expect(403);
        client.put(&format!("{R}/grants/user:carol"), json!({ "role": "pull" })).await.expect(403);
        client.patch(R, json!({ "visibility": "public" })).await.expect(403);
        client.delete(R).await.expect(403);
    }
}
