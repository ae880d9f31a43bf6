//! A client: requests as docker, skopeo and the others send them, and the answers.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use oci::UploadId;
use registry::access::{Access, Address};
use registry::http::{Body, BoxError, HeadLength, Service};
use registry::{Blob, Error, Registry};

use crate::content::{Content, Image};
use crate::guards;

/// Asks one process of a registry.
#[derive(Clone)]
pub(crate) struct Client {
    service: Service,
    registry: Option<Registry>,
    comes_by_edge: bool,
    /// The value of `Authorization`.
    shown: Option<String>,
    address: Address,
    /// What was asked last: the method and the path.
    asked: Arc<Mutex<(Method, String)>>,
}

/// An answer, read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// Returns the header's value, which has to be there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("{name} is missing: {self:#?}"));
        value.to_str().unwrap()
    }

    /// Returns where the upload is.
    pub(crate) fn location(&self) -> String {
        self.header("location").to_owned()
    }

    /// Returns the answer if it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:#?}");
        self
    }

    /// Returns the whole answer as text, headers in the order of their names.
    pub(crate) fn text(&self) -> String {
        self.text_without(&[])
    }

    /// Returns the same without the headers that every answer has.
    pub(crate) fn own_text(&self) -> String {
        self.text_without(guards::OF_EVERY_ANSWER)
    }

    fn text_without(&self, left_out: &[&str]) -> String {
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            format!("{name}: {}\n", value.to_str().unwrap())
        };
        let told = self.headers.iter().filter(|(name, _)| !left_out.contains(&name.as_str()));
        let mut headers: Vec<String> = told.map(header).collect();
        headers.sort();
        let body = String::from_utf8_lossy(&self.body);
        format!("{}\n{}\n{body}", self.status.as_u16(), headers.concat())
    }
}

impl Client {
    /// Returns a client that comes to the registry itself.
    pub(crate) fn of(registry: Registry) -> Self {
        Self { registry: Some(registry.clone()), ..Self::of_service(Service::new(registry)) }
    }

    /// Returns a client of a registry that these accounts guard; it shows nothing.
    pub(crate) fn guarded(access: &Access) -> Self {
        Self::of_service(Service::guarded(access.clone()))
    }

    fn of_service(service: Service) -> Self {
        Self {
            service,
            registry: None,
            comes_by_edge: false,
            shown: None,
            address: Address::default(),
            asked: Arc::default(),
        }
    }

    /// Returns the same client, but it shows this.
    pub(crate) fn showing(&self, authorization: &str) -> Self {
        Self { shown: Some(authorization.to_owned()), ..self.clone() }
    }

    /// Returns what it shows.
    pub(crate) fn shown(&self) -> Option<&str> {
        self.shown.as_deref()
    }

    /// Returns what it asked last: the method and the path.
    pub(crate) fn asked_last(&self) -> (Method, String) {
        self.asked.lock().unwrap().clone()
    }

    /// Returns the same client, but from this address.
    pub(crate) fn at_address(&self, address: &str) -> Self {
        Self { address: Address::new(address), ..self.clone() }
    }

    /// Returns the same client, but what it sends passes the edge, which says so.
    pub(crate) fn by_edge(self) -> Self {
        Self { comes_by_edge: true, ..self }
    }

    /// Returns the same client behind a gateway that counts the bytes of what a HEAD is answered.
    pub(crate) fn counted(self) -> Self {
        Self { service: self.service.with_head_length(HeadLength::Content), ..self }
    }

    /// Returns the same client of a process that knows the host of its edge.
    pub(crate) fn of_edge_host(self, host: &str) -> Self {
        Self { service: self.service.with_edge(Some(host.to_owned())), ..self }
    }

    /// Tells the process that the store has received a direct upload.
    pub(crate) async fn adopt(&self, id: &UploadId) -> Result<Option<Blob>, Error> {
        self.registry.as_ref().unwrap().upload_adopt(id).await
    }

    /// Sends a request with any body. What is true of every answer is checked here.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Reply {
        *self.asked.lock().unwrap() = (method.clone(), path.split('?').next().unwrap().to_owned());
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if self.comes_by_edge {
            request = request.header("x-viewer-host", "registry.example");
        }
        if let Some(shown) = &self.shown {
            request = request.header("authorization", shown);
        }
        request = request.extension(self.address.clone());
        let response = self.service.handle(request.body(body).unwrap()).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let reply = Reply { status: head.status, headers: head.headers, body };
        guards::check(&reply);
        reply
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], bytes_body("")).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.send(Method::GET, path, headers, bytes_body("")).await
    }

    pub(crate) async fn head(&self, path: &str) -> Reply {
        self.send(Method::HEAD, path, &[], bytes_body("")).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, &[], bytes_body("")).await
    }

    pub(crate) async fn post(&self, path: &str, bytes: impl Into<Bytes>) -> Reply {
        self.send(Method::POST, path, &[], bytes_body(bytes)).await
    }

    pub(crate) async fn patch(&self, path: &str, bytes: impl Into<Bytes>) -> Reply {
        self.send(Method::PATCH, path, &[], bytes_body(bytes)).await
    }

    /// Sends a chunk that says where it begins.
    pub(crate) async fn patch_at(&self, path: &str, range: &str, bytes: impl Into<Bytes>) -> Reply {
        self.send(Method::PATCH, path, &[("content-range", range)], bytes_body(bytes)).await
    }

    pub(crate) async fn put(&self, path: &str, bytes: impl Into<Bytes>) -> Reply {
        self.send(Method::PUT, path, &[], bytes_body(bytes)).await
    }

    /// Begins an upload and returns its location.
    pub(crate) async fn begin(&self, repository: &str) -> String {
        self.post(&uploads(repository), "").await.expect(202).location()
    }

    /// Pushes a blob as docker does: begin, one unbounded PATCH, an empty PUT.
    pub(crate) async fn push_blob(&self, repository: &str, blob: &Content) -> Reply {
        let location = self.begin(repository).await;
        let location = self.patch(&location, blob.bytes.clone()).await.expect(202).location();
        self.put(&committing(&location, &blob.digest), "").await
    }

    /// Pushes a blob as containerd does: begin, one PUT with all bytes.
    pub(crate) async fn push_blob_by_put(&self, repository: &str, blob: &Content) -> Reply {
        let location = self.begin(repository).await;
        self.put(&committing(&location, &blob.digest), blob.bytes.clone()).await
    }

    /// Puts a manifest under a tag or its digest; the reference may have a query.
    pub(crate) async fn put_manifest(&self, repository: &str, reference: &str, manifest: &Content) -> Reply {
        let headers = [("content-type", manifest.media_type)];
        let path = format!("/v2/{repository}/manifests/{reference}");
        self.send(Method::PUT, &path, &headers, bytes_body(manifest.bytes.clone())).await
    }

    /// Pushes an image with its blobs.
    pub(crate) async fn push_image(&self, repository: &str, reference: &str, image: &Image) -> Reply {
        self.push_blob(repository, &image.config).await.expect(201);
        self.push_blob(repository, &image.layer).await.expect(201);
        self.put_manifest(repository, reference, &image.manifest).await
    }
}

/// Returns a body of these bytes.
pub(crate) fn bytes_body(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Returns a body that ends too early, after these bytes.
pub(crate) fn broken_body(bytes: impl Into<Bytes>) -> Body {
    let broke_off = Err(BoxError::from("the client went away"));
    let frames = [Ok(http_body::Frame::data(bytes.into())), broke_off];
    StreamBody::new(stream::iter(frames)).boxed_unsync()
}

pub(crate) fn uploads(repository: &str) -> String {
    format!("/v2/{repository}/blobs/uploads/")
}

pub(crate) fn blob(repository: &str, digest: &str) -> String {
    format!("/v2/{repository}/blobs/{digest}")
}

pub(crate) fn manifest(repository: &str, reference: &str) -> String {
    format!("/v2/{repository}/manifests/{reference}")
}

/// Adds the digest to a location, which may have a query already.
pub(crate) fn committing(location: &str, digest: &str) -> String {
    let joint = if location.contains('?') { '&' } else { '?' };
    format!("{location}{joint}digest={digest}")
}

/// Returns the upload that a location leads to.
pub(crate) fn upload_id(location: &str) -> UploadId {
    let path = location.split('?').next().unwrap();
    path.rsplit('/').next().unwrap().parse().unwrap()
}

pub(crate) fn mounting(repository: &str, digest: &str, from: &str) -> String {
    format!("{}?mount={digest}&from={from}", uploads(repository))
}
