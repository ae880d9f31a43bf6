//! Requests and answers whose bodies are too long for memory.

use std::sync::Arc;

use anyhow::{Context, Result};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use registry::http::Body;
use tokio::net::UnixStream;

use crate::client::payload::{Invitation, Payload};
use crate::connection::Connection;

/// A request to a registry, whose target is a path or, where an answer said so, a whole URL.
pub(crate) struct Order {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Payload,
}

impl Order {
    /// A request without a body.
    pub(crate) fn new(method: Method, target: impl Into<String>) -> Self {
        let takes_body = matches!(method, Method::POST | Method::PUT | Method::PATCH);
        let payload = if takes_body { Payload::Empty } else { Payload::None };
        Self { method, target: target.into(), headers: HeaderMap::new(), payload }
    }

    /// The same with a body of this type.
    pub(crate) fn with(mut self, content_type: &str, payload: Payload) -> Result<Self> {
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type)?);
        self.payload = payload;
        Ok(self)
    }

    /// The same with an Accept header.
    pub(crate) fn accepting(mut self, media_types: &'static str) -> Self {
        self.headers.insert(header::ACCEPT, HeaderValue::from_static(media_types));
        self
    }
}

impl Connection {
    /// Sends a request; the answer is given as it comes, whatever it says.
    pub(crate) async fn order(&self, order: Order) -> Result<Response<Body>> {
        match self {
            Self::Remote(remote) => remote.order(order).await,
            Self::Own(site) => Ok(site.clone().answer(request(order)?).await),
            Self::Server(socket) => {
                let stream = UnixStream::connect(socket).await.context("the running registry")?;
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
                tokio::spawn(connection);
                let mut request = request(order)?;
                request.headers_mut().insert(header::HOST, HeaderValue::from_static("localhost"));
                let response = sender.send_request(request).await?;
                Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
            }
        }
    }
}

fn request(order: Order) -> Result<Request<Body>> {
    let target: Uri = order.target.parse().context("the registry's Location")?;
    let path = target.path_and_query().map_or("/", |target| target.as_str());
    let mut request = Request::builder().method(order.method).uri(path).body(())?;
    *request.headers_mut() = order.headers;
    if let Some(length) = order.payload.length_bytes() {
        request.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    }
    let body = order.payload.into_body(&Arc::<Invitation>::default());
    Ok(request.map(|()| body.map_err(|never| match never {}).boxed_unsync()))
}
