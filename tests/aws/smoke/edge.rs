//! The edge and S3, as far as a client sees them: upload URLs with a signature, and PUTs that pass the registry by.

use std::collections::HashMap;
use std::sync::Mutex;

use bytes::Bytes;
use http::{HeaderMap, Method};
use test_support::content::sha256;

use crate::message::{Reply, Request};
use crate::upstream::Upstream;

/// The parameters of a signature.
const LIFETIME: &str = "X-Amz-Expires";
const SIGNATURE: &str = "X-Amz-Signature";

/// An edge; the fields say what is wrong with it.
pub(crate) struct Edge {
    /// Whether the signature covers the upload's id.
    pub(crate) binds_id: bool,
    /// Whether the signature covers its lifetime.
    pub(crate) binds_lifetime: bool,
    /// What was last put, by upload.
    pub(crate) objects: Mutex<HashMap<String, Bytes>>,
}

impl Edge {
    pub(crate) fn new() -> Self {
        Self { binds_id: true, binds_lifetime: true, objects: Mutex::default() }
    }

    /// Answers a direct PUT; everything else goes on to the registry.
    pub(crate) async fn handle(&self, upstream: &Upstream, request: &Request) -> Reply {
        if self.is_direct(request) {
            return match request.is_chunked() {
                true => Reply::oci(411, "UNSUPPORTED"),
                false => self.put(upstream, request).await,
            };
        }
        let mut reply = upstream.forward(request).await;
        if request.method == Method::POST && reply.status == 202 {
            let location = reply.text("location").to_owned();
            reply.set("location", &format!("{location}?{}", self.query(&location, "3600")));
        }
        reply
    }

    /// Whether the request never reaches the registry.
    pub(crate) fn is_direct(&self, request: &Request) -> bool {
        let has_body = request.is_chunked() || !request.body.is_empty();
        request.method == Method::PUT
            && request.is_upload()
            && request.parameter(SIGNATURE).is_some()
            && has_body
    }

    async fn put(&self, upstream: &Upstream, request: &Request) -> Reply {
        let signed = self.query(&request.path, request.parameter(LIFETIME).unwrap_or_default());
        if !request.query.contains(&signed) {
            return Reply::s3(403, "SignatureDoesNotMatch");
        }
        let digest = request.parameter("digest").unwrap().to_owned();
        self.adopt(upstream, request, &digest).await;
        let name = request.path.split_once("/blobs/uploads/").unwrap().0;
        Reply::new(201)
            .with("location", &format!("{name}/blobs/{digest}"))
            .with("docker-content-digest", &digest)
    }

    /// The first object of an upload becomes a blob, if its digest is right.
    async fn adopt(&self, upstream: &Upstream, request: &Request, digest: &str) {
        let old = self.objects.lock().unwrap().insert(request.path.clone(), request.body.clone());
        if old.is_some() {
            return;
        }
        let mut part = Request { method: Method::PATCH, query: String::new(), ..request.clone() };
        part.headers = HeaderMap::new();
        upstream.forward(&part).await;
        let query = format!("digest={digest}");
        upstream.forward(&Request { method: Method::PUT, query, body: Bytes::new(), ..part }).await;
    }

    fn query(&self, path: &str, lifetime: &str) -> String {
        let id = if self.binds_id { path } else { "" };
        let signed_lifetime = if self.binds_lifetime { lifetime } else { "" };
        let signature = sha256(format!("secret {id} {signed_lifetime}").as_bytes());
        format!("{LIFETIME}={lifetime}&{SIGNATURE}={}", &signature["sha256:".len()..])
    }
}
