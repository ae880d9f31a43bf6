//! The registry that is checked, and what every check does with it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use oci::{Digest, RepositoryName};

use super::ask::Ask;
use super::client::Client;
use super::content::digest_of;
use super::location::{Lane, Location};
use super::login::{Login, Pass};
use super::payload::Payload;
use super::reply::Reply;

/// How often a manifest is sent again after 429. Each answer may itself have waited 20 s.
const MANIFEST_TRIES: u32 = 12;

const MEDIA_TYPES: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";

/// A repository of the registry at an endpoint.
pub(crate) struct Target {
    pub(crate) base: Uri,
    pub(crate) repository: RepositoryName,
    /// How many bytes the large upload has, if there is to be one.
    pub(crate) large_bytes: Option<u64>,
    /// How long the slow upload takes, if there is to be one.
    pub(crate) slow: Option<Duration>,
    /// Who logs in, if anybody.
    pub(crate) login: Option<Login>,
    /// What lets requests pass, once it was fetched.
    pass: tokio::sync::Mutex<Option<Pass>>,
    client: Client,
    /// URLs of what has to be deleted in the end.
    leftovers: Mutex<BTreeSet<String>>,
}

/// A manifest that was taken, perhaps after a while.
#[derive(Debug)]
pub(crate) struct Adoption {
    pub(crate) throttled: u32,
    pub(crate) elapsed: Duration,
}

impl Target {
    /// Returns the target; `base` is scheme and authority.
    pub(crate) fn new(base: Uri, repository: RepositoryName, login: Option<Login>) -> Result<Self> {
        Ok(Self {
            base,
            repository,
            large_bytes: None,
            slow: None,
            login,
            pass: tokio::sync::Mutex::default(),
            client: Client::new()?,
            leftovers: Mutex::default(),
        })
    }

    /// Returns the same with a large and a slow upload.
    pub(crate) fn with_more(self, large_bytes: Option<u64>, slow: Option<Duration>) -> Self {
        Self { large_bytes, slow, ..self }
    }

    /// Starts a request to a path with its query.
    pub(crate) fn ask(&self, method: Method, path: &str) -> Result<Ask> {
        Ok(Ask::new(method, Location::new(&self.base, path)?.url))
    }

    /// Returns `/v2/<name>/<rest>`.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/v2/{}/{rest}", self.repository)
    }

    /// Sends a request, logged in if anybody logs in.
    pub(crate) async fn send(&self, ask: Ask) -> Result<Reply> {
        let ask = match self.login.as_ref().filter(|_| self.is_for_accounts(&ask)) {
            Some(login) => self.pass(login).await?.stamp(ask),
            None => ask,
        };
        self.client.send(ask).await
    }

    /// Sends a request as it is.
    pub(crate) async fn send_anonymously(&self, ask: Ask) -> Result<Reply> {
        self.client.send(ask).await
    }

    async fn pass(&self, login: &Login) -> Result<Pass> {
        let mut kept = self.pass.lock().await;
        match &*kept {
            Some(pass) if !pass.is_old() => Ok(pass.clone()),
            _ => Ok(kept.insert(Pass::fetch(self, login).await?).clone()),
        }
    }

    /// Other hosts get no token, as clients have it, and a direct PUT is opened by its URL alone.
    fn is_for_accounts(&self, ask: &Ask) -> bool {
        let is_here = ask.url.authority() == self.base.authority();
        is_here && !ask.headers.contains_key(header::AUTHORIZATION) && !is_direct(ask)
    }

    /// Begins an upload.
    pub(crate) async fn begin(&self) -> Result<Location> {
        let reply = self.send(self.ask(Method::POST, &self.path("blobs/uploads/"))?).await?.expect(202)?;
        let location = Location::new(&self.base, reply.location()?)?;
        self.note_leftover(&location.url);
        Ok(location)
    }

    /// Learns which lane the registry offers for large layers.
    pub(crate) async fn lane(&self) -> Result<Lane> {
        Ok(self.begin().await?.lane())
    }

    /// Sends a PATCH and returns where the upload goes on.
    pub(crate) async fn patch(&self, location: &Location, payload: Payload) -> Result<Location> {
        let ask = octets(Ask::new(Method::PATCH, location.url.clone()).payload(payload));
        let reply = self.send(ask).await?.expect(202)?;
        Location::new(&location.url, reply.location()?)
    }

    /// Ends an upload whose bytes are there.
    pub(crate) async fn commit(&self, location: &Location, digest: &Digest) -> Result<Reply> {
        self.send(Ask::new(Method::PUT, location.with_digest(digest)?)).await
    }

    /// Pushes a blob by PATCH and PUT.
    pub(crate) async fn push_blob(&self, bytes: &Bytes) -> Result<Digest> {
        self.push_blob_with(Payload::Whole(bytes.clone()), bytes).await
    }

    /// Pushes a blob whose PATCH brings it like this.
    pub(crate) async fn push_blob_with(&self, payload: Payload, bytes: &[u8]) -> Result<Digest> {
        let location = self.patch(&self.begin().await?, payload).await?;
        let digest = digest_of(bytes);
        self.commit(&location, &digest).await?.expect(201)?;
        Ok(digest)
    }

    /// Sends a blob in one PUT with a length, as containerd does.
    pub(crate) async fn put_whole(
        &self,
        location: &Location,
        digest: &Digest,
        bytes: &Bytes,
    ) -> Result<Reply> {
        self.send(put(location, digest, Payload::Whole(bytes.clone()))?).await
    }

    /// Puts a manifest; `reference` is a tag or a digest.
    pub(crate) async fn put_manifest(&self, reference: &str, manifest: &Bytes) -> Result<Reply> {
        let path = self.path(&format!("manifests/{reference}"));
        let media_type = HeaderValue::from_static("application/vnd.oci.image.manifest.v1+json");
        let ask = self.ask(Method::PUT, &path)?.header(header::CONTENT_TYPE, media_type);
        let reply = self.send(ask.payload(Payload::Whole(manifest.clone()))).await?;
        if reply.status == 201 {
            let path = self.path(&format!("manifests/{}", digest_of(manifest)));
            self.note_leftover(&Location::new(&self.base, &path)?.url);
        }
        Ok(reply)
    }

    /// Puts a manifest until it is taken, repeating after 429 as clients do.
    pub(crate) async fn put_manifest_patiently(&self, reference: &str, manifest: &Bytes) -> Result<Reply> {
        Ok(self.adopt(reference, manifest).await?.0)
    }

    /// As before, and tells how long it took.
    pub(crate) async fn adopt(&self, reference: &str, manifest: &Bytes) -> Result<(Reply, Adoption)> {
        let begin = Instant::now();
        for throttled in 0..MANIFEST_TRIES {
            let reply = self.put_manifest(reference, manifest).await?;
            if reply.status != 429 {
                return Ok((reply, Adoption { throttled, elapsed: begin.elapsed() }));
            }
            tokio::time::sleep(Duration::from_secs(1).saturating_sub(reply.elapsed)).await;
        }
        bail!("the manifest was answered 429 for {} s, {MANIFEST_TRIES} times", begin.elapsed().as_secs())
    }

    /// Gets or heads a path, and where it is sent from there; returns all replies, the last one last.
    pub(crate) async fn follow(&self, method: Method, path: &str, headers: HeaderMap) -> Result<Vec<Reply>> {
        let mut url = Location::new(&self.base, path)?.url;
        let mut replies: Vec<Reply> = Vec::new();
        while replies.len() < 4 {
            let mut ask = Ask::new(method.clone(), url.clone());
            ask.headers = headers.clone();
            let reply = self.send(ask).await?;
            if !reply.is_redirect() {
                replies.push(reply);
                return Ok(replies);
            }
            url = Location::new(&url, reply.location()?)?.url;
            replies.push(reply);
        }
        bail!("{method} {path} was redirected more than three times")
    }

    /// Gets a blob's bytes, by whatever way.
    pub(crate) async fn blob(&self, digest: &Digest) -> Result<Bytes> {
        let path = self.path(&format!("blobs/{digest}"));
        let replies = self.follow(Method::GET, &path, HeaderMap::new()).await?;
        let last = replies.into_iter().next_back().context("no answer")?;
        Ok(last.expect(200)?.body)
    }

    /// Gets or heads a manifest.
    pub(crate) async fn manifest(&self, method: Method, reference: &str) -> Result<Reply> {
        let ask = self.ask(method, &self.path(&format!("manifests/{reference}")))?;
        let ask = ask.header(header::ACCEPT, HeaderValue::from_static(MEDIA_TYPES));
        self.send(ask).await?.expect(200)
    }

    /// Deletes what was pushed and cancels what was begun; returns what could not be done.
    pub(crate) async fn clean(&self) -> Result<Vec<String>> {
        let leftovers = std::mem::take(&mut *self.leftovers.lock().unwrap_or_else(PoisonError::into_inner));
        let mut kept = Vec::new();
        for url in &leftovers {
            let reply = self.send(Ask::new(Method::DELETE, url.parse()?)).await?;
            // An upload that was committed or adopted is gone already, and may say so in any way.
            let is_gone = url.contains("/blobs/uploads/") && matches!(reply.status, 400 | 405..=499);
            if !(matches!(reply.status, 200..=299 | 404) || is_gone) {
                kept.push(reply.fact());
            }
        }
        Ok(kept)
    }

    /// Returns whether anything has to be deleted in the end.
    pub(crate) fn has_leftovers(&self) -> bool {
        !self.leftovers.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Notes what has to be deleted in the end.
    pub(crate) fn note_leftover(&self, url: &Uri) {
        self.leftovers.lock().unwrap_or_else(PoisonError::into_inner).insert(url.to_string());
    }
}

fn is_direct(ask: &Ask) -> bool {
    let lane = Location { text: String::new(), url: ask.url.clone() }.lane();
    let has_body = !matches!(ask.payload, Payload::None | Payload::Empty);
    ask.method == Method::PUT && has_body && lane != Lane::Inline
}

/// Says that the body is just bytes.
pub(crate) fn octets(ask: Ask) -> Ask {
    ask.header(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
}

/// A PUT of a whole blob.
pub(crate) fn put(location: &Location, digest: &Digest, payload: Payload) -> Result<Ask> {
    Ok(octets(Ask::new(Method::PUT, location.with_digest(digest)?).payload(payload)))
}
