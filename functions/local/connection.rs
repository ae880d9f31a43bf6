//! How commands reach a registry: through the running server of the data folder, or the folder itself.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use embedded::OpenError;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use registry::http::{BoxError, Service};
use tokio::net::TcpStream;

use crate::storage::{Storage, noted_address};

/// A way to ask a registry.
pub(crate) enum Connection {
    /// Nothing serves the folder, so this process does.
    Own(Service),
    /// Another process serves it there.
    Server(SocketAddr),
}

impl Connection {
    /// Finds a way to the registry of this folder. Whoever holds its lock serves it; an old note is not believed.
    pub(crate) async fn open(data: &Path) -> Result<Self> {
        match Storage::open_existing(data) {
            Ok(storage) => Ok(Self::Own(Service::new(storage.registry()))),
            Err(error) if is_in_use(&error) => {
                let address = noted_address(data).context("another process uses the data folder")?;
                TcpStream::connect(address).await.with_context(|| format!("the registry at {address}"))?;
                Ok(Self::Server(address))
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
            Self::Server(address) => {
                let stream = TcpStream::connect(address).await?;
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
                tokio::spawn(connection);
                let request = request.header(header::HOST, address.to_string());
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
