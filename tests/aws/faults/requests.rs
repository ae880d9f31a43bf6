//! What is asked of functions that have accounts.

use http::Method;
use serde_json::{Value, json};
use test_support::access::{OPERATOR, PASSWORD, basic};

use crate::scene::{Request, Scene, trust};

/// Method and route, a body, and the answer's status.
pub(crate) type Row = (&'static str, &'static str, Option<Value>, u16);

const ORGANISATION: &str = "/organisations/{organisation}";
const MEMBER: &str = "/organisations/{organisation}/members/{user}";
const TEAM: &str = "/organisations/{organisation}/teams/{team}";
const TEAM_MEMBER: &str = "/organisations/{organisation}/teams/{team}/members/{user}";
const TOKENS: &str = "/accounts/{account}/tokens";
const TRUSTS: &str = "/accounts/{account}/trusts";
const REPOSITORY: &str = "/repositories/{repository}";
const GRANT: &str = "/repositories/{repository}/grants/{grantee}";

/// Every operation of the management API. A tag is put back to the digest `before`: to where it was last would be another
/// place the second time.
pub(crate) fn rows(before: &str) -> Vec<Row> {
    let visibility = || Some(json!({ "default_visibility": "public" }));
    let role = |role: &str| Some(json!({ "role": role }));
    let robot = json!({ "robot": "cd", "scopes": [{ "repositories": "team/*", "permissions": ["pull"] }] });
    vec![
        ("GET", "/openapi.json", None, 200),
        ("GET", "/me", None, 200),
        ("GET", "/users", None, 200),
        ("POST", "/users", Some(json!({ "name": "dave", "password": PASSWORD })), 201),
        ("GET", "/users/{user}", None, 200),
        ("PATCH", "/users/{user}", visibility(), 204),
        ("DELETE", "/users/{user}", None, 204),
        ("GET", "/users/{user}/organisations", None, 200),
        ("GET", "/organisations", None, 200),
        ("POST", "/organisations", Some(json!({ "name": "club" })), 201),
        ("GET", ORGANISATION, None, 200),
        ("PATCH", ORGANISATION, visibility(), 204),
        ("DELETE", ORGANISATION, None, 204),
        ("GET", "/organisations/{organisation}/members", None, 200),
        ("PUT", MEMBER, role("owner"), 204),
        ("DELETE", MEMBER, None, 204),
        ("GET", "/organisations/{organisation}/teams", None, 200),
        ("PUT", TEAM, Some(json!({ "description": "who write it" })), 204),
        ("DELETE", TEAM, None, 204),
        ("PUT", TEAM_MEMBER, None, 204),
        ("DELETE", TEAM_MEMBER, None, 204),
        ("GET", TOKENS, None, 200),
        ("POST", TOKENS, Some(robot), 201),
        ("DELETE", "/accounts/{account}/tokens/{id}", None, 204),
        ("GET", TRUSTS, None, 200),
        ("POST", TRUSTS, Some(trust()), 201),
        ("DELETE", "/accounts/{account}/trusts/{id}", None, 204),
        ("GET", "/repositories", None, 200),
        ("POST", "/repositories", Some(json!({ "name": "team/new" })), 201),
        ("GET", REPOSITORY, None, 200),
        ("PATCH", REPOSITORY, Some(json!({ "description": "# What it is" })), 204),
        ("DELETE", REPOSITORY, None, 204),
        ("GET", "/repositories/{repository}/grants", None, 200),
        ("PUT", GRANT, role("admin"), 204),
        ("DELETE", GRANT, None, 204),
        ("GET", "/repositories/{repository}/manifests", None, 200),
        ("GET", "/repositories/{repository}/history", None, 200),
        ("POST", "/repositories/{repository}/tags/{tag}/restore", Some(json!({ "digest": before })), 200),
        ("GET", "/audit", None, 200),
    ]
}

/// Returns the path of a row, with what the scene has.
fn path(scene: &Scene, method: &str, route: &str) -> String {
    // One that has members and repositories is not deleted.
    let organisation = if (method, route) == ("DELETE", ORGANISATION) { "guild" } else { "team" };
    let id = if route.starts_with(TRUSTS) { &scene.trust } else { &scene.token };
    // Every day is a query.
    let query = if route == "/audit" { format!("?since={}", scene.since) } else { String::new() };
    // Somebody who is not in the team yet.
    let user = if (method, route) == ("PUT", TEAM_MEMBER) { OPERATOR } else { "bob" };
    let path = route
        .replace("{organisation}", organisation)
        .replace("{user}", user)
        .replace("{account}", "team")
        .replace("{team}", "devs")
        .replace("{id}", id)
        .replace("{repository}", "team%2Fapp")
        .replace("{grantee}", "user:bob")
        .replace("{tag}", "v1");
    format!("/api/v1{path}{query}")
}

/// Every way to ask for a token.
fn logins(scene: &Scene) -> Vec<Request> {
    const SCOPE: &str = "scope=repository:team/app:pull,push";
    let get = |query: &str, shown: &str, status| {
        Request::new(Method::GET, format!("/token?{SCOPE}{query}"), status).showing(shown)
    };
    let post = |form: String| Request::new(Method::POST, "/token", 200).with_form(format!("{form}&{SCOPE}"));
    vec![
        Request::new(Method::GET, format!("/token?{SCOPE}"), 200),
        get("", &basic(OPERATOR, PASSWORD), 200).first(),
        get("", &basic(OPERATOR, PASSWORD), 200),
        get("", &basic(OPERATOR, "a wrong password"), 401),
        get("&offline_token=true&client_id=tests", &basic(OPERATOR, PASSWORD), 200),
        get("", &scene.admin, 200),
        get("", &scene.robot, 200),
        post(format!("grant_type=password&username={OPERATOR}&password={PASSWORD}&access_type=offline")),
        post(format!("grant_type=refresh_token&refresh_token={}", scene.refresh)),
    ]
}

/// Every login, and every operation of the management API.
pub(crate) fn requests(scene: &Scene) -> Vec<Request> {
    let managed = rows(&scene.before).into_iter().map(|(method, route, body, status)| {
        let request = Request::new(method.parse().unwrap(), path(scene, method, route), status);
        request.showing(&scene.admin).with_json(body.as_ref())
    });
    logins(scene).into_iter().chain(managed).collect()
}
