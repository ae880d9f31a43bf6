//! A proxy that does one thing wrong.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::fault::Fault;
use crate::message::{Reply, Request};
use crate::upstream::Upstream;

pub(crate) struct Proxy {
    upstream: Upstream,
    fault: Fault,
}

impl Proxy {
    /// Serves on a free port until the runtime ends; returns `127.0.0.1:<port>`.
    pub(crate) async fn start(upstream: Upstream, fault: Fault, tls: Option<TlsAcceptor>) -> String {
        let proxy = Arc::new(Self { upstream, fault });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (proxy, tls) = (proxy.clone(), tls.clone());
                tokio::spawn(async move {
                    let Some(tls) = tls else { return proxy.serve(stream).await };
                    // A client that does not trust the certificate goes away.
                    if let Ok(stream) = tls.accept(stream).await {
                        proxy.serve(stream).await;
                    }
                });
            }
        });
        address
    }

    async fn serve(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let service = service_fn(move |request| {
            let proxy = self.clone();
            async move { Ok::<_, Infallible>(proxy.answer(request).await) }
        });
        // A client that breaks off is not the proxy's business.
        drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
    }

    async fn answer(&self, request: http::Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let mut request = Request {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body: Bytes::new(),
        };
        if let Some(reply) = self.fault.reply_early(&request) {
            // The body is not read, and the connection will be reset.
            return response(reply);
        }
        let Ok(body) = body.collect().await else { return response(Reply::new(400)) };
        request.body = body.to_bytes();
        response(self.reply(&mut request).await)
    }

    async fn reply(&self, request: &mut Request) -> Reply {
        if let Some(reply) = self.fault.reply_before(request) {
            return reply;
        }
        let mut reply = match (&self.fault.edge, self.refusal(request)) {
            (Some(edge), _) if edge.is_direct(request) => edge.handle(&self.upstream, request).await,
            (_, Some(refusal)) => refusal,
            (Some(edge), None) => edge.handle(&self.upstream, request).await,
            (None, None) => self.upstream.forward(request).await,
        };
        self.fault.change_after(request, &mut reply);
        reply
    }

    /// What the accounts say, if there are any.
    fn refusal(&self, request: &Request) -> Option<Reply> {
        self.fault.accounts.as_ref()?.answer(request)
    }
}

fn response(mut reply: Reply) -> Response<Full<Bytes>> {
    // The body may have another length now; a HEAD has only what the header says.
    if !reply.body.is_empty() {
        reply.headers.remove("content-length");
    }
    reply.headers.remove("transfer-encoding");
    let mut response = Response::new(Full::new(reply.body));
    *response.status_mut() = http::StatusCode::from_u16(reply.status).unwrap();
    *response.headers_mut() = reply.headers;
    response
}
