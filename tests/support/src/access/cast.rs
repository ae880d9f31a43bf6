//! The accounts, credentials and repositories that the table is about.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use registry::access::{Access, Credential, Limits, TokenWanted};
use serde_json::{Value, json};

use super::ask::{Answer, Ask, basic, bearer};
use super::stage::{PASSWORD, Stage, login, name};
use super::table::{Place, Role, State, Way};
use crate::content::sha256;

/// The first administrator, who prepares what others do.
pub const OPERATOR: &str = "admin";

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// How many sessions of its own an expired role has in each place.
const SESSIONS: usize = 5;

/// Everybody, with what they show.
pub struct Cast {
    shown: HashMap<(Role, Way), String>,
    operator: String,
    /// The sessions that the expired role began in time, by place.
    pub(super) sessions: HashMap<Place, Vec<String>>,
    /// A session of the operator in each place, by the repository's name.
    pub(super) others_sessions: HashMap<String, String>,
    pub(super) image: Bytes,
    pub(super) config: Bytes,
}

impl Cast {
    /// Makes everybody and everything, on a registry that has no accounts yet.
    pub async fn make(access: &Access, service: &impl Ask) -> Self {
        access.first_administrator_create(&PASSWORD.into()).await.unwrap();
        let stage = Stage { access, admin: login(access, OPERATOR).await };
        stage.accounts().await;
        stage.repositories().await;
        let wanted = TokenWanted { robot: None, label: String::new(), limits: Limits::None, life: None };
        let (_, operator) = access.token_create(&stage.admin, &name(OPERATOR), wanted).await.unwrap();
        let config = Bytes::from_static(b"{\"the config of\":\"the cast\"}");
        let mut cast = Self {
            shown: HashMap::new(),
            operator: basic(OPERATOR, operator.reveal()),
            sessions: HashMap::new(),
            others_sessions: HashMap::new(),
            image: image(&config),
            config,
        };
        cast.content(service).await;
        let mut credentials = Vec::new();
        for role in Role::all().filter(|role| *role != Role::Anonymous) {
            let credential = stage.token(role).await;
            cast.show(role, Way::Basic, basic(&role.user(), credential.reveal()));
            cast.show(role, Way::Password, basic(&role.user(), PASSWORD));
            credentials.push((role, credential));
        }
        cast.expire(service).await;
        cast.end(&stage, service, &credentials).await;
        cast
    }

    fn show(&mut self, role: Role, way: Way, authorization: String) {
        self.shown.insert((role, way), authorization);
    }

    /// Returns the `Authorization` that the role shows in this way; `None` if it cannot.
    pub fn shown(&self, role: Role, way: Way) -> Option<&str> {
        self.shown.get(&(role, way)).map(String::as_str)
    }

    async fn content(&mut self, service: &impl Ask) {
        for place in [Place::Opened, Place::Hidden, Place::Board] {
            let repository = place.name(Role::Anonymous);
            self.blob(service, &repository, &self.config).await;
            self.manifest(service, &repository, "v1", MANIFEST, &self.image).await;
        }
        for role in Role::all() {
            for place in Place::ALL.into_iter().filter(|place| role.words(*place).is_some()) {
                let repository = place.name(role);
                let location = self.begin(service, &repository, &self.operator).await;
                self.others_sessions.insert(repository, location);
            }
        }
    }

    /// The expired role begins its uploads in time, and then its time is over.
    async fn expire(&mut self, service: &impl Ask) {
        // By the password: the stored token ends for good.
        let authorization = self.broad_token(service, Role::Expired, Way::Password).await;
        for place in Place::ALL.into_iter().filter(|place| Role::Expired.may(*place, "push")) {
            let mut sessions = Vec::new();
            for _ in 0..SESSIONS {
                sessions.push(self.begin(service, &place.name(Role::Expired), &authorization).await);
            }
            self.sessions.insert(place, sessions);
        }
        if service.turn(Duration::from_secs(5 * 60 + 1)) {
            self.show(Role::Expired, Way::Bearer, authorization);
        } else {
            println!("skipped: the expired role, because the clock of this service cannot be turned");
            self.shown.remove(&(Role::Expired, Way::Basic));
        }
    }

    /// Some get their access tokens, and then lose what they were made with.
    async fn end(&mut self, stage: &Stage<'_>, service: &impl Ask, credentials: &[(Role, Credential)]) {
        for (role, credential) in credentials.iter().filter(|(role, _)| role.state() == State::Void) {
            let authorization = self.broad_token(service, *role, Way::Basic).await;
            self.show(*role, Way::Bearer, authorization);
            stage.end(*role, credential).await;
        }
        const SEEN_EVERYWHERE: Duration = Duration::from_secs(5);
        if !service.turn(SEEN_EVERYWHERE) {
            std::thread::sleep(SEEN_EVERYWHERE);
        }
    }

    /// Returns an access token for whatever the role may have in any place.
    async fn broad_token(&self, service: &impl Ask, role: Role, way: Way) -> String {
        let scope = |place: Place| format!("scope=repository:{}:pull,push,delete", place.name(role));
        let catalog = "scope=registry:catalog:*".to_owned();
        let scopes: Vec<String> = Place::ALL.map(scope).into_iter().chain([catalog]).collect();
        let basic = self.shown(role, way);
        bearer(&token(service, basic, &scopes.join("&")).await.unwrap())
    }

    /// Stores a blob as the operator, and returns its digest.
    pub(super) async fn blob(&self, service: &impl Ask, repository: &str, bytes: &Bytes) -> String {
        let digest = sha256(bytes);
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let answer = send(service, Method::POST, &path, Some(&self.operator), None, bytes.clone()).await;
        assert_eq!(answer.status(), 201, "{answer:?}");
        digest
    }

    /// Stores an index of nothing as the operator, and returns its digest.
    pub(super) async fn index(&self, service: &impl Ask, repository: &str, tag: &str) -> String {
        let bytes = index(tag);
        self.manifest(service, repository, tag, INDEX, &bytes).await;
        sha256(&bytes)
    }

    async fn manifest(
        &self,
        service: &impl Ask,
        repository: &str,
        tag: &str,
        media_type: &str,
        bytes: &Bytes,
    ) {
        let path = format!("/v2/{repository}/manifests/{tag}");
        let shown = Some(self.operator.as_str());
        let answer =
            send(service, Method::PUT, &path, shown, Some(("content-type", media_type)), bytes.clone()).await;
        assert_eq!(answer.status(), 201, "{answer:?}");
    }

    /// Begins an upload, and returns its path.
    pub(super) async fn begin(&self, service: &impl Ask, repository: &str, authorization: &str) -> String {
        let path = format!("/v2/{repository}/blobs/uploads/");
        let answer = send(service, Method::POST, &path, Some(authorization), None, Bytes::new()).await;
        assert_eq!(answer.status(), 202, "{answer:?}");
        let location = answer.headers().get("location").unwrap().to_str().unwrap();
        location[location.find("/v2/").unwrap()..].split('?').next().unwrap().to_owned()
    }
}

/// Returns an image of one blob and no layers.
fn image(config: &Bytes) -> Bytes {
    let config = json!({
        "mediaType": "application/vnd.oci.image.config.v1+json", "digest": sha256(config), "size": config.len(),
    });
    json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [] }).to_string().into()
}

/// Returns an index that lists nothing, different for each text.
pub(super) fn index(text: &str) -> Bytes {
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": { "of": text } })
        .to_string()
        .into()
}

/// Asks for an access token.
pub(super) async fn token(service: &impl Ask, authorization: Option<&str>, query: &str) -> Option<String> {
    let answer =
        send(service, Method::GET, &format!("/token?{query}"), authorization, None, Bytes::new()).await;
    let body: Value = serde_json::from_slice(answer.body()).ok()?;
    Some(body.get("token")?.as_str()?.to_owned())
}

pub(super) async fn send(
    service: &impl Ask,
    method: Method,
    path: &str,
    authorization: Option<&str>,
    header: Option<(&str, &str)>,
    body: Bytes,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in authorization.map(|shown| ("authorization", shown)).into_iter().chain(header) {
        request = request.header(name, value);
    }
    service.ask(request.body(body).unwrap()).await
}
