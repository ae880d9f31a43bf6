//! Requests as clients make them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::Method;

use crate::LEASE;
use crate::pool::Content;
use crate::tally::Tally;
use crate::trouble::Trouble;

/// How long an answer may take; far longer than any does.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came back.
pub(crate) struct Reply {
    asked: String,
    pub(crate) status: u16,
    location: String,
    pub(crate) body: Bytes,
}

impl fmt::Display for Reply {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}: {} {}", self.asked, self.status, String::from_utf8_lossy(&self.body))
    }
}

/// In which of the ways a blob is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    Post,
    Put,
    Patch,
}

pub(crate) const STYLES: [Style; 3] = [Style::Post, Style::Put, Style::Patch];

/// Asks one registry.
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    tally: Arc<Tally>,
}

impl Client {
    pub(crate) fn new(url: &str, tally: Arc<Tally>) -> Self {
        // A client whose server was killed may wait for a connection that is gone.
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        Self { http, url: url.to_owned(), tally }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: Bytes,
    ) -> Result<Reply, Trouble> {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.url) };
        let asked = format!("{method} {path}");
        let mut request = self.http.request(method, url).body(body);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let location = response.headers().get("location");
        let location = location.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        Ok(Reply { asked, status, location, body: response.bytes().await? })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Reply, Trouble> {
        self.ask(Method::GET, path, None, Bytes::new()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Reply, Trouble> {
        self.ask(Method::DELETE, path, None, Bytes::new()).await
    }

    /// Begins an upload, and returns where it goes on.
    pub(crate) async fn upload_begin(&self, repository: &str) -> Result<String, Trouble> {
        let path = format!("/v2/{repository}/blobs/uploads/");
        Ok(self.ask(Method::POST, &path, None, Bytes::new()).await?.expect(&[202])?.location)
    }

    pub(crate) async fn upload_patch(&self, location: &str, bytes: Bytes) -> Result<String, Trouble> {
        Ok(self.ask(Method::PATCH, location, None, bytes).await?.expect(&[202])?.location)
    }

    async fn upload_finish(&self, location: &str, digest: &str, bytes: Bytes) -> Result<(), Trouble> {
        let separator = if location.contains('?') { '&' } else { '?' };
        let path = format!("{location}{separator}digest={digest}");
        self.ask(Method::PUT, &path, None, bytes).await?.expect(&[201]).map(drop)
    }

    async fn upload(&self, repository: &str, blob: &Content, style: Style) -> Result<(), Trouble> {
        self.tally.uploads.fetch_add(1, Relaxed);
        let bytes = blob.bytes.clone();
        match style {
            Style::Post => {
                let path = format!("/v2/{repository}/blobs/uploads/?digest={}", blob.digest);
                self.ask(Method::POST, &path, None, bytes).await?.expect(&[201]).map(drop)
            }
            Style::Put => {
                let location = self.upload_begin(repository).await?;
                self.upload_finish(&location, &blob.digest, bytes).await
            }
            Style::Patch => {
                let mut location = self.upload_begin(repository).await?;
                let half = bytes.len() / 2;
                for piece in [bytes.slice(..half), bytes.slice(half..)] {
                    location = self.upload_patch(&location, piece).await?;
                }
                self.upload_finish(&location, &blob.digest, Bytes::new()).await
            }
        }
    }

    /// Makes sure that the repository has the blob, by a mount if it may be elsewhere.
    pub(crate) async fn blob_ensure(
        &self,
        repository: &str,
        from: Option<&str>,
        blob: &Content,
        style: Style,
    ) -> Result<(), Trouble> {
        let path = format!("/v2/{repository}/blobs/{}", blob.digest);
        let there = self.ask(Method::HEAD, &path, None, Bytes::new()).await?.expect(&[200, 404])?;
        if there.status == 200 {
            self.tally.reuses.fetch_add(1, Relaxed);
            return Ok(());
        }
        let Some(from) = from else { return self.upload(repository, blob, style).await };
        let path = format!("/v2/{repository}/blobs/uploads/?mount={}&from={from}", blob.digest);
        let mounted = self.ask(Method::POST, &path, None, Bytes::new()).await?.expect(&[201, 202])?;
        if mounted.status == 201 {
            self.tally.mounts.fetch_add(1, Relaxed);
            return Ok(());
        }
        self.tally.uploads.fetch_add(1, Relaxed);
        self.upload_finish(&mounted.location, &blob.digest, blob.bytes.clone()).await
    }

    /// Puts a manifest whose blobs were made sure of since `begun`.
    pub(crate) async fn manifest_put(
        &self,
        repository: &str,
        reference: &str,
        manifest: &Content,
        begun: Instant,
    ) -> Result<(), Trouble> {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let body = manifest.bytes.clone();
        let reply = self.ask(Method::PUT, &path, Some(manifest.media_type), body).await?;
        match begun.elapsed() > LEASE && matches!(reply.status, 400 | 404) {
            true => Err(Trouble::Late),
            false => reply.expect(&[201]).map(drop),
        }
    }
}
