//! The HTTP server in front of the functions.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use chrono::Utc;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::composed::compose;
use crate::event::{Call, event};
use crate::limits::{MAX_BODY_BYTES, MAX_HEAD_BYTES, head_bytes};
use crate::path::event_path;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::route::choose;
use crate::{Function, GatewayOptions};

/// A running gateway on a free loopback port; it stops when dropped.
pub struct Gateway {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Gateway {
    /// Starts a gateway.
    ///
    /// # Panics
    ///
    /// When a route names a function that is not among the options.
    pub async fn start(options: GatewayOptions) -> io::Result<Self> {
        for route in &options.routes {
            let is_known = options.functions.contains_key(&route.function);
            assert!(is_known, "route `{}` names the unknown function `{}`", route.key(), route.function);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let served = Arc::new(Served { options, requests: AtomicU64::new(0) });
        Ok(Self { address, accepting: tokio::spawn(accept(listener, served)) })
    }

    /// Returns the address that the gateway listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of `path`, which starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The connections end with the task that runs this.
async fn accept(listener: TcpListener, served: Arc<Served>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, client)) = accepted {
                connections.spawn(connect(stream, client, served.clone()));
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn connect(stream: TcpStream, client: SocketAddr, served: Arc<Served>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(move |request| {
        let served = served.clone();
        async move { Ok::<_, Infallible>(served.answer(request, client).await) }
    });
    let connection =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    // The client may go away at any time.
    drop(connection.await);
}

struct Served {
    options: GatewayOptions,
    requests: AtomicU64,
}

impl Served {
    async fn answer(&self, request: Request<Incoming>, client: SocketAddr) -> Response<Full<Bytes>> {
        let request_id = format!("standin{:09}", self.requests.fetch_add(1, Ordering::Relaxed));
        let served = self.serve(request, client, &request_id).await;
        let mut response = served.unwrap_or_else(Refusal::response);
        response.headers_mut().insert("apigw-requestid", HeaderValue::from_str(&request_id).unwrap());
        response
    }

    async fn serve(
        &self,
        request: Request<Incoming>,
        client: SocketAddr,
        request_id: &str,
    ) -> Result<Response<Full<Bytes>>, Refusal> {
        let (parts, body) = request.into_parts();
        let body = whole_body(body).await;
        if head_bytes(&parts) > MAX_HEAD_BYTES {
            return Err(Refusal::HEAD_TOO_LARGE);
        }
        let body = body.ok_or(Refusal::TOO_LARGE)?;
        let manners = self.options.manners;
        let path = event_path(parts.uri.path(), manners).ok_or(Refusal::BAD_REQUEST)?;
        let (route, variables) =
            choose(&self.options.routes, parts.method.as_str(), &path).ok_or(Refusal::NOT_FOUND)?;
        let call = Call {
            parts: &parts,
            body: &body,
            path,
            route,
            variables,
            source_ip: client.ip(),
            request_id,
            now: Utc::now(),
        };
        let event = event(&call, &self.options);
        let value = self.invoke(&self.options.functions[&route.function], event).await?;
        let reply = Reply::parse(value, manners).ok_or(Refusal::INTERNAL)?;
        Ok(compose(&reply, &parts.method, route, manners))
    }

    /// A function goes on when its time is up or the client has gone, as on AWS.
    async fn invoke(&self, function: &Function, event: Value) -> Result<Value, Refusal> {
        let function = function.clone();
        let invocation = tokio::spawn(async move { function.invoke(&event).await });
        match tokio::time::timeout(self.options.integration_timeout, invocation).await {
            Err(_elapsed) => Err(Refusal::UNAVAILABLE),
            Ok(Err(_panicked)) => Err(Refusal::INTERNAL),
            Ok(Ok(invoked)) => invoked.map_err(Refusal::from),
        }
    }
}

/// Returns the whole body, or `None` when it is too large or breaks off.
///
/// A body that is too large is read to its end, so that the client has finished sending when it is refused.
async fn whole_body(mut body: Incoming) -> Option<Bytes> {
    let mut bytes = BytesMut::new();
    let mut is_whole = true;
    while let Some(frame) = body.frame().await {
        let data = frame.ok()?.into_data().unwrap_or_default();
        is_whole &= bytes.len() + data.len() <= MAX_BODY_BYTES;
        if is_whole {
            bytes.extend_from_slice(&data);
        }
    }
    is_whole.then(|| bytes.freeze())
}
