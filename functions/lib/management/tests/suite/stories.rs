//! What succeeds, one resource after the other.

use std::time::Duration;

use serde_json::json;

use crate::world::{PASSWORD, Scene, Show, World, user};

#[tokio::test]
async fn the_first_user_of_an_open_registry_is_its_administrator_and_closes_it() {
    let world = World::empty(true);
    let anybody = world.client(&Show::Nothing);
    let me = anybody.get("/me").await.expect(200).json();
    let expected =
        json!({ "name": "anonymous", "kind": "everybody", "is_administrator": true, "organisations": [] });
    assert_eq!(me, expected);
    anybody.post("/repositories", json!({ "name": "left/behind" })).await.expect(201);
    let made = anybody.post("/users", user("alice")).await.expect(201);
    assert_eq!(made.header("location"), "/api/v1/users/alice");
    assert_eq!(made.json()["is_administrator"], true);
    anybody.post("/users", user("mallory")).await.expect(401);
    anybody.get("/users").await.expect(401);
    assert_eq!(anybody.get("/me").await.json()["kind"], "anonymous");
    let alice = world.client(&Show::basic("alice", PASSWORD));
    let me = alice.get("/me").await.json();
    assert_eq!(me, json!({ "name": "alice", "kind": "user", "is_administrator": true, "organisations": [] }));
    alice.post("/users", user("bob")).await.expect(201);
    assert_eq!(alice.get("/users/bob").await.json()["is_administrator"], false);
    alice.delete("/repositories/left%2Fbehind").await.expect(204);
}

#[tokio::test]
async fn a_registry_that_is_closed_from_the_start_makes_no_user_for_strangers() {
    let world = World::empty(false);
    world.client(&Show::Nothing).post("/users", user("alice")).await.expect(401);
    assert!(world.settled().await.is_empty());
}

#[tokio::test]
async fn everybody_learns_as_whom_they_are_known() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    for (show, name, kind, is_administrator, organisations) in [
        (&Show::Nothing, "anonymous", "anonymous", false, json!([])),
        (&scene.root, "root", "user", true, json!([])),
        (&scene.alice, "alice", "user", false, json!(["team"])),
        (&scene.limited, "alice", "user", false, json!([])),
        (&scene.robot, "team+ci", "robot", false, json!([])),
    ] {
        let me = world.client(show).get("/me").await.expect(200).json();
        let expected = json!({ "name": name, "kind": kind, "is_administrator": is_administrator,
            "organisations": organisations });
        assert_eq!(me, expected);
    }
}

#[tokio::test]
async fn a_user_is_made_changed_and_deleted() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let root = world.client(&scene.root);
    let body = json!({ "name": "dave", "password": PASSWORD, "is_administrator": true });
    let dave = root.post("/users", body).await.expect(201).json();
    let expected = json!({ "name": "dave", "is_administrator": true, "is_disabled": false,
        "default_visibility": "private", "created": "2026-09-21T14:13:20Z" });
    assert_eq!(dave, expected);
    let change = json!({ "is_administrator": false, "default_visibility": "public", "is_disabled": null });
    root.patch("/users/dave", change).await.expect(204);
    let dave = root.get("/users/dave").await.json();
    assert_eq!((&dave["is_administrator"], &dave["default_visibility"]), (&json!(false), &json!("public")));
    root.delete("/users/dave").await.expect(204);
    root.delete("/users/dave").await.expect(404);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_old_one() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let bearer = Show::Bearer(world.access_token(&Show::basic("bob", PASSWORD), "").await);
    let Show::Basic(_, token) = scene.bob.clone() else { unreachable!() };
    let change = |old: &str| json!({ "password": "another horse battery", "old_password": old });
    for show in [&scene.bob, &Show::basic("bob", PASSWORD), &bearer] {
        let bob = world.client(show);
        bob.patch("/users/bob", change("wrong horse")).await.expect(403);
        // The token is as good as the password for much, but not for this: who stole it would keep the account.
        bob.patch("/users/bob", change(&token)).await.expect(403);
        bob.patch("/users/bob", change("")).await.expect(422);
    }
    world.clock.advance(Duration::from_secs(2));
    world.client(&scene.bob).patch("/users/bob", change(PASSWORD)).await.expect(204);
    world.client(&Show::basic("bob", PASSWORD)).get("/me").await.expect(401);
    world.client(&Show::basic("bob", "another horse battery")).get("/me").await.expect(200);
    assert!(world.client(&bearer).get("/users/bob").await.status.is_client_error());
    // An administrator need not know it.
    let forgotten = json!({ "password": PASSWORD });
    world.client(&scene.root).patch("/users/bob", forgotten).await.expect(204);
    world.client(&Show::basic("bob", PASSWORD)).get("/me").await.expect(200);
}

#[tokio::test]
async fn an_organisation_with_members_and_teams_comes_and_goes() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let (root, carol) = (world.client(&scene.root), world.client(&scene.carol));
    let made = carol.post("/organisations", json!({ "name": "guild" })).await.expect(201);
    assert_eq!(made.header("location"), "/api/v1/organisations/guild");
    assert_eq!(carol.get("/organisations/guild").await.json(), made.json());
    carol.patch("/organisations/guild", json!({ "default_visibility": "public" })).await.expect(204);
    carol.patch("/organisations/guild", json!({})).await.expect(204);
    assert_eq!(carol.get("/organisations/guild").await.json()["default_visibility"], "public");
    carol.put("/organisations/guild/members/bob", json!({ "role": "member" })).await.expect(204);
    carol.put("/organisations/guild/teams/ops", json!({})).await.expect(204);
    carol.put("/organisations/guild/teams/ops", json!({ "description": "who run it" })).await.expect(204);
    let teams = carol.get("/organisations/guild/teams").await.json();
    assert_eq!(teams, json!({ "items": [{ "name": "ops", "description": "who run it" }] }));
    for _ in 0..2 {
        carol.send(http::Method::PUT, "/organisations/guild/teams/ops/members/bob", None).await.expect(204);
    }
    let bob = &carol.get("/organisations/guild/members").await.json()["items"][0];
    let expected = json!({
        "name": "bob", "role": "member", "teams": ["ops"], "since": "2026-09-21T14:13:20Z", "is_unasked": false
    });
    assert_eq!(bob, &expected);
    carol.delete("/organisations/guild/teams/ops/members/bob").await.expect(204);
    carol.delete("/organisations/guild/members/carol").await.expect(409);
    carol.put("/organisations/guild/members/bob", json!({ "role": "owner" })).await.expect(204);
    assert_eq!(carol.get("/organisations/guild/members").await.json()["items"][0]["is_unasked"], true);
    carol.delete("/organisations/guild/members/carol").await.expect(409);
    let agrees = world.client(&scene.bob);
    agrees.put("/organisations/guild/members/bob", json!({ "role": "owner" })).await.expect(204);
    assert_eq!(carol.get("/organisations/guild/members").await.json()["items"][0]["is_unasked"], false);
    carol.delete("/organisations/guild/members/carol").await.expect(204);
    carol.get("/organisations/guild").await.expect(404);
    assert_eq!(
        world.client(&scene.bob).get("/users/bob/organisations").await.names("name"),
        ["guild", "team"]
    );
    root.delete("/users/guild").await.expect(404);
    root.delete("/organisations/guild").await.expect(204);
    root.get("/organisations/guild").await.expect(404);
    assert_eq!(root.get("/users/bob/organisations").await.names("name"), ["team"]);
}

#[tokio::test]
async fn a_repository_is_made_changed_and_deleted() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let (alice, nobody) = (world.client(&scene.alice), world.client(&Show::Nothing));
    let tags = json!({ "patterns": ["v*"], "except": ["v0*"] });
    let body = json!({ "name": "team/web", "visibility": "public", "description": "the site", "immutable_tags": tags });
    let made = alice.post("/repositories", body).await.expect(201);
    assert_eq!(made.header("location"), "/api/v1/repositories/team%2Fweb");
    let mut web = made.json();
    assert_eq!(web.as_object_mut().unwrap().remove("role"), Some(json!("admin")));
    let expected = json!({ "name": "team/web", "visibility": "public", "description": "the site",
        "immutable_tags": tags, "created": "2026-09-21T14:13:20Z" });
    assert_eq!(web, expected);
    assert_eq!(nobody.get("/repositories").await.json(), json!({ "items": [expected] }));
    assert_eq!(nobody.get("/repositories/team%2Fweb").await.json()["role"], "pull");
    // As gateways pass it on.
    nobody.get("/repositories/team/web").await.expect(200);
    alice.patch("/repositories/team/web", json!({ "visibility": "private" })).await.expect(204);
    nobody.get("/repositories/team%2Fweb").await.expect(401);
    let web = alice.get("/repositories/team%2Fweb").await.json();
    assert_eq!((&web["visibility"], &web["description"]), (&json!("private"), &json!("the site")));
    alice.delete("/repositories/team%2Fweb").await.expect(204);
    alice.get("/repositories/team%2Fweb").await.expect(404);
}

#[tokio::test]
async fn grants_are_given_and_taken() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let (alice, carol) = (world.client(&scene.alice), world.client(&scene.carol));
    carol.get("/repositories/team%2Fapp").await.expect(404);
    alice.put("/repositories/team%2Fapp/grants/user:carol", json!({ "role": "push" })).await.expect(204);
    assert_eq!(carol.get("/repositories/team%2Fapp").await.expect(200).json()["role"], "push");
    let grants = alice.get("/repositories/team%2Fapp/grants").await.json();
    let expected = json!({ "items": [{ "grantee": "team:devs", "role": "pull" },
        { "grantee": "user:bob", "role": "pull" }, { "grantee": "user:carol", "role": "push" }] });
    assert_eq!(grants, expected);
    alice.delete("/repositories/team%2Fapp/grants/user%3Acarol").await.expect(204);
    carol.get("/repositories/team%2Fapp").await.expect(404);
}

#[tokio::test]
async fn trusts_are_made_listed_and_deleted() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let root = world.client(&scene.root);
    let body = json!({ "issuer": "https://ci.example", "audience": "registry.example", "robot": "ci",
        "claims": { "repository_id": "7" }, "scopes": [{ "repositories": "team/*", "permissions": ["pull", "push"] }] });
    let made = root.post("/accounts/team/trusts", body.clone()).await.expect(201);
    let trust = made.json();
    let id = trust["id"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("/api/v1/accounts/team/trusts/{id}"));
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(&trust[field], value);
    }
    assert_eq!(trust["created_by"], "root");
    assert!(root.get("/accounts/team/trusts").await.json()["items"].as_array().unwrap().contains(&trust));
    root.delete(&format!("/accounts/team/trusts/{id}")).await.expect(204);
    assert_eq!(root.get("/accounts/team/trusts").await.names("id"), [scene.trust_id.as_str()]);
}

#[tokio::test]
async fn the_audit_log_says_who_did_what_from_where() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let root = world.client(&scene.root);
    world.clock.advance(Duration::from_secs(1));
    root.post("/users", user("dave")).await.expect(201);
    let entry = root.get("/audit?limit=1").await.json()["items"][0].clone();
    let told = ["actor", "address", "action", "target", "outcome", "detail"]
        .map(|field| entry[field].as_str().unwrap());
    assert_eq!(told, ["root", "192.0.2.7", "user.create", "dave", "done", ""]);
    assert_eq!(entry["at"], "2026-09-21T14:13:21Z");
    world.clock.advance(Duration::from_secs(1));
    world.client(&scene.bob).patch("/repositories/team%2Fapp", json!({})).await.expect(403);
    let entry = root.get("/audit?limit=1").await.json()["items"][0].clone();
    assert_eq!((&entry["actor"], &entry["outcome"]), (&json!("bob"), &json!("refused")));
}
