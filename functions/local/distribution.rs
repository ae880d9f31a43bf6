//! A registry's content, as commands that copy it ask for it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use oci::limits::MANIFEST_MAX_BYTES;
use oci::{Digest, RepositoryName};
use registry::http::Body;
use serde_json::Value;

use crate::api::segment;
use crate::client::payload::Payload;
use crate::connection::{Connection, refusal};
use crate::content::next_path;
use crate::patience::Patience;
use crate::transfer::Order;

/// What manifests there are.
const MANIFEST_TYPES: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";

/// The longest list that is read at once.
const LIST_MAX_BYTES: usize = 16 << 20;

/// How often a registry is asked again that cannot answer now.
const ATTEMPTS: u32 = 8;

/// How long one waits that says nothing about it.
const PAUSE: Duration = Duration::from_secs(2);

/// The longest that it may say.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// A manifest, and what it was served as.
pub(crate) struct Served {
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
}

/// A registry that is copied from or to.
pub(crate) struct Distribution {
    connection: Connection,
    patience: Patience,
    /// Whether it has settings beside its content.
    pub(crate) has_management: bool,
}

impl Distribution {
    /// Asks by a connection. Registries of others have content, and no management.
    pub(crate) async fn new(connection: Connection) -> Result<Self> {
        let me = connection.order(Order::new(Method::GET, format!("{}/me", management::PREFIX))).await?;
        let has_management = me.status() != StatusCode::NOT_FOUND;
        Ok(Self { connection, patience: Patience::default(), has_management })
    }

    /// Sends a request, again if the registry asks for that.
    async fn send(&self, order: impl Fn() -> Result<Order>) -> Result<Response<Body>> {
        for attempt in 1.. {
            let response = self.connection.order(order()?).await?;
            let is_busy =
                matches!(response.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
            if !is_busy || attempt == ATTEMPTS {
                return Ok(response);
            }
            tokio::time::sleep(pause(response.headers())).await;
        }
        bail!("it was never asked")
    }

    /// Sends a request that changes nothing, again if the connection failed.
    async fn ask(&self, order: impl Fn() -> Order) -> Result<Response<Bytes>> {
        self.patience.read(|| async { whole(self.send(|| Ok(order())).await?).await }).await
    }

    /// Sends a request that may change something; a refusal becomes an error.
    async fn tell(&self, order: impl Fn() -> Result<Order>) -> Result<Response<Bytes>> {
        success(whole(self.send(order).await?).await?)
    }

    /// Returns what is at a path; `None` if there is nothing.
    pub(crate) async fn json(&self, path: &str) -> Result<Option<Value>> {
        Ok(self.page(path).await?.map(|(value, _)| value))
    }

    async fn page(&self, path: &str) -> Result<Option<(Value, HeaderMap)>> {
        let response = self.ask(|| Order::new(Method::GET, path)).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let response = success(response)?;
        Ok(Some((
            serde_json::from_slice(response.body()).context("the answer")?,
            response.into_parts().0.headers,
        )))
    }

    /// Changes something in the management.
    pub(crate) async fn manage(&self, method: Method, path: &str, body: &Value) -> Result<()> {
        let bytes = Bytes::from(serde_json::to_vec(body)?);
        let target = format!("{}{path}", management::PREFIX);
        let order = || {
            Order::new(method.clone(), target.clone()).with("application/json", Payload::Whole(bytes.clone()))
        };
        self.tell(order).await.map(drop)
    }

    /// Returns a whole list of the management; `None` if there is none, or it is not for everybody.
    pub(crate) async fn managed_list(&self, path: &str) -> Result<Option<Vec<Value>>> {
        let (mut entries, mut after) = (Vec::new(), String::new());
        loop {
            let target = format!("{}{path}?limit=1000{after}", management::PREFIX);
            let response = self.ask(|| Order::new(Method::GET, target.clone())).await?;
            if matches!(
                response.status(),
                StatusCode::NOT_FOUND | StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED
            ) {
                return Ok(None);
            }
            let mut page: Value = serde_json::from_slice(success(response)?.body())?;
            if let Value::Array(items) = page["items"].take() {
                entries.extend(items);
            }
            let Some(next) = page["next"].as_str() else { return Ok(Some(entries)) };
            after = format!("&after={}", segment(next));
        }
    }

    /// Returns the repositories that one may see.
    pub(crate) async fn repositories(&self) -> Result<Vec<RepositoryName>> {
        let names = match self.has_management {
            true => self
                .managed_list("/repositories")
                .await?
                .map(|mut items| items.iter_mut().map(|item| item["name"].take()).collect()),
            false => self.list("/v2/_catalog", "repositories").await?,
        };
        let names = names.context("the registry does not list its repositories: name them")?;
        names.iter().filter_map(Value::as_str).map(|name| Ok(name.parse()?)).collect()
    }

    /// Returns the tags of a repository, which has to be there.
    pub(crate) async fn tags(&self, name: &RepositoryName) -> Result<Vec<String>> {
        let tags = self.list(&format!("/v2/{name}/tags/list"), "tags").await?;
        let tags = tags.with_context(|| format!("the registry knows no repository {name}"))?;
        Ok(tags.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Returns a whole list; `None` if there is none. One that ends with a page that is not there is not whole.
    async fn list(&self, path: &str, field: &str) -> Result<Option<Vec<Value>>> {
        let Some(mut read) = self.page(path).await? else { return Ok(None) };
        let mut entries = Vec::new();
        loop {
            let (page, headers) = &mut read;
            if let Value::Array(some) = page[field].take() {
                entries.extend(some);
            }
            let link = headers.get(header::LINK).and_then(|link| link.to_str().ok());
            let Some(next) = link.and_then(next_path) else { return Ok(Some(entries)) };
            read = self.page(&next).await?.with_context(|| format!("there is no page {next}"))?;
        }
    }

    /// Returns the digests of what refers to a manifest; none where a registry does not list it.
    pub(crate) async fn referrers(&self, name: &RepositoryName, digest: &Digest) -> Result<Vec<Digest>> {
        let path = format!("/v2/{name}/referrers/{digest}");
        let descriptors = self.list(&path, "manifests").await?.unwrap_or_default();
        Ok(descriptors.iter().filter_map(|descriptor| descriptor["digest"].as_str()?.parse().ok()).collect())
    }

    /// Returns a manifest by tag or digest.
    pub(crate) async fn manifest(&self, name: &RepositoryName, reference: &str) -> Result<Served> {
        let path = format!("/v2/{name}/manifests/{reference}");
        let response = self.ask(|| Order::new(Method::GET, path.clone()).accepting(MANIFEST_TYPES)).await?;
        let response = success(response)?;
        ensure!(response.body().len() <= MANIFEST_MAX_BYTES, "its manifest is too long");
        let media_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default().to_owned();
        Ok(Served { media_type, bytes: response.into_body() })
    }

    /// Returns which manifest a tag or digest is; `None` if there is none.
    pub(crate) async fn digest_of(&self, name: &RepositoryName, reference: &str) -> Result<Option<Digest>> {
        let path = format!("/v2/{name}/manifests/{reference}");
        let response = self.ask(|| Order::new(Method::HEAD, path.clone()).accepting(MANIFEST_TYPES)).await?;
        match response.status() {
            StatusCode::OK => {
                let digest = response.headers().get("docker-content-digest").and_then(|it| it.to_str().ok());
                Ok(digest.and_then(|digest| digest.parse().ok()))
            }
            StatusCode::NOT_FOUND => Ok(None),
            status => bail!("HEAD {path} was answered {status}"),
        }
    }

    /// Stores a manifest.
    pub(crate) async fn put_manifest(
        &self,
        name: &RepositoryName,
        reference: &str,
        served: &Served,
    ) -> Result<()> {
        let path = format!("/v2/{name}/manifests/{reference}");
        let order = || {
            Order::new(Method::PUT, path.clone())
                .with(&served.media_type, Payload::Whole(served.bytes.clone()))
        };
        self.tell(order).await.map(drop)
    }

    /// Returns the bytes of a blob.
    pub(crate) async fn blob(&self, name: &RepositoryName, digest: &Digest) -> Result<Body> {
        let path = format!("/v2/{name}/blobs/{digest}");
        let order = || Ok(Order::new(Method::GET, path.clone()));
        let response = self.patience.read(|| self.send(order)).await?;
        match response.status() {
            StatusCode::OK => Ok(response.into_body()),
            _ => bail!("{}", refusal(&whole(response).await?)),
        }
    }

    /// Returns whether a repository has a blob.
    pub(crate) async fn has_blob(&self, name: &RepositoryName, digest: &Digest) -> Result<bool> {
        let path = format!("/v2/{name}/blobs/{digest}");
        let response = self.ask(|| Order::new(Method::HEAD, path.clone())).await?;
        match response.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            status => bail!("HEAD {path} was answered {status}"),
        }
    }

    /// Stores a blob of this length, by a mount if another repository has it; returns whether bytes were sent.
    pub(crate) async fn put_blob(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        file: (PathBuf, u64),
        elsewhere: Option<&RepositoryName>,
    ) -> Result<bool> {
        let mount = elsewhere.map(|from| format!("?mount={digest}&from={from}")).unwrap_or_default();
        let path = format!("/v2/{name}/blobs/uploads/{mount}");
        let begun = self.tell(|| Ok(Order::new(Method::POST, path.clone()))).await?;
        if begun.status() == StatusCode::CREATED {
            return Ok(false);
        }
        let location =
            begun.headers().get(header::LOCATION).context("the upload has no Location")?.to_str()?;
        let joint = if location.contains('?') { '&' } else { '?' };
        let target = format!("{location}{joint}digest={digest}");
        let payload = if file.1 == 0 { Payload::Empty } else { Payload::File(file.0, file.1) };
        let order =
            || Order::new(Method::PUT, target.clone()).with("application/octet-stream", payload.clone());
        self.tell(order).await?;
        Ok(true)
    }
}

fn pause(headers: &HeaderMap) -> Duration {
    let said = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    said.map_or(PAUSE, Duration::from_secs).min(PAUSE_MAX)
}

async fn whole(response: Response<Body>) -> Result<Response<Bytes>> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, LIST_MAX_BYTES).collect().await.map_err(anyhow::Error::from_boxed)?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

/// Makes an error of an answer that is a refusal.
fn success(response: Response<Bytes>) -> Result<Response<Bytes>> {
    ensure!(response.status().is_success(), "{}", refusal(&response));
    Ok(response)
}
