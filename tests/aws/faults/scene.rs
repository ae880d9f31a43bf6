//! Accounts, and functions that ask for them.

use api::{Function, Role};
use http::Method;
use serde_json::{Value, json};
use test_support::access::{OPERATOR, PASSWORD, basic};

use crate::client::{Client, Reply, answered, event};
use crate::content::{Content, Things};
use crate::world::{World, ended_by_lambda};

/// What a client sends to a function, and its answer without faults.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) shown: Option<String>,
    pub(crate) body: Option<(&'static str, String)>,
    pub(crate) status: u16,
    /// Whether it comes before there is any account.
    pub(crate) is_first: bool,
}

/// A registry with accounts in it.
///
/// `admin` is administrator, and owns the organisations `team` and `guild`; the latter has nothing. `bob` is a member of
/// `team` and in its team `devs`. Both may pull from `team/app`, whose tag `v1` was moved. `team+ci` is a robot.
pub(crate) struct Scene {
    pub(crate) world: World,
    /// What `admin` shows: a personal token.
    pub(crate) admin: String,
    pub(crate) robot: String,
    /// The id of the robot's token.
    pub(crate) token: String,
    /// The id of a trust of `team`.
    pub(crate) trust: String,
    /// What a login of `admin` left.
    pub(crate) refresh: String,
    /// A time when all that was there.
    pub(crate) since: String,
    /// Where `v1` pointed before.
    pub(crate) before: String,
}

impl Request {
    pub(crate) fn new(method: Method, target: impl Into<String>, status: u16) -> Self {
        Self { method, target: target.into(), shown: None, body: None, status, is_first: false }
    }

    pub(crate) fn showing(self, shown: &str) -> Self {
        Self { shown: Some(shown.to_owned()), ..self }
    }

    pub(crate) fn with_json(self, body: Option<&Value>) -> Self {
        Self { body: body.map(|body| ("application/json", body.to_string())), ..self }
    }

    pub(crate) fn with_form(self, form: String) -> Self {
        Self { body: Some(("application/x-www-form-urlencoded", form)), ..self }
    }

    pub(crate) fn first(self) -> Self {
        Self { is_first: true, ..self }
    }

    /// Returns the role of the function that answers.
    pub(crate) fn role(&self) -> Role {
        Role::of(&self.method, self.path())
    }

    /// Returns whether it deletes a user or an organisation.
    pub(crate) fn ends_account(&self) -> bool {
        let is_account = |kind: &str| self.path().strip_prefix(kind).is_some_and(|name| !name.contains('/'));
        self.method == Method::DELETE
            && ["/api/v1/users/", "/api/v1/organisations/"].into_iter().any(is_account)
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// Sends it.
    pub(crate) async fn send(&self, world: &World, function: &Function) -> Reply {
        let (media_type, body) = self.body.clone().unwrap_or(("application/octet-stream", String::new()));
        let content = Content { bytes: body.into(), digest: String::new(), media_type };
        let mut event = event(&self.method, &self.target, &content);
        if let Some(shown) = &self.shown {
            event["headers"]["authorization"] = json!(shown);
        }
        answered(function.clone(), event, ended_by_lambda(&world.layer.clock)).await
    }
}

impl Scene {
    pub(crate) async fn new(world: World, things: &Things) -> Self {
        let first = basic(OPERATOR, PASSWORD);
        let login = Request::new(Method::GET, "/token?offline_token=true", 200).showing(&first);
        let refresh = text(&asked(&world, &login).await, "refresh_token");
        let made = managed(&world, &first, "POST", "/accounts/admin/tokens", json!({})).await;
        let admin = basic(OPERATOR, &text(&made, "token"));
        let (robot, token, trust, since) = Default::default();
        let before = things.old.digest.clone();
        let mut scene = Self { world, admin, refresh, robot, token, trust, since, before };
        scene.populate(things).await;
        scene
    }

    async fn populate(&mut self, things: &Things) {
        let scopes = json!([{ "repositories": "team/*", "permissions": ["pull", "push"] }]);
        for (method, path, body) in [
            ("POST", "/users", json!({ "name": "bob", "password": PASSWORD })),
            ("POST", "/organisations", json!({ "name": "team" })),
            ("POST", "/organisations", json!({ "name": "guild" })),
            ("PUT", "/organisations/team/members/bob", json!({ "role": "member" })),
            ("PUT", "/organisations/team/teams/devs", json!({})),
            ("PUT", "/organisations/team/teams/devs/members/bob", json!({})),
            ("POST", "/repositories", json!({ "name": "team/app" })),
            ("PUT", "/repositories/team%2Fapp/grants/user:bob", json!({ "role": "pull" })),
            ("PUT", "/repositories/team%2Fapp/grants/team:devs", json!({ "role": "pull" })),
        ] {
            managed(&self.world, &self.admin, method, path, body).await;
        }
        let robot = json!({ "robot": "ci", "scopes": scopes });
        let robot = managed(&self.world, &self.admin, "POST", "/accounts/team/tokens", robot).await;
        self.robot = basic("team+ci", &text(&robot, "token"));
        self.token = text(&robot, "id");
        let trust = managed(&self.world, &self.admin, "POST", "/accounts/team/trusts", trust()).await;
        self.trust = text(&trust, "id");
        self.since = text(&trust, "created");
        let client = Client(self.world.settled());
        client.post_blob("team/app", &things.config).await.expect(201);
        for manifest in [&things.old, &things.new] {
            client.put_manifest("team/app", "v1", manifest).await.expect(201);
        }
    }
}

/// Returns what makes a trust.
pub(crate) fn trust() -> Value {
    json!({
        "issuer": "https://ci.example", "audience": "slipway", "claims": { "sub": "x" }, "robot": "ci",
        "scopes": [{ "repositories": "team/*", "permissions": ["pull"] }],
    })
}

/// Asks a function that has just started and never fails.
pub(crate) async fn asked(world: &World, request: &Request) -> Value {
    let function = world.guarded(&world.direct, request.role()).await;
    let reply = request.send(world, &function).await;
    assert!((200..300).contains(&reply.status), "{request:?}: {reply:?}");
    serde_json::from_slice(&reply.body).unwrap_or_default()
}

async fn managed(world: &World, shown: &str, method: &str, path: &str, body: Value) -> Value {
    let request = Request::new(method.parse().unwrap(), format!("/api/v1{path}"), 200);
    asked(world, &request.showing(shown).with_json(Some(&body))).await
}

fn text(answer: &Value, field: &str) -> String {
    answer[field].as_str().unwrap_or_else(|| panic!("no {field}: {answer}")).to_owned()
}
