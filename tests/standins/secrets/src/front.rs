//! The protocol: JSON 1.1, one path, the operation in a header.

use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

use crate::SECRET_NAME;
use crate::values::Values;

/// When every value was made, in seconds of Unix time: nobody here asks.
const CREATED_SECS: f64 = 1_795_262_400.0;

const GET_SECRET_VALUE: &str = "secretsmanager.GetSecretValue";

/// An error as AWS names it, and what it says.
type Refusal = (&'static str, String);

/// Answers until nobody waits for it any more.
pub(crate) async fn listen(listener: TcpListener, values: Arc<Values>) {
    while let Ok((stream, _)) = listener.accept().await {
        let values = values.clone();
        let service = service_fn(move |request| answer(values.clone(), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    values: Arc<Values>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let target = request.headers().get("x-amz-target").cloned();
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let (status, json) = match read(&values, target.as_ref(), &body) {
        Ok(json) => (StatusCode::OK, json),
        Err((name, message)) => (StatusCode::BAD_REQUEST, json!({ "__type": name, "Message": message })),
    };
    let mut response = Response::new(Full::new(json.to_string().into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    Ok(response)
}

fn read(values: &Values, target: Option<&HeaderValue>, body: &[u8]) -> Result<Json, Refusal> {
    if target.is_none_or(|target| target != GET_SECRET_VALUE) {
        return Err(("UnknownOperationException", format!("only {GET_SECRET_VALUE} is known here")));
    }
    let asked: Json = serde_json::from_slice(body)
        .map_err(|error| ("SerializationException", format!("the request is no JSON: {error}")))?;
    let id = asked["SecretId"].as_str().unwrap_or_default();
    if !is_the_secret(id) {
        let message = "Secrets Manager can't find the specified secret.".to_owned();
        return Err(("ResourceNotFoundException", message));
    }
    let stage = asked["VersionStage"].as_str().unwrap_or("AWSCURRENT");
    let value = values.at(stage).ok_or_else(|| {
        let message = "Secrets Manager can't find the specified secret value for staging label: ";
        ("ResourceNotFoundException", format!("{message}{stage}"))
    })?;
    Ok(json!({
        "ARN": format!("arn:aws:secretsmanager:eu-central-1:123456789012:secret:{SECRET_NAME}-a1b2c3"),
        "CreatedDate": CREATED_SECS, "Name": SECRET_NAME, "SecretString": value.secret,
        "VersionId": value.version_id, "VersionStages": [value.stage],
    }))
}

/// By its name, or by an ARN, which ends with six letters of Secrets Manager's own.
fn is_the_secret(id: &str) -> bool {
    let name = id.split(":secret:").last().unwrap_or_default();
    name == SECRET_NAME || (name != id && name.starts_with(&format!("{SECRET_NAME}-")))
}
