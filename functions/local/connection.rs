//! How commands reach a registry: a remote one, the running server of the data folder, or the folder itself.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use embedded::OpenError;
use http::{HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use registry::http::{BoxError, Service};
use serde_json::Value;
use tokio::net::UnixStream;

use crate::housekeeping::Housekeeping;
use crate::operator;
use crate::remote::Remote;
use crate::settings::Settings;
use crate::site::Site;
use crate::storage::Storage;

/// A way to ask a registry.
pub(crate) enum Connection {
    /// Nothing serves the folder, so this process does.
    Own(Box<Site>),
    /// Another process serves it, and has a socket for whoever holds the folder.
    Server(PathBuf),
    /// It is somewhere else, and knows its users by what they show.
    Remote(Box<Remote>),
}

impl Connection {
    /// Finds a way to the registry of this folder. Whoever holds its lock serves it; an old socket is not believed.
    pub(crate) async fn open(data: &Path) -> Result<Self> {
        Self::found(Storage::open_existing(data), data).await
    }

    /// Finds the same, and makes a registry where none is.
    pub(crate) async fn open_or_make(data: &Path) -> Result<Self> {
        Self::found(Storage::open(data), data).await
    }

    /// Finds the same, for what a registry does for itself by these settings.
    pub(crate) async fn keeping_house(settings: &Settings) -> Result<Self> {
        let storage = match Storage::open_existing(&settings.data) {
            Ok(storage) => storage.lasting(settings.collection.lifetimes),
            in_use => return Self::found(in_use, &settings.data).await,
        };
        let access = storage.operator_access()?;
        let registry = storage.registry();
        let housekeeping = Housekeeping::new(&storage, &registry, access.clone(), settings.collection);
        let site = Site::new(Service::guarded(access.clone()), access).with_housekeeping(housekeeping);
        Ok(Self::Own(Box::new(site)))
    }

    /// Goes to the registry at an address.
    pub(crate) fn remote(address: Uri) -> Result<Self> {
        Ok(Self::Remote(Box::new(Remote::new(address)?)))
    }

    async fn found(storage: Result<Storage>, data: &Path) -> Result<Self> {
        match storage {
            Ok(storage) => {
                let access = storage.operator_access()?;
                Ok(Self::Own(Box::new(Site::new(Service::guarded(access.clone()), access))))
            }
            Err(error) if is_in_use(&error) => {
                let socket = operator::socket(data);
                UnixStream::connect(&socket)
                    .await
                    .with_context(|| format!("another process uses the data folder: {}", socket.display()))?;
                Ok(Self::Server(socket))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns what somebody can do whom the registry does not know; nothing where nobody has to log in.
    pub(crate) fn advice(&self) -> Option<String> {
        match self {
            Self::Remote(remote) => Some(remote.advice()),
            Self::Own(_) | Self::Server(_) => None,
        }
    }

    /// Asks without a body; an answer that is an error becomes one here.
    pub(crate) async fn ask(&self, method: Method, path: &str) -> Result<Response<Bytes>> {
        self.ask_with(method, path, None).await
    }

    /// Asks with a JSON body, if there is one; an answer that is an error becomes one here.
    pub(crate) async fn ask_with(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response<Bytes>> {
        let mut request = Request::builder().method(method).uri(path).body(Bytes::new())?;
        if let Some(body) = body {
            *request.body_mut() = serde_json::to_vec(body)?.into();
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        let response = self.send(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let advice = match self {
            Self::Remote(remote) => remote.advice_after(&response),
            Self::Own(_) | Self::Server(_) => None,
        };
        match advice {
            Some(advice) => bail!("{}: {advice}", refusal(&response)),
            None => bail!("{}", refusal(&response)),
        }
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        match self {
            Self::Own(site) => {
                let body = |bytes| Full::new(bytes).map_err(|never| match never {}).boxed_unsync();
                collect(site.clone().answer(request.map(body)).await).await
            }
            Self::Server(socket) => send_to_socket(socket, request).await,
            Self::Remote(remote) => remote.send(request).await,
        }
    }
}

async fn send_to_socket(socket: &Path, mut request: Request<Bytes>) -> Result<Response<Bytes>> {
    let stream = UnixStream::connect(socket).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    request.headers_mut().insert(header::HOST, HeaderValue::from_static("localhost"));
    collect(sender.send_request(request.map(Full::new)).await?).await
}

/// Returns whether another process has the data folder.
pub(crate) fn is_in_use(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<OpenError>(), Some(OpenError::InUse))
}

async fn collect<B>(response: Response<B>) -> Result<Response<Bytes>>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let (head, body) = response.into_parts();
    let body =
        body.collect().await.map_err(Into::into).map_err(anyhow::Error::from_boxed).context("answer")?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

/// Returns why a registry refuses: a problem's detail, or the messages that the specification has for it.
pub(crate) fn refusal(response: &Response<Bytes>) -> String {
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    if let Some(detail) = body["detail"].as_str() {
        return crate::output::printable(detail).into_owned();
    }
    let errors = body["errors"].as_array().into_iter().flatten();
    let messages: Vec<&str> = errors.filter_map(|error| error["message"].as_str()).collect();
    match messages.is_empty() {
        true => format!("the answer was {} without a reason; is that a Slipway registry?", response.status()),
        false => crate::output::printable(&messages.join("; ")).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_words_of_whoever_refused() {
        let told = |body: &'static str| {
            let response = Response::builder().status(403).body(Bytes::from_static(body.as_bytes())).unwrap();
            refusal(&response)
        };
        assert_eq!(told(r#"{"title":"Forbidden","status":403,"detail":"not yours"}"#), "not yours");
        assert_eq!(told(r#"{"errors":[{"message":"a"},{"message":"b"}]}"#), "a; b");
        let silent = "the answer was 403 Forbidden without a reason; is that a Slipway registry?";
        assert_eq!(told("<html>"), silent);
        assert_eq!(told(r#"{"detail":"\u001b[2J"}"#), r"\u{1b}[2J");
    }
}
