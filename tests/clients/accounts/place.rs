//! A registry with accounts, and its management.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use cloud::{Cloud, CloudOptions};
use reqwest::Method;
use reqwest::blocking::Client;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use test_support::content::sha256;
use test_support::server::Server;

use crate::cloud::deploy;

/// Tests that run at the same time share one of each; the last that ends takes it down.
static ON_ONE_MACHINE: Mutex<Weak<Place>> = Mutex::new(Weak::new());
static DEPLOYED: Mutex<Weak<Place>> = Mutex::new(Weak::new());

/// Who logs in, and with what.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) name: String,
    pub(super) secret: String,
}

impl Login {
    fn new(name: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { name: name.into(), secret: secret.into() }
    }
}

/// The registry, and who manages it.
pub(super) struct Place {
    registry: Registry,
    administrator: Login,
    http: Client,
    users: AtomicUsize,
}

enum Registry {
    OneMachine(Server),
    Deployed(Box<Cloud>),
}

/// Returns a server with accounts.
pub(super) fn on_one_machine(_test: &str) -> Option<Arc<Place>> {
    shared(&ON_ONE_MACHINE, || {
        let administrator = Login::new("admin", "a password of this test alone");
        let mut file = NamedTempFile::new().unwrap();
        writeln!(file, "{}", administrator.secret).unwrap();
        let binary = Path::new(env!("CARGO_BIN_EXE_slipway"));
        let options = ["--auth", "--admin-password-file", file.path().to_str().unwrap()];
        Some(Place::new(Registry::OneMachine(Server::start_with(binary, &options)), administrator))
    })
}

/// Returns the stack with the edge, or prints why not.
pub(super) fn deployed(test: &str) -> Option<Arc<Place>> {
    shared(&DEPLOYED, || {
        let cloud = deploy(test, &CloudOptions::default())?;
        let administrator = Login::new("admin", cloud.first_password());
        Some(Place::new(Registry::Deployed(Box::new(cloud)), administrator))
    })
}

fn shared(place: &Mutex<Weak<Place>>, start: impl FnOnce() -> Option<Place>) -> Option<Arc<Place>> {
    let mut held = place.lock().unwrap();
    if let Some(place) = held.upgrade() {
        return Some(place);
    }
    let place = Arc::new(start()?);
    *held = Arc::downgrade(&place);
    Some(place)
}

impl Place {
    fn new(registry: Registry, administrator: Login) -> Self {
        let http = Client::builder().no_proxy().build().unwrap();
        let place = Self { registry, administrator, http, users: AtomicUsize::new(1) };
        // On AWS the first login makes the first account, and only the function that makes tokens can.
        let login = place.http.get(format!("http://{}/token", place.address()));
        let answer = login.basic_auth(&place.administrator.name, Some(&place.administrator.secret)).send();
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().unwrap());
        place
    }

    /// Returns `<host>:<port>`.
    pub(super) fn address(&self) -> String {
        match &self.registry {
            Registry::OneMachine(server) => server.address().to_owned(),
            Registry::Deployed(cloud) => cloud.address(),
        }
    }

    /// Makes a user whom no other test has, with a password.
    pub(super) fn user(&self, name: &str) -> Login {
        let name = format!("{name}-{}", self.users.fetch_add(1, Ordering::Relaxed));
        // A password's strength is judged, so this one is long.
        let password = &sha256(name.as_bytes())["sha256:".len()..][..24];
        self.ask(&self.administrator, &Method::POST, "users", &json!({ "name": name, "password": password }));
        Login::new(name, password)
    }

    /// Makes a personal token of a user.
    pub(super) fn personal_token(&self, user: &Login) -> Login {
        Login::new(&user.name, self.token(user, &user.name, &json!({ "label": "test" })))
    }

    /// Makes a robot of the user, which may push and pull where the pattern says.
    pub(super) fn robot(&self, user: &Login, name: &str, repositories: &str) -> Login {
        let scope = json!({ "repositories": repositories, "permissions": ["pull", "push"] });
        let wanted = json!({ "label": "test", "robot": name, "scopes": [scope] });
        Login::new(format!("{}+{name}", user.name), self.token(&self.administrator, &user.name, &wanted))
    }

    /// Lets everybody pull from a repository.
    pub(super) fn make_public(&self, repository: &str) {
        let path = format!("repositories/{}", repository.replace('/', "%2F"));
        self.ask(&self.administrator, &Method::PATCH, &path, &json!({ "visibility": "public" }));
    }

    /// Checks that nothing has failed so far.
    pub(super) fn assert_sound(&self) {
        if let Registry::Deployed(cloud) = &self.registry {
            assert!(cloud.failures().is_empty(), "{:?}", cloud.failures());
            let violations = &cloud.edge_counts().unwrap()["guardViolations"];
            assert_eq!(violations, &json!([]), "S3 would refuse this");
        }
    }

    fn token(&self, asking: &Login, account: &str, wanted: &Value) -> String {
        let made = self.ask(asking, &Method::POST, &format!("accounts/{account}/tokens"), wanted);
        made["token"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }

    fn ask(&self, asking: &Login, method: &Method, path: &str, body: &Value) -> Value {
        let url = format!("http://{}/api/v1/{path}", self.address());
        let request = self.http.request(method.clone(), url).basic_auth(&asking.name, Some(&asking.secret));
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().unwrap();
        let (status, text) = (answer.status(), answer.text().unwrap());
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }
}
