//! A registry on stores in memory with some accounts, and clients that show who they are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use management::Management;
use registry::access::{
    Access, AccessOptions, Address, Caller, KeyRing, Limits, Permission, Role, Scope, TokenWanted,
    TrustWanted,
};
use registry::http::{Body, Service};
use registry::ports::{Abilities, Condition, Item, ItemScan, ItemStore, Key, Write};
use registry::records::{Grantee, OrganisationRole};
use registry::testing::{Hook, Hooked, MemoryItems, MemoryObjects, SeededRandom, SetClock};
use registry::{Lifetimes, Registry, Stores};
use serde_json::{Value, json};

/// A password that is strong enough.
pub(crate) const PASSWORD: &str = "correct horse battery";

const KEY: [u8; 32] = [7; 32];

/// Stores, and the API on them.
pub(crate) struct World {
    pub(crate) items: Arc<MemoryItems>,
    pub(crate) objects: Arc<MemoryObjects>,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) access: Access,
    pub(crate) management: Management,
    stores: Stores,
}

/// What a caller shows.
#[derive(Clone, Debug)]
pub(crate) enum Show {
    Nothing,
    Basic(String, String),
    Bearer(String),
    Raw(String),
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:#?}"))
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("{name} is missing: {self:#?}"));
        value.to_str().unwrap()
    }

    /// Returns the names in a page of a list.
    #[track_caller]
    pub(crate) fn names(&self, field: &str) -> Vec<String> {
        let page = self.json();
        let name = |entry: &Value| entry.get(field).unwrap_or(entry).as_str().unwrap().to_owned();
        page["items"].as_array().unwrap().iter().map(name).collect()
    }
}

impl World {
    /// Returns a registry without accounts, which is open until there is one if that is wanted.
    pub(crate) fn empty(is_open: bool) -> Self {
        Self::on(MemoryItems::default(), is_open, 5, Arc::new(|_| registry::testing::Outcome::Done))
    }

    /// Returns a registry on these items, whose calls the hook decides over; the seed makes its ids.
    fn on(items: MemoryItems, is_open: bool, seed: u64, hook: Arc<dyn Hook>) -> Self {
        let (items, objects) = (Arc::new(items), Arc::new(MemoryObjects::default()));
        let clock = Arc::new(SetClock::default());
        let stores = Stores {
            items: Arc::new(Hooked::new(Arc::clone(&items), Arc::clone(&hook))),
            objects: Arc::new(Hooked::new(Arc::clone(&objects), hook)),
            clock: Arc::clone(&clock) as _,
            random: Arc::new(SeededRandom::new(seed)),
            abilities: Abilities::default(),
        };
        let access = access(&stores, is_open);
        Self { items, objects, clock, management: Management::new(access.clone()), access, stores }
    }

    /// Returns the API of a process that has just started.
    pub(crate) fn restarted(&self) -> Management {
        Management::new(access(&self.stores, false))
    }

    /// Returns the stores, over whose calls nobody decides.
    pub(crate) fn calm(&self) -> Stores {
        let (items, objects) = (Arc::clone(&self.items) as _, Arc::clone(&self.objects) as _);
        Stores { items, objects, ..self.stores.clone() }
    }

    /// Returns what is stored.
    pub(crate) async fn stored(&self) -> Vec<Item> {
        self.items.scan(None, usize::MAX).await.unwrap()
    }

    /// Returns what is stored, but for the trace of requests that changed nothing.
    pub(crate) async fn settled(&self) -> BTreeMap<Key, String> {
        let is_trace = |item: &Item| {
            let record = &item.record;
            record.as_audit().is_some() || record.as_token().is_some() || record.as_bucket().is_some()
        };
        let items = self.stored().await;
        items
            .into_iter()
            .filter(|item| !is_trace(item))
            .map(|item| (item.key, format!("{:?}", item.record)))
            .collect()
    }

    /// Returns the API itself as seen by somebody who shows this.
    pub(crate) fn client(&self, show: &Show) -> Client {
        Client { management: self.management.clone(), show: show.clone() }
    }

    /// Returns an access token that was asked for with this query.
    pub(crate) async fn access_token(&self, show: &Show, query: &str) -> String {
        let request = Request::get(format!("/token?service=slipway{query}"));
        let request = show.on(request).body(full("")).unwrap();
        let response = Service::guarded(self.access.clone()).handle(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        let json = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice::<Value>(&json).unwrap()["token"].as_str().unwrap().to_owned()
    }
}

/// Returns the accounts of a process with these stores.
fn access(stores: &Stores, is_open: bool) -> Access {
    let registry = Registry::new(stores.clone(), Lifetimes::default());
    let options = AccessOptions {
        is_open_without_accounts: is_open,
        notes_use: true,
        deletes_within: Some(Duration::from_secs(20)),
        ..AccessOptions::default()
    };
    Access::new(registry, KeyRing::new("slipway", &KEY, &[]), options, None)
}

impl Show {
    pub(crate) fn basic(user: &str, secret: &str) -> Self {
        Self::Basic(user.to_owned(), secret.to_owned())
    }

    pub(crate) fn on(&self, request: http::request::Builder) -> http::request::Builder {
        match self {
            Self::Nothing => request,
            Self::Basic(user, secret) => {
                let encoded = BASE64_STANDARD.encode(format!("{user}:{secret}"));
                request.header("authorization", format!("Basic {encoded}"))
            }
            Self::Bearer(token) => request.header("authorization", format!("Bearer {token}")),
            Self::Raw(text) => request.header("authorization", text),
        }
    }
}

/// Sends requests, always showing the same.
#[derive(Clone)]
pub(crate) struct Client {
    management: Management,
    show: Show,
}

impl Client {
    /// Returns the same client, but it asks this process.
    pub(crate) fn of(&self, management: Management) -> Self {
        Self { management, show: self.show.clone() }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    /// Sends a request below the API's prefix, with a JSON body if there is one.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let media_type = body.as_ref().map(|_| "application/json");
        let text = body.map(|body| body.to_string()).unwrap_or_default();
        self.send_text(method, &format!("/api/v1{path}"), media_type, text).await
    }

    /// Sends a request with any body.
    pub(crate) async fn send_text(
        &self,
        method: Method,
        path: &str,
        media_type: Option<&str>,
        body: impl Into<Vec<u8>>,
    ) -> Reply {
        let headers: Vec<_> = media_type.map(|media_type| ("content-type", media_type)).into_iter().collect();
        self.send_body(method, path, &headers, full(body.into())).await
    }

    /// Sends a request with any headers and body. What is true of every answer is checked here.
    pub(crate) async fn send_body(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Reply {
        let mut request = self.show.on(Request::builder().method(method).uri(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(Address::new("192.0.2.7"));
        let (head, body) = self.management.handle(request).await.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
        let reply = Reply { status: head.status, headers: head.headers, text };
        check(&reply);
        reply
    }
}

pub(crate) fn full(bytes: impl Into<bytes::Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

fn check(reply: &Reply) {
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert!(reply.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert!(!reply.headers.keys().any(|name| name.as_str().starts_with("access-control-")), "{reply:#?}");
    assert!(reply.text.is_empty() || reply.header("content-type").ends_with("json"), "{reply:#?}");
    let status = reply.status.as_u16();
    assert_eq!(status == 401, reply.headers.contains_key("www-authenticate"), "{reply:#?}");
    if status == 401 {
        assert_eq!(reply.header("www-authenticate"), "Basic realm=\"slipway\"");
    }
    assert_eq!(matches!(status, 429 | 503), reply.headers.contains_key("retry-after"), "{reply:#?}");
    if status >= 400 && !reply.text.is_empty() {
        assert_eq!(reply.header("content-type"), "application/problem+json", "{reply:#?}");
        let problem = reply.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["title"], reply.status.canonical_reason().unwrap());
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{reply:#?}");
    }
}

/// A registry with accounts, whose items can be copied.
///
/// `root` is administrator. `alice` owns organisation `team`, `bob` is its member and in team `devs`, `carol` is a
/// stranger. `devs` and `bob` may pull from the private `team/app`. `team+ci` is a robot.
pub(crate) struct Scene {
    items: Vec<Item>,
    pub(crate) root: Show,
    pub(crate) alice: Show,
    pub(crate) bob: Show,
    pub(crate) carol: Show,
    pub(crate) robot: Show,
    /// alice with a token that may only pull.
    pub(crate) limited: Show,
    /// The id of the robot's token.
    pub(crate) token_id: String,
    /// The id of a trust of `team`.
    pub(crate) trust_id: String,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let world = World::empty(true);
        let access = &world.access;
        let (operator, everybody) = (access.for_operator(), Caller::everybody(Address::default()));
        for name in ["root", "alice", "bob", "carol"] {
            operator.user_create(&everybody, &name.parse().unwrap(), &PASSWORD.into(), false).await.unwrap();
        }
        let caller =
            async |name: &str| access.login(name, &PASSWORD.into(), &Address::default()).await.unwrap();
        let (root, alice) = (caller("root").await, caller("alice").await);
        let team = "team".parse().unwrap();
        access.organisation_create(&alice, &team).await.unwrap();
        let (bob, devs) = ("bob".parse().unwrap(), "devs".parse().unwrap());
        access.member_put(&alice, &team, &bob, OrganisationRole::Member).await.unwrap();
        access.team_put(&alice, &team, &devs, "who write it").await.unwrap();
        access.team_member_change(&alice, &team, &devs, &bob, true).await.unwrap();
        let app = "team/app".parse().unwrap();
        access.repository_create(&alice, &app, &Default::default()).await.unwrap();
        for grantee in [Grantee::User(bob), Grantee::Team(devs)] {
            access.grant_put(&alice, &app, &grantee, Role::Pull).await.unwrap();
        }
        let scopes = |permissions: &[Permission]| {
            let permissions = permissions.iter().copied().collect();
            Limits::Scopes(vec![Scope { repositories: "team/*".to_owned(), permissions }])
        };
        let token = async |owner: &str, caller: &Caller, robot: Option<&str>, limits: Limits| {
            let robot = robot.map(|name| name.parse().unwrap());
            let wanted = TokenWanted { robot, label: "test".to_owned(), limits, life: None };
            access.token_create(caller, &owner.parse().unwrap(), wanted).await.unwrap().1
        };
        let robot = token("team", &alice, Some("ci"), scopes(&[Permission::Pull, Permission::Push])).await;
        let limited = token("alice", &alice, None, scopes(&[Permission::Pull])).await;
        let mut personal = BTreeMap::new();
        for name in ["root", "alice", "bob", "carol"] {
            let secret = token(name, &caller(name).await, None, Limits::None).await;
            personal.insert(name, Show::basic(name, secret.reveal()));
        }
        let Limits::Scopes(pull) = scopes(&[Permission::Pull]) else { unreachable!() };
        let wanted = TrustWanted {
            issuer: "https://ci.example".to_owned(),
            audience: "slipway".to_owned(),
            claims: [("sub".to_owned(), "repo:team/*".to_owned())].into(),
            owner: team,
            robot: "ci".parse().unwrap(),
            scopes: pull,
        };
        let trust_id = access.trust_create(&root, wanted).await.unwrap().id;
        Self {
            items: world.stored().await,
            root: personal["root"].clone(),
            alice: personal["alice"].clone(),
            bob: personal["bob"].clone(),
            carol: personal["carol"].clone(),
            token_id: robot.id().to_owned(),
            robot: Show::basic("team+ci", robot.reveal()),
            limited: Show::basic("alice", limited.reveal()),
            trust_id,
        }
    }

    /// Returns a world of its own with all that.
    pub(crate) async fn world(&self) -> World {
        self.world_with(Arc::new(|_| registry::testing::Outcome::Done)).await
    }

    /// Returns such a world, whose calls the hook decides over.
    pub(crate) async fn world_with(&self, hook: Arc<dyn Hook>) -> World {
        let items = MemoryItems::default();
        for item in &self.items {
            items.transact(vec![Write::Put(item.clone(), Condition::Always)]).await.unwrap();
        }
        World::on(items, false, 6, hook)
    }
}

/// Returns a body that makes a user.
pub(crate) fn user(name: &str) -> Value {
    json!({ "name": name, "password": PASSWORD })
}
