//! Requests that nobody who means well sends to log in: none of them opens anything, breaks anything, or changes anything.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Method;
use serde_json::Value;
use test_support::access::{Ask, basic, bearer};

use super::hostile::{Loot, by_basic, by_form, by_header, loot};
use super::house::{House, PASSWORD, ask_token, bearer_of, field, login, name, root};
use super::matrix::InMemory;
use crate::client::{Client, Reply, broken_body, bytes_body};

/// Fails unless the answer refuses, shows nothing, and is no accident.
fn assert_refused(what: &str, reply: &Reply, statuses: &[u16]) {
    assert!(statuses.contains(&reply.status.as_u16()), "{what}: {reply:#?}");
    let body = String::from_utf8_lossy(&reply.body);
    assert!(
        !body.contains("token\":") && !body.contains("slipway_") && !body.contains("eyJ"),
        "{what}: {body}"
    );
    if reply.status == 401 {
        assert!(reply.headers.contains_key("www-authenticate"), "{what}: {reply:#?}");
    }
}

#[tokio::test]
async fn no_hostile_login_opens_or_breaks_or_changes_anything() {
    let house = House::new().await;
    let loot = loot(&house).await;
    let service = InMemory { client: house.client(), world: house.world };
    let before = service.stored().await;
    let client = &service.client;
    let mut count = 0;
    for (what, shown) in by_basic(&loot) {
        // So that each is looked at, and not only counted.
        service.turn(Duration::from_secs(60));
        assert_refused(&what, &client.showing(&shown).get("/token").await, &[401]);
        assert_refused(&what, &client.showing(&shown).get("/v2/").await, &[401]);
        count += 1;
    }
    let fresh = Loot { access_token: fresh_token(client, &loot.personal).await, ..loot };
    for (shown, statuses) in by_header(&fresh) {
        assert_refused(&shown, &client.showing(&shown).get("/token").await, &statuses);
        count += 1;
    }
    for (form, status) in by_form(&fresh) {
        assert_refused(&format!("{form:.120}"), &client.post("/token", form).await, &[status]);
        count += 1;
    }
    count += assert_other_requests_refused(client).await;
    assert_eq!(service.stored().await, before);
    println!("{count} hostile logins");
    assert!(count >= 40);
}

async fn fresh_token(client: &Client, personal: &str) -> String {
    bearer_of(client, &basic("alice", personal), &[]).await["Bearer ".len()..].to_owned()
}

async fn assert_other_requests_refused(client: &Client) -> usize {
    let shown = basic("alice", PASSWORD);
    let twice = [("authorization", shown.as_str()), ("authorization", shown.as_str())];
    assert_refused("twice", &client.get_with("/token", &twice).await, &[401]);
    let known = client.showing(&shown);
    let scopes: Vec<String> = (0..101).map(|number| format!("scope=repository:a/b{number}:pull")).collect();
    for query in ["offline_token=true&offline_token=true", "client_id=a&client_id=b", &scopes.join("&")] {
        assert_refused(query, &known.get(&format!("/token?{query}")).await, &[400]);
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let reply = known.send(method, "/token", &[], bytes_body("")).await;
        assert_refused("method", &reply, &[405]);
        assert_eq!(reply.header("allow"), "GET, HEAD, POST");
    }
    for path in ["/token/", "/token/x", "//token", "/Token", "/v2/token", "/v2/../token"] {
        assert_refused(path, &known.get(path).await, &[404]);
    }
    let broken = client.send(Method::POST, "/token", &[], broken_body("grant_type=pass")).await;
    assert_refused("broken", &broken, &[400]);
    15
}

/// Returns what the access token allows.
fn allowed(reply: &Reply) -> Value {
    let token = field(reply, "token");
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["access"].clone()
}

#[tokio::test]
async fn scopes_that_mean_nothing_give_nothing_and_spoil_nothing() {
    let house = House::new().await;
    let (client, shown) = (house.client(), house.all_in_team().await);
    let long = format!("repository:team/{}:pull", "x".repeat(10_000));
    for scope in [
        "",
        "repository",
        "repository:",
        "repository::pull",
        "repository:team/app",
        "repository:team/app:",
        "repository:team/app:fly",
        "repository:team/app:PULL",
        "repository:team/app:%20pull",
        "repository:team/app:pull:push",
        "repository:Team/App:pull",
        "repository:*:*",
        "repository:team/*:pull",
        "repository:team/../app:pull",
        "repository:/team/app:pull",
        "repository:other/app:pull",
        "repository(plugin):team/app:pull",
        "registry:other:*",
        "other:team/app:pull",
        ":::",
        "%00",
        "%F0%9F%92%A9",
        &long,
    ] {
        let reply = ask_token(&client, &shown, &format!("scope={scope}")).await.expect(200);
        assert_eq!(allowed(&reply), Value::Array(Vec::new()), "{scope}");
        let beside = format!("scope={scope}&scope=repository:team/app:pull");
        let reply = ask_token(&client, &shown, &beside).await.expect(200);
        assert_eq!(allowed(&reply)[0]["name"], "team/app", "{scope}");
    }
}

#[tokio::test]
async fn a_hundred_scopes_in_any_form_fit_into_one_token() {
    let house = House::new().await;
    let (client, shown) = (house.client(), house.all_in_team().await);
    let names: Vec<String> =
        (0..100).map(|number| format!("repository:team/app{number}:pull,push")).collect();
    for query in [format!("scope={}", names.join("&scope=")), format!("scope={}", names.join("+"))] {
        let reply = ask_token(&client, &shown, &query).await.expect(200);
        assert_eq!(allowed(&reply).as_array().unwrap().len(), 100);
        let bearer = client.showing(&bearer(&field(&reply, "token")));
        bearer.get("/v2/team/app7/tags/list").await.expect(404);
    }
}

#[tokio::test]
async fn a_password_may_have_colons_spaces_and_any_letters() {
    let house = House::new().await;
    for (user, password) in
        [("alice", "a:b::c-Harbour"), ("bob", "größe ✓ & =%41+x"), ("carol", " spaces around ")]
    {
        house.access.user_create(&root(), &name(user), &password.into(), false).await.unwrap();
        house.client().showing(&basic(user, password)).get("/token").await.expect(200);
        let form: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "password")
            .append_pair("username", user)
            .append_pair("password", password)
            .finish();
        house.client().post("/token", form).await.expect(200);
    }
}

#[tokio::test]
async fn a_kept_login_makes_no_other_login() {
    let house = House::new().await;
    let alice = house.user("alice").await;
    let client = house.client();
    let kept = field(&ask_token(&client, &alice, "offline_token=true").await.expect(200), "refresh_token");
    let form = format!("grant_type=refresh_token&refresh_token={kept}&access_type=offline");
    assert_eq!(field(&client.post("/token", form).await.expect(200), "refresh_token"), kept);
    client.showing(&basic("alice", &kept)).get("/token?offline_token=true").await.expect(401);
    let owner = login(&house.access, "alice").await;
    assert_eq!(house.access.token_list(&owner, &name("alice")).await.unwrap().len(), 1);
}
