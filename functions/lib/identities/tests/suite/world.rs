//! A registry on stores in memory that trusts issuers on this machine, and clients that log in as docker does.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use oci::{Algorithm, Digest};
use registry::access::{
    Access, AccessError, AccessOptions, Address, Caller, KeyRing, Permissions, Role, Scope, Trust,
    TrustWanted,
};
use registry::http::Service;
use registry::ports::Abilities;
use registry::testing::{MemoryItems, MemoryObjects, SeededRandom};
use registry::{Lifetimes, Registry, Stores};
use serde_json::{Value, json};

use crate::asking::Asker;
use crate::issuer::LocalIssuer;
use crate::replies::Reply;
use crate::signer::Signer;

/// The audience of every token, and the name of the registry.
pub(crate) const HOST: &str = "registry.test";

/// A registry, an issuer, and the issuer's key.
pub(crate) struct World {
    pub(crate) asker: Asker,
    pub(crate) issuer: LocalIssuer,
    pub(crate) signer: Signer,
    pub(crate) access: Access,
    pub(crate) items: Arc<MemoryItems>,
    service: Service,
}

impl World {
    /// Returns a registry with the organisation `team`, which trusts nobody yet.
    pub(crate) async fn new() -> Self {
        let (asker, signer) = (Asker::new(), Signer::p384("a"));
        let issuer = LocalIssuer::start(&[&signer]).await;
        let items = Arc::new(MemoryItems::default());
        let stores = Stores {
            items: Arc::clone(&items) as _,
            objects: Arc::new(MemoryObjects::default()),
            clock: Arc::clone(&asker.clock) as _,
            random: Arc::new(SeededRandom::new(7)),
            abilities: Abilities::default(),
        };
        let registry = Registry::new(stores, Lifetimes::default());
        let keys = KeyRing::new(HOST, &[7; 32], &[]);
        let issuers = Some(Arc::clone(&asker.issuers) as _);
        let access = Access::new(registry, keys, AccessOptions::default(), issuers);
        access.first_administrator_create(&"plum-Harbour-94-kettle".into()).await.unwrap();
        access.organisation_create(&administrator(), &"team".parse().unwrap()).await.unwrap();
        let service = Service::guarded(access.clone());
        Self { asker, issuer, signer, access, items, service }
    }

    /// Returns a registry whose robot `team+ci` may push to `team/*` for whom the issuer calls `somebody`.
    pub(crate) async fn trusting() -> Self {
        let world = Self::new().await;
        world.trust(&[("sub", "somebody")]).await.unwrap();
        world
    }

    /// Trusts tokens with these claims as the robot `team+ci`.
    pub(crate) async fn trust(&self, claims: &[(&str, &str)]) -> Result<Trust, AccessError> {
        self.trust_as("ci", Role::Push.permissions(), claims).await
    }

    /// Trusts tokens with these claims as this robot.
    pub(crate) async fn trust_as(
        &self,
        robot: &str,
        permissions: Permissions,
        claims: &[(&str, &str)],
    ) -> Result<Trust, AccessError> {
        let wanted = TrustWanted {
            issuer: self.issuer.url.clone(),
            audience: HOST.to_owned(),
            claims: claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            owner: "team".parse().unwrap(),
            robot: robot.parse().unwrap(),
            scopes: vec![Scope { repositories: "team/*".to_owned(), permissions }],
        };
        self.access.trust_create(&administrator(), wanted).await
    }

    /// Takes a trust back.
    pub(crate) async fn revoke(&self, trust: &Trust) {
        let owner = "team".parse().unwrap();
        self.access.trust_delete(&administrator(), &owner, &trust.id).await.unwrap();
    }

    /// Returns a fresh token of the issuer about `somebody`, with further claims.
    pub(crate) fn identity_token(&self, further: &Value) -> String {
        self.signer.token(&self.asker.claims(&self.issuer, further))
    }

    /// Logs in as `docker login` does: with any name, asking for a refresh token.
    pub(crate) async fn login(&self, identity_token: &str) -> Reply {
        self.login_as("anybody", identity_token).await
    }

    /// Logs in under this name.
    pub(crate) async fn login_as(&self, user: &str, identity_token: &str) -> Reply {
        let basic = BASE64_STANDARD.encode(format!("{user}:{identity_token}"));
        let path = format!("/token?service={HOST}&client_id=docker&offline_token=true&account={user}");
        self.send(Method::GET, &path, &[(header::AUTHORIZATION, &format!("Basic {basic}"))], "").await
    }

    /// Renews a login for pushes to the repository, as docker does with what it kept.
    pub(crate) async fn renew(&self, refresh_token: &str, repository: &str) -> Reply {
        let fields: BTreeMap<&str, String> = BTreeMap::from([
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", refresh_token.to_owned()),
            ("service", HOST.to_owned()),
            ("client_id", "docker".to_owned()),
            ("scope", format!("repository:{repository}:pull,push")),
        ]);
        let form: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let kind = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(Method::POST, "/token", &[kind], form.join("&")).await
    }

    /// Begins an upload.
    pub(crate) async fn begin(&self, token: &str, repository: &str) -> Reply {
        let path = format!("/v2/{repository}/blobs/uploads/");
        self.send_bearing(token, Method::POST, &path, "").await
    }

    /// Pushes a blob, and a manifest that has nothing else under the tag `latest`.
    pub(crate) async fn push(&self, token: &str, repository: &str) -> Reply {
        let blob = Bytes::from_static(b"{}");
        let digest = digest_of(&blob);
        let begun = self.begin(token, repository).await.expect(202);
        let path = format!("{}?digest={digest}", begun.location());
        self.send_bearing(token, Method::PUT, &path, blob).await.expect(201);
        let descriptor =
            json!({"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest, "size": 2});
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor, "layers": [descriptor],
        });
        let path = format!("/v2/{repository}/manifests/latest");
        let bearer = format!("Bearer {token}");
        let headers = [
            (header::AUTHORIZATION, bearer.as_str()),
            (header::CONTENT_TYPE, "application/vnd.oci.image.manifest.v1+json"),
        ];
        self.send(Method::PUT, &path, &headers, manifest.to_string()).await
    }

    /// Sends a request with an access token.
    pub(crate) async fn send_bearing(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Reply {
        let bearer = format!("Bearer {token}");
        self.send(method, path, &[(header::AUTHORIZATION, bearer.as_str())], body).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(header::HeaderName, &str)],
        body: impl Into<Bytes>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let body = Full::new(body.into()).map_err(|never| match never {}).boxed_unsync();
        let response = self.service.handle(request.body(body).unwrap()).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Reply { status: head.status, headers: head.headers, body }
    }
}

/// Whoever manages the registry: how administrators log in is not what is tested here.
pub(crate) fn administrator() -> Caller {
    Caller::everybody(Address::default())
}

fn digest_of(bytes: &[u8]) -> Digest {
    let mut hasher = oci::Hasher::new(Algorithm::Sha256);
    hasher.update(bytes);
    hasher.finish()
}
