//! What makes no sense is refused, with a sentence that says why.

use http::Method;
use serde_json::{Value, json};

use crate::world::{Reply, Scene, Show};

const JSON: Option<&str> = Some("application/json");

#[track_caller]
fn assert_says(reply: &Reply, words: &str) {
    let problem = reply.json();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(words), "{detail:?} does not say {words:?}");
    assert!(!detail.contains("target type"), "{detail:?}");
}

#[tokio::test]
async fn bodies_that_make_no_sense_are_refused() {
    let scene = Scene::new().await;
    let client = scene.world().await.client(&scene.root);
    let scope = json!({ "repositories": "team/*", "permissions": ["pull"] });
    let trust = |change: Value| {
        let mut body = json!({ "issuer": "https://ci.example", "audience": "x", "claims": { "sub": "x" },
            "robot": "ci", "scopes": [scope] });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    let robot = |change: Value| {
        let mut body = json!({ "robot": "ci", "scopes": [scope] });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    let strong = "correct horse battery";
    let many_scopes = vec![scope.clone(); 51];
    for (method, path, body, status, words) in [
        ("POST", "/users", json!({}), 422, "missing field `name`"),
        ("POST", "/users", json!(["dave", "correct horse battery", true]), 422, "expected an object"),
        ("POST", "/users", json!("dave"), 422, "invalid type"),
        ("POST", "/users", json!({ "name": "dave" }), 422, "missing field `password`"),
        (
            "POST",
            "/users",
            json!({ "name": "dave", "password": strong, "admin": true }),
            422,
            "unknown field `admin`",
        ),
        ("POST", "/users", json!({ "name": "Dave", "password": strong }), 422, "is no name"),
        ("POST", "/users", json!({ "name": 5, "password": strong }), 422, "name: invalid type"),
        ("POST", "/users", json!({ "name": "dave", "password": "short" }), 422, "less than 8"),
        ("POST", "/users", json!({ "name": "dave", "password": "password1" }), 422, "easy to guess"),
        (
            "POST",
            "/users",
            json!({ "name": "dave", "password": 12345678 }),
            422,
            "password: a text is expected",
        ),
        ("POST", "/users", json!({ "name": "dave", "password": null }), 422, "password: a text is expected"),
        (
            "POST",
            "/users",
            json!({ "name": "dave", "password": strong, "is_administrator": "yes" }),
            422,
            "boolean",
        ),
        ("POST", "/users", json!({ "name": "alice", "password": strong }), 409, "taken"),
        ("POST", "/users", json!({ "name": "team", "password": strong }), 409, "taken"),
        ("PATCH", "/users/bob", json!({ "default_visibility": "secret" }), 422, "unknown variant `secret`"),
        ("PATCH", "/users/bob", json!({ "name": "rob" }), 422, "unknown field `name`"),
        ("PATCH", "/users/root", json!({ "is_administrator": false }), 409, "another administrator"),
        ("PATCH", "/users/root", json!({ "password": strong }), 422, "old password"),
        ("PATCH", "/users/team", json!({ "is_disabled": true }), 404, "user team is unknown"),
        ("POST", "/organisations", json!({ "name": "a" }), 422, "is no name"),
        ("POST", "/organisations", json!({ "name": "carol" }), 409, "taken"),
        (
            "PATCH",
            "/organisations/bob",
            json!({ "default_visibility": "public" }),
            404,
            "organisation bob is unknown",
        ),
        ("PUT", "/organisations/team/members/bob", json!({ "role": "boss" }), 422, "unknown variant `boss`"),
        ("PUT", "/organisations/team/members/dave", json!({ "role": "member" }), 404, "user dave is unknown"),
        ("PUT", "/organisations/team/members/alice", json!({ "role": "member" }), 409, "only owner"),
        ("PUT", "/organisations/team/teams/devs", json!({ "description": "a\nb" }), 422, "one line"),
        (
            "PUT",
            "/organisations/team/teams/devs",
            json!({ "description": "x".repeat(201) }),
            422,
            "200 characters",
        ),
        ("PUT", "/organisations/team/teams/D", json!({}), 422, "is no name"),
        ("POST", "/accounts/team/tokens", json!({ "robot": "ci" }), 422, "a robot needs scopes"),
        ("POST", "/accounts/team/tokens", robot(json!({ "scopes": [] })), 422, "1 to 50 scopes"),
        ("POST", "/accounts/team/tokens", robot(json!({ "scopes": many_scopes })), 422, "1 to 50 scopes"),
        ("POST", "/accounts/team/tokens", robot(json!({ "expires_in_days": 366 })), 422, "a year"),
        ("POST", "/accounts/team/tokens", robot(json!({ "expires_in_days": 0 })), 422, "nonzero"),
        ("POST", "/accounts/team/tokens", robot(json!({ "expires_in_days": -1 })), 422, "expires_in_days"),
        (
            "POST",
            "/accounts/team/tokens",
            robot(json!({ "expires_in_days": 4294967296_u64 })),
            422,
            "expires_in_days",
        ),
        ("POST", "/accounts/team/tokens", robot(json!({ "label": "x".repeat(101) })), 422, "100 characters"),
        ("POST", "/accounts/team/tokens", robot(json!({ "label": "a\u{0}b" })), 422, "control"),
        (
            "POST",
            "/accounts/team/tokens",
            robot(json!({ "scopes": [{ "repositories": "UP", "permissions": ["pull"] }] })),
            422,
            "no repository's name",
        ),
        (
            "POST",
            "/accounts/team/tokens",
            robot(json!({ "scopes": [{ "repositories": "team/*", "permissions": ["rule"] }] })),
            422,
            "scopes[0].permissions[0]: unknown variant `rule`",
        ),
        (
            "POST",
            "/accounts/team/tokens",
            robot(json!({ "scopes": [["team/*", ["pull"]]] })),
            422,
            "scopes[0]: invalid type: sequence, expected an object",
        ),
        (
            "POST",
            "/accounts/team/tokens",
            robot(json!({ "scopes": [{ "repositories": "team/*", "permissions": [] }] })),
            422,
            "permits nothing",
        ),
        ("POST", "/accounts/team/tokens", json!({ "label": "mine" }), 403, "their owners alone"),
        ("POST", "/accounts/team/trusts", trust(json!({ "claims": {} })), 422, "at least one claim"),
        (
            "POST",
            "/accounts/team/trusts",
            trust(json!({ "claims": { "sub": "*" } })),
            422,
            "at least one claim",
        ),
        ("POST", "/accounts/team/trusts", trust(json!({ "issuer": "ftp://x" })), 422, "https://"),
        ("POST", "/accounts/team/trusts", trust(json!({ "audience": "" })), 422, "audience"),
        (
            "POST",
            "/accounts/team/trusts",
            trust(json!({ "claims": { "n": 5 } })),
            422,
            "claims.n: invalid type",
        ),
        ("POST", "/accounts/nobody/trusts", trust(json!({})), 404, "account nobody is unknown"),
        ("POST", "/repositories", json!({ "name": "Team/app" }), 422, "name"),
        ("POST", "/repositories", json!({ "name": "team/app" }), 409, "exists"),
        (
            "POST",
            "/repositories",
            json!({ "name": "team/x", "visibility": "open" }),
            422,
            "unknown variant `open`",
        ),
        ("PATCH", "/repositories/team%2Fapp", json!({ "name": "team/other" }), 409, "push to the new name"),
        ("PATCH", "/repositories/team%2Fapp", json!({ "namespace": null }), 409, "push to the new name"),
        ("PATCH", "/repositories/team%2Fapp", json!({ "description": "\u{7}" }), 422, "one line"),
        (
            "PATCH",
            "/repositories/team%2Fapp",
            json!({ "immutable_tags": { "patterns": ["/"] } }),
            422,
            "patterns of tags",
        ),
        (
            "PATCH",
            "/repositories/team%2Fnone",
            json!({ "description": "" }),
            404,
            "repository team/none is unknown",
        ),
        (
            "PUT",
            "/repositories/team%2Fapp/grants/user:bob",
            json!({ "role": "owner" }),
            422,
            "unknown variant `owner`",
        ),
        (
            "PUT",
            "/repositories/team%2Fapp/grants/user:dave",
            json!({ "role": "pull" }),
            404,
            "user:dave is unknown",
        ),
        ("PUT", "/repositories/team%2Fapp/grants/robot:ci", json!({ "role": "pull" }), 422, "is no name"),
    ] {
        let reply = client.send(method.parse().unwrap(), path, Some(body.clone())).await;
        assert_eq!(reply.status.as_u16(), status, "{method} {path} {body}: {}", reply.text);
        assert_says(&reply, words);
    }
}

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let scene = Scene::new().await;
    let client = scene.world().await.client(&scene.root);
    let send = async |media_type: Option<&str>, body: Vec<u8>| {
        client.send_text(Method::POST, "/api/v1/users", media_type, body).await
    };
    let good = br#"{"name":"dave","password":"correct horse battery"}"#.to_vec();
    for body in [
        b"".to_vec(),
        b"{".to_vec(),
        b"{\"name\":\"dave\",\"password\":\"\xff\"}".to_vec(),
        [&good[..], b"x"].concat(),
        b"{\"name\":\"\\ud800\"}".to_vec(),
    ] {
        let reply = send(JSON, body.clone()).await;
        assert_eq!(reply.status.as_u16(), 400, "{} {}", String::from_utf8_lossy(&body), reply.text);
    }
    let deep = format!("{{\"name\":{}", "[".repeat(10_000));
    send(JSON, deep.clone().into_bytes()).await.expect(422);
    // The one field whose value is skipped.
    let reply = client.send_text(Method::PATCH, "/api/v1/repositories/team%2Fapp", JSON, deep).await;
    assert_says(&reply.expect(400), "EOF");
    let twice = br#"{"name":"dave","name":"dive","password":"correct horse battery"}"#;
    assert_says(&send(JSON, twice.to_vec()).await.expect(422), "duplicate field `name`");
    for media_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("")] {
        send(media_type, good.clone()).await.expect(415);
    }
    let long = |length: usize| format!("{{\"name\":\"dave\"{}}}", " ".repeat(length - 15)).into_bytes();
    send(JSON, long(64 * 1024)).await.expect(422);
    send(JSON, long(64 * 1024 + 1)).await.expect(413);
    send(JSON, vec![b' '; 3_000_000]).await.expect(413);
    send(Some("application/json; charset=utf-8"), good).await.expect(201);
}

#[tokio::test]
async fn queries_that_make_no_sense_are_refused() {
    let scene = Scene::new().await;
    let client = scene.world().await.client(&scene.root);
    let long = format!("/users?after={}", "x".repeat(901));
    for (path, status, words) in [
        ("/users?limit=0", 400, "1 to 1000"),
        ("/users?limit=1001", 400, "1 to 1000"),
        ("/users?limit=-1", 400, "limit"),
        ("/users?limit=ten", 400, "limit"),
        ("/users?limit=", 400, "limit"),
        ("/users?limit=99999999999999999999", 400, "limit"),
        ("/users?limit=1&limit=2", 400, "duplicate field `limit`"),
        ("/users?page=2", 400, "unknown field `page`"),
        (long.as_str(), 400, "900 bytes"),
        ("/users?after=%FF%00", 200, ""),
        ("/users?after=", 200, ""),
        ("/repositories?namespace=A", 400, "is no name"),
        ("/repositories?namespace=nobody", 200, ""),
        ("/audit?before=yesterday", 422, "no place in the log"),
        ("/audit?after=x", 400, "unknown field `after`"),
        ("/audit?outcome=maybe", 400, "expected one of `done`, `refused`, `begun`"),
        ("/audit?since=yesterday", 400, "a time is written like 2026-01-31T12:00:00Z"),
        ("/audit?until=1969-12-31T23:59:59Z", 400, "not before 1970"),
        ("/audit?since=2026-01-31T12:00:00Z&until=2026-01-31T12:00:00%2B01:00&actor=", 200, ""),
    ] {
        let reply = client.get(path).await;
        assert_eq!(reply.status.as_u16(), status, "{path}: {}", reply.text);
        if status != 200 {
            assert_says(&reply, words);
        }
    }
}

#[tokio::test]
async fn paths_that_name_nothing_are_refused() {
    let scene = Scene::new().await;
    let client = scene.world().await.client(&scene.root);
    for (path, status) in [
        ("/users/Bob", 422),
        ("/users/b", 422),
        ("/users/%FF", 400),
        ("/users/a%2Fb", 422),
        ("/users/dave", 404),
        ("/users/", 404),
        ("/users/bob/", 404),
        ("/users/team", 404),
        ("/organisations/bob", 404),
        ("/organisations/team/members/", 404),
        ("/accounts/none/tokens", 404),
        ("/repositories/team%2F", 422),
        ("/repositories/UP", 422),
        ("/repositories/%00", 422),
        ("/nothing", 404),
        ("", 404),
        ("/", 404),
    ] {
        let reply = client.get(path).await;
        assert_eq!(reply.status.as_u16(), status, "{path}: {}", reply.text);
    }
    let long = "x".repeat(101);
    for (path, status) in [
        ("/accounts/team/tokens/none", 404),
        ("/accounts/team/tokens/a%23b", 422),
        (&format!("/accounts/team/tokens/{long}"), 422),
        ("/accounts/team/trusts/none", 404),
        ("/accounts/team/trusts/a.b.c", 404),
        ("/organisations/team/teams/none", 404),
        ("/organisations/team/members/carol", 404),
        ("/repositories/team%2Fapp/grants/user:carol", 404),
        ("/repositories/team%2Fapp/grants/bob", 422),
    ] {
        let reply = client.delete(path).await;
        assert_eq!(reply.status.as_u16(), status, "{path}: {}", reply.text);
    }
    let nobody = scene.world().await.client(&Show::Nothing);
    for path in ["/api", "/api/v2/users", "/", "/v2/", "//api/v1/users", "/api/v1/users/../users"] {
        nobody.send_text(Method::GET, path, None, "").await.expect(404);
    }
    nobody.send(Method::OPTIONS, "/users", None).await.expect(405);
}
