//! A client that pushes and pulls, and what answers it: the functions, the relay, S3.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use registry::http::Service;

use crate::usage::Usage;
use crate::world::{BUCKET, World};

/// The host by which clients know the edge.
const EDGE: (&str, &str) = ("x-viewer-host", "registry.example");

/// An answer, read to its end.
pub(crate) type Answer = Response<Bytes>;

/// A client, and the processes that answer it, which have just started.
pub(crate) struct Client {
    read: Service,
    write: Service,
    relay: Service,
    s3: reqwest::Client,
    s3_endpoint: String,
    has_edge: bool,
    pub(crate) usage: Usage,
}

impl Client {
    /// Returns a client that comes through the edge, or to the API itself.
    pub(crate) fn new(world: &World, has_edge: bool) -> Self {
        let service = || Service::new(world.registry());
        Self {
            read: service(),
            write: service(),
            relay: service(),
            s3: reqwest::Client::new(),
            s3_endpoint: world.s3.endpoint(),
            has_edge,
            usage: Usage::default(),
        }
    }

    /// Sends a request that the API answers, with the status that is expected.
    pub(crate) async fn api(
        &mut self,
        method: Method,
        target: &str,
        content_type: &str,
        body: Bytes,
        status: u16,
    ) -> Result<Answer> {
        let is_read = method == Method::GET || method == Method::HEAD;
        let body_bytes = body.len();
        self.count_edge(body_bytes);
        let request = self.request(method, target, content_type, body)?;
        let answer = if is_read { &self.read } else { &self.write }.handle(request).await;
        let answer = whole(answer, status).await?;
        self.usage.add_api_request(is_read, body_bytes, answer.body().len());
        Ok(answer)
    }

    /// Sends a request without a body to the API.
    pub(crate) async fn ask(&mut self, method: Method, target: &str, status: u16) -> Result<Answer> {
        self.api(method, target, "", Bytes::new(), status).await
    }

    /// Sends a PATCH, which the edge gives to the relay.
    pub(crate) async fn patch_relay(&mut self, target: &str, body: Bytes) -> Result<Answer> {
        self.count_edge(body.len());
        self.usage.relay_bytes += body.len();
        let request = self.request(Method::PATCH, target, "", body)?;
        whole(self.relay.handle(request).await, 202).await
    }

    /// Sends a PUT with a presigned query, which the edge gives to S3.
    pub(crate) async fn put_s3(&mut self, id: &str, query: &str, body: Bytes) -> Result<()> {
        self.count_edge(body.len());
        let url = format!("{}/{BUCKET}/uploads/{id}?{query}", self.s3_endpoint);
        self.s3.put(url).body(body).send().await?.error_for_status()?;
        Ok(())
    }

    /// Fetches what a redirect points to; it does not pass the edge.
    pub(crate) async fn get_s3(&mut self, url: &str) -> Result<()> {
        let bytes = self.s3.get(url).send().await?.error_for_status()?.bytes().await?;
        self.usage.downloaded_bytes += bytes.len();
        Ok(())
    }

    fn request(
        &self,
        method: Method,
        target: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<Request<registry::http::Body>> {
        let mut request = Request::builder().method(method).uri(target);
        if self.has_edge {
            request = request.header(EDGE.0, EDGE.1);
        }
        if !content_type.is_empty() {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        Ok(request.body(Full::new(body).map_err(|never| match never {}).boxed_unsync())?)
    }

    fn count_edge(&mut self, body_bytes: usize) {
        if self.has_edge {
            self.usage.edge_requests += 1;
            self.usage.edge_upload_bytes += body_bytes;
        }
    }
}

async fn whole(answer: Response<registry::http::Body>, status: u16) -> Result<Answer> {
    let (head, body) = answer.into_parts();
    let body = body.collect().await.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
    ensure!(head.status == StatusCode::from_u16(status)?, "{} {body:?}, not {status}", head.status);
    Ok(Response::from_parts(head, body))
}

/// Returns where an answer points to.
pub(crate) fn location(answer: &Answer) -> Result<String> {
    let location = answer.headers().get(header::LOCATION).context("an answer has no location")?;
    Ok(location.to_str()?.to_owned())
}
