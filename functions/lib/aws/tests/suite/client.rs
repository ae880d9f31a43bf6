//! A registry on the stand-ins, and a client that comes to it by the edge or not.

use std::sync::Arc;

use aws::Presigned;
use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use oci::{Algorithm, Digest, UploadId};
use registry::http::{Body, Service};
use registry::jobs::fsck::{Severity, fsck};
use registry::ports::{Abilities, Clock, SystemClock, SystemRandom};
use registry::{Lifetimes, Registry};
use serde_json::{Value, json};

use crate::world::Stores;

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

/// Asks one process, as a function of the stack is set up.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) registry: Registry,
    service: Service,
    comes_by_edge: bool,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    pub(crate) fn location(&self) -> &str {
        self.headers["location"].to_str().unwrap()
    }
}

impl Client {
    /// Returns a client of a process that has just started.
    pub(crate) fn new(world: &Stores) -> Self {
        Self::at(world, Arc::new(SystemClock))
    }

    /// Returns a client of a process that goes by this clock.
    pub(crate) fn at(world: &Stores, clock: Arc<dyn Clock>) -> Self {
        let presigned = Arc::new(Presigned::new((*world.objects).clone()));
        let stores = registry::Stores {
            items: Arc::clone(&world.items) as _,
            objects: Arc::clone(&world.objects) as _,
            clock,
            random: Arc::new(SystemRandom),
            abilities: Abilities {
                downloads: Some(Arc::clone(&presigned) as _),
                uploads: Some(presigned),
                copies: Some(Arc::clone(&world.objects) as _),
                trash: Some(Arc::clone(&world.objects) as _),
                leaves_garbage: true,
            },
        };
        let registry = Registry::new(stores, Lifetimes::default());
        Self { service: Service::new(registry.clone()), registry, comes_by_edge: false }
    }

    /// Returns the same client, but what it sends passes the edge.
    pub(crate) fn by_edge(self) -> Self {
        Self { comes_by_edge: true, ..self }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if path.contains("/manifests/") {
            request = request.header("content-type", IMAGE);
        }
        if self.comes_by_edge {
            request = request.header("x-viewer-host", "registry.example");
        }
        let body = Full::new(body.into()).map_err(|never| match never {}).boxed_unsync();
        self.answer(request.body(body).unwrap()).await
    }

    async fn answer(&self, request: Request<Body>) -> Reply {
        let (head, body) = self.service.handle(request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Reply { status: head.status.as_u16(), headers: head.headers, body }
    }

    /// Sends a chunk that says where it belongs.
    pub(crate) async fn chunk_at(&self, location: &str, offset: usize, chunk: Bytes) -> Reply {
        let range = format!("{offset}-{}", offset + chunk.len() - 1);
        let body = Full::new(chunk).map_err(|never| match never {}).boxed_unsync();
        let request = Request::builder().method(Method::PATCH).uri(location).header("content-range", range);
        self.answer(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, "").await
    }

    pub(crate) async fn head(&self, path: &str) -> Reply {
        self.send(Method::HEAD, path, "").await
    }

    pub(crate) async fn post(&self, path: &str) -> Reply {
        self.send(Method::POST, path, "").await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, "").await
    }

    pub(crate) async fn put(&self, path: &str, bytes: &Bytes) -> Reply {
        self.send(Method::PUT, path, bytes.clone()).await
    }

    /// Pushes a blob as docker does: HEAD, POST, one PATCH, an empty PUT.
    pub(crate) async fn push_blob(&self, bytes: &Bytes) {
        self.head(&blob(bytes)).await.expect(404);
        let begun = self.post("/v2/app/blobs/uploads/").await.expect(202);
        let patched = self.send(Method::PATCH, begun.location(), bytes.clone()).await.expect(202);
        let path = format!("{}?digest={}", patched.location(), digest(bytes));
        self.put(&path, &Bytes::new()).await.expect(201);
    }

    /// Begins an upload and sends its bytes where the edge sends them.
    pub(crate) async fn send_direct(&self, world: &Stores, bytes: &Bytes) -> UploadId {
        let begun = self.post("/v2/app/blobs/uploads/").await.expect(202);
        let id = begun.headers["docker-upload-uuid"].to_str().unwrap();
        let (_, query) = begun.location().split_once('?').unwrap();
        let url = format!("{}/uploads/{id}?{query}", world.bucket_url);
        let put = reqwest::Client::new().put(url).header("content-length", bytes.len());
        let put = put.body(bytes.clone()).send().await.unwrap();
        assert_eq!(put.status().as_u16(), 200);
        id.parse().unwrap()
    }

    /// Returns the blob as a client reads it that follows redirects.
    pub(crate) async fn read_blob(&self, bytes: &Bytes) -> Bytes {
        let reply = self.get(&blob(bytes)).await.expect(307);
        reqwest::get(reply.location()).await.unwrap().error_for_status().unwrap().bytes().await.unwrap()
    }
}

/// Fails if a promise is broken, as far as that can be seen from table and bucket.
pub(crate) async fn assert_sound(world: &Stores) {
    let report = fsck(&*world.items, &*world.objects, true).await.unwrap();
    let broken: Vec<_> =
        report.findings.iter().filter(|finding| finding.severity == Severity::Broken).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Returns the manifest of an image with this config and these layers.
pub(crate) fn image(config: &Bytes, layers: &[&Bytes]) -> Bytes {
    let descriptor = |bytes: &Bytes| -> Value {
        json!({ "mediaType": "application/octet-stream", "digest": digest(bytes), "size": bytes.len() })
    };
    let layers: Vec<Value> = layers.iter().map(|layer| descriptor(layer)).collect();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": IMAGE, "config": descriptor(config), "layers": layers,
    });
    manifest.to_string().into()
}

pub(crate) fn digest(bytes: &Bytes) -> String {
    Digest::of(Algorithm::Sha256, bytes).to_string()
}

pub(crate) fn blob(bytes: &Bytes) -> String {
    format!("/v2/app/blobs/{}", digest(bytes))
}

pub(crate) fn manifest(reference: &str) -> String {
    format!("/v2/app/manifests/{reference}")
}
