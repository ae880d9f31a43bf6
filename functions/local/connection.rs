//! How commands reach a registry: through the running server of the data folder, or the folder itself.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use embedded::OpenError;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use registry::http::{BoxError, Service};
use tokio::net::UnixStream;

use crate::operator;
use crate::storage::Storage;

/// A way to ask a registry.
pub(crate) enum Connection {
    /// Nothing serves the folder, so this process does.
    Own(Box<Service>),
    /// Another process serves it, and has a socket for whoever holds the folder.
    Server(PathBuf),
}

impl Connection {
    /// Finds a way to the registry of this folder. Whoever holds its lock serves it; an old socket is not believed.
    pub(crate) async fn open(data: &Path) -> Result<Self> {
        match Storage::open_existing(data) {
            Ok(storage) => Ok(Self::Own(Service::guarded(storage.operator_access()?).into())),
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

    /// Asks; an answer that is an error becomes one here.
    pub(crate) async fn ask(&self, method: Method, path: &str) -> Result<Response<Bytes>> {
        let request = Request::builder().method(method).uri(path);
        let response = match self {
            Self::Own(service) => {
                let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
                collect(service.handle(request.body(body)?).await).await?
            }
            Self::Server(socket) => {
                let stream = UnixStream::connect(socket).await?;
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
                tokio::spawn(connection);
                let request = request.header(header::HOST, "localhost");
                collect(sender.send_request(request.body(Empty::<Bytes>::new())?).await?).await?
            }
        };
        if response.status().is_success() { Ok(response) } else { bail!("{}", error_message(&response)) }
    }
}

fn is_in_use(error: &anyhow::Error) -> bool {
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

fn error_message(response: &Response<Bytes>) -> String {
    match serde_json::from_slice::<oci::ErrorBody>(response.body()) {
        Ok(body) => body.errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join("; "),
        Err(_) => format!("the registry answered {}", response.status()),
    }
}
