//! The registry as a function from request to response, without a socket.

use std::time::Instant;

use http::{HeaderValue, Response, header};
use oci::{Endpoint, ErrorCode, Query};

use super::action::Action;
use super::entry::Entry;
use super::error::HttpError;
use super::request::Request;
use super::respond::{Body, empty};
use super::{base, blobs, manifests, referrers, tags, uploads};
use crate::{Principal, Registry};

/// Answers HTTP requests for a registry. Cloning it is cheap.
#[derive(Clone)]
pub struct Service {
    registry: Registry,
    entry: Entry,
}

impl Service {
    /// Returns the service of this registry.
    pub fn new(registry: Registry) -> Self {
        Self { registry, entry: Entry::default() }
    }

    /// Returns the service with an edge of this host before it, for clients that came by another way.
    #[must_use]
    pub fn with_edge(self, host: Option<String>) -> Self {
        Self { entry: Entry::new(host), ..self }
    }

    /// Answers a request. What goes wrong becomes an answer too.
    pub async fn handle(&self, request: http::Request<Body>) -> Response<Body> {
        let is_head = request.method() == http::Method::HEAD;
        let log = RequestLog::begin(&request);
        let mut response = match self.answer(request).await {
            Ok(response) => response,
            Err(error) => error.into_response(),
        };
        response
            .headers_mut()
            .insert("docker-distribution-api-version", HeaderValue::from_static("registry/2.0"));
        log.end(&response);
        if is_head { without_body(response) } else { response }
    }

    async fn answer(&self, request: http::Request<Body>) -> Result<Response<Body>, HttpError> {
        let (head, body) = request.into_parts();
        let endpoint = Endpoint::parse(head.uri.path())?;
        let query = Query::parse(head.uri.query().unwrap_or_default());
        let action = Action::of(&head.method, &endpoint).map_err(|methods| {
            let message = format!("{} is not possible here, only {methods}", head.method);
            HttpError::new(ErrorCode::Unsupported, message).with_header(header::ALLOW, methods)
        })?;
        self.dispatch(action, &Request { endpoint, query, head }, body).await
    }

    async fn dispatch(
        &self,
        action: Action,
        request: &Request,
        body: Body,
    ) -> Result<Response<Body>, HttpError> {
        let registry = &self.registry;
        let principal = Principal::anonymous();
        match (action, request.endpoint.clone()) {
            (Action::CatalogList, _) => tags::catalog(registry, request).await,
            (Action::TagList, Endpoint::TagList { name }) => tags::list(registry, request, &name).await,
            (Action::ReferrerList, Endpoint::Referrers { name, digest }) => {
                referrers::list(registry, request, &name, &digest).await
            }
            (Action::ManifestGet, Endpoint::Manifest { name, reference }) => {
                manifests::get(registry, request, &name, &reference).await
            }
            (Action::ManifestPut, Endpoint::Manifest { name, reference }) => {
                manifests::put(registry, &principal, &name, &reference, request, body).await
            }
            (Action::ManifestDelete, Endpoint::Manifest { name, reference }) => {
                manifests::delete(registry, &principal, &name, &reference).await
            }
            (Action::BlobGet, Endpoint::Blob { name, digest }) => {
                blobs::get(registry, request, &name, &digest).await
            }
            (Action::BlobDelete, Endpoint::Blob { name, digest }) => {
                blobs::delete(registry, &name, &digest).await
            }
            (Action::UploadBegin, Endpoint::Uploads { name }) => {
                uploads::begin(registry, &self.entry, &principal, &name, request, body).await
            }
            (Action::UploadStatus, Endpoint::Upload { name, id }) => uploads::get(registry, &name, &id).await,
            (Action::UploadAppend, Endpoint::Upload { name, id }) => {
                uploads::append(registry, &name, &id, request, body).await
            }
            (Action::UploadFinish, Endpoint::Upload { name, id }) => {
                uploads::finish(registry, &name, &id, request, body).await
            }
            (Action::UploadCancel, Endpoint::Upload { name, id }) => {
                uploads::cancel(registry, &name, &id).await
            }
            // Every other action was made from its own endpoint.
            _ => Ok(base::ping()),
        }
    }
}

/// What the log says about a request, if anybody wants to know. The query stays out: it may carry a signature.
struct RequestLog(Option<(http::Method, String, Instant)>);

impl RequestLog {
    fn begin(request: &http::Request<Body>) -> Self {
        let is_wanted = tracing::enabled!(tracing::Level::DEBUG);
        Self(is_wanted.then(|| (request.method().clone(), request.uri().path().to_owned(), Instant::now())))
    }

    fn end(self, response: &Response<Body>) {
        if let Some((method, path, began)) = self.0 {
            let duration_ms = began.elapsed().as_secs_f64() * 1000.0;
            tracing::debug!(%method, path, status = response.status().as_u16(), duration_ms, "answered");
        }
    }
}

/// A HEAD has the headers of a GET, and no body; a body of known length tells that length.
fn without_body(response: Response<Body>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    let length = http_body::Body::size_hint(&body).exact();
    if let (Some(length @ 1..), false) = (length, head.headers.contains_key(header::CONTENT_LENGTH)) {
        head.headers.insert(header::CONTENT_LENGTH, length.into());
    }
    Response::from_parts(head, empty())
}
