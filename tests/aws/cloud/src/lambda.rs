//! Lambda's API, as far as `aws lambda invoke --endpoint-url` needs it: how an operator asks for a job.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use gateway_standin::{Function, InvokeError};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

type Functions = Arc<BTreeMap<&'static str, Function>>;

/// Listens, and invokes functions by their names in the template; returns where. Signatures are not looked at.
pub(crate) async fn listen(functions: BTreeMap<&'static str, Function>) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let address = listener.local_addr()?;
    let functions: Functions = Arc::new(functions);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let functions = functions.clone();
            let answer = service_fn(move |request| answer(functions.clone(), request));
            let connection = hyper::server::conn::http1::Builder::new();
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), answer));
        }
    });
    Ok(address)
}

async fn answer(
    functions: Functions,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let event = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let name = path.strip_prefix("/2015-03-31/functions/").and_then(|rest| rest.strip_suffix("/invocations"));
    let Some(function) = name.and_then(|name| functions.get(name)) else {
        return Ok(response(404, r#"{"Type":"User","Message":"Function not found"}"#.to_owned()));
    };
    let Ok(event) = serde_json::from_slice(&event) else {
        return Ok(response(400, r#"{"Type":"User","Message":"The payload is no JSON"}"#.to_owned()));
    };
    Ok(match function.invoke(&event).await {
        Ok(answer) => response(200, answer.to_string()),
        Err(error) => failed(&error),
    })
}

/// That a function failed is told in a header; the invocation itself went well.
fn failed(error: &InvokeError) -> Response<Full<Bytes>> {
    let mut response = response(200, serde_json::json!({ "errorMessage": error.to_string() }).to_string());
    response
        .headers_mut()
        .insert("x-amz-function-error", hyper::header::HeaderValue::from_static("Unhandled"));
    response
}

fn response(status: u16, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response
}
