//! What is asked: every route of the API, as the table of rights has them all, and some with more than one outcome again.

use std::fmt;

use http::{Method, Request};
use oci::{Algorithm, Digest};
use registry::http::Service;
use serde_json::{Value, json};

use crate::content::{index, push};
use crate::rights::{concrete, rows};
use crate::world::{Client, PASSWORD, Reply, Scene, World, full};

/// A request of the administrator.
pub(super) struct Case {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// What it is answered without faults.
    pub(super) status: u16,
}

impl Case {
    fn of(method: &str, path: &str, body: Option<Value>, status: u16) -> Self {
        Self { method: method.parse().unwrap(), path: path.to_owned(), body, status }
    }

    pub(super) async fn ask(&self, client: &Client) -> Reply {
        client.send(self.method.clone(), &self.path, self.body.clone()).await
    }

    /// Asks again unless what was asked for can be seen, as a client does that was told of a failure.
    pub(super) async fn repeat(&self, client: &Client) {
        if self.is_undo() && is_undone(client).await {
            return;
        }
        let reply = self.ask(client).await;
        let is_there_or_gone = if self.method == Method::POST { 409 } else { 404 };
        let status = reply.status.as_u16();
        assert!(status == self.status || status == is_there_or_gone, "the repeated request: {reply:#?}");
    }

    /// Returns whether it puts a tag back by one move, wherever that leads: twice is once there and back.
    fn is_undo(&self) -> bool {
        self.path.ends_with("/restore") && self.body == Some(json!({}))
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        write!(f, "{} {} {body}", self.method, self.path)
    }
}

/// The log of the tests' day: days without entries are asked for one by one.
const AUDIT: &str = "/audit?since=2026-09-20T00:00:00Z";

const REPOSITORY: &str = "/repositories/team%2Fapp";

/// Returns a request for every route, and more for those that write other items with another body.
pub(super) fn all(scene: &Scene) -> Vec<Case> {
    let every = rows().into_iter().map(|(method, route, body, [.., root])| {
        // A tag that has a history is put back.
        let status = if route.ends_with("/restore") { 200 } else { root };
        Case::of(method, &concrete(route, scene).replace("/audit", AUDIT), body, status)
    });
    every.chain(more()).collect()
}

fn more() -> Vec<Case> {
    let scopes = json!([{ "repositories": "*", "permissions": ["pull"] }]);
    let below = |rest: &str| format!("{REPOSITORY}/{rest}");
    vec![
        Case::of("PATCH", "/users/bob", Some(json!({ "password": format!("{PASSWORD}!") })), 204),
        Case::of("PATCH", "/users/bob", Some(json!({ "is_disabled": true })), 204),
        Case::of("DELETE", "/users/carol", None, 204),
        Case::of("DELETE", "/organisations/empty", None, 204),
        Case::of("PUT", "/organisations/team/members/carol", Some(json!({ "role": "member" })), 204),
        Case::of("PUT", "/organisations/team/teams/ops", Some(json!({ "description": "new" })), 204),
        Case::of("PUT", "/organisations/team/teams/devs/members/alice", None, 204),
        Case::of("POST", "/accounts/root/tokens", Some(json!({ "label": "all", "scopes": scopes })), 201),
        Case::of("PATCH", REPOSITORY, Some(json!({ "immutable_tags": { "patterns": ["v*"] } })), 204),
        Case::of("PUT", &below("grants/team:devs"), Some(json!({ "role": "push" })), 204),
        Case::of("DELETE", &below("grants/team:devs"), None, 204),
        Case::of("PUT", &below("grants/user:carol"), Some(json!({ "role": "pull" })), 204),
        Case::of("POST", &below("tags/v1/restore"), Some(json!({ "digest": digest(&index("old")) })), 200),
    ]
}

fn digest(bytes: &str) -> String {
    Digest::of(Algorithm::Sha256, bytes.as_bytes()).to_string()
}

/// Makes what the requests need: a tag that was moved, a blob that no manifest needs, and an organisation without anything.
pub(super) async fn prepare(world: &World, scene: &Scene) {
    push(world, &scene.alice, "team/app", "old").await;
    push(world, &scene.alice, "team/app", "new").await;
    let post = Request::post(format!("/v2/team/app/blobs/uploads/?digest={}", digest("loose")));
    let post = scene.alice.on(post).body(full("loose")).unwrap();
    assert_eq!(Service::guarded(world.access.clone()).handle(post).await.status(), 201);
    let root = world.client(&scene.root);
    root.post("/organisations", json!({ "name": "empty" })).await.expect(201);
}

/// Returns whether the tag points where it pointed before.
async fn is_undone(client: &Client) -> bool {
    let history = client.get(&format!("{REPOSITORY}/history?tag=v1")).await.expect(200).json();
    history["items"].as_array().unwrap().len() > 1
}
