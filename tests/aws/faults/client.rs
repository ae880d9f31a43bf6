//! A client: requests as events of the gateway, and the functions' answers.

use api::Function;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;
use lambda_http::request::LambdaRequest;
use lambda_http::{Context, LambdaEvent};
use serde_json::{Map, Value, json};

use crate::content::Content;
use crate::fault::SECRET;
use crate::world::Functions;

/// Asks the functions, each for what the gateway's routes send it.
#[derive(Clone)]
pub(crate) struct Client(pub(crate) Functions);

/// An answer as the gateway gets it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Map<String, Value>,
    pub(crate) body: Bytes,
}

impl Reply {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].as_str().unwrap()
    }

    /// Fails unless this is the documented answer to a request whose storage failed.
    #[track_caller]
    pub(crate) fn assert_is_refusal(&self, is_head: bool) {
        let code = match self.status {
            429 => "TOOMANYREQUESTS",
            503 => "UNAVAILABLE",
            _ => panic!("neither 429 nor 503: {self:?}"),
        };
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        if is_head {
            return assert!(self.body.is_empty(), "{self:?}");
        }
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"));
        assert_eq!(body["errors"][0]["code"], code, "{self:?}");
        assert!(!body.to_string().contains(SECRET), "the client reads what AWS said: {self:?}");
    }
}

impl Reply {
    /// Fails unless this is the management API's documented answer to a request whose storage failed.
    #[track_caller]
    pub(crate) fn assert_is_problem(&self) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert!(self.header("retry-after").parse::<u32>().is_ok(), "{self:?}");
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"));
        assert_eq!(body["status"], self.status, "{self:?}");
        assert!(!body.to_string().contains(SECRET), "the client reads what AWS said: {self:?}");
    }
}

impl Client {
    pub(crate) async fn send(&self, method: &Method, target: &str, body: &Content) -> Reply {
        let Functions { read, write, .. } = &self.0;
        let function = if [Method::GET, Method::HEAD].contains(method) { read } else { write };
        answered(function.clone(), event(method, target, body), self.0.ended_by_lambda()).await
    }

    pub(crate) async fn ask(&self, method: Method, target: &str) -> Reply {
        self.send_bytes(method, target, Bytes::new()).await
    }

    pub(crate) async fn send_bytes(&self, method: Method, target: &str, bytes: impl Into<Bytes>) -> Reply {
        let media_type = "application/octet-stream";
        self.send(&method, target, &Content { bytes: bytes.into(), digest: String::new(), media_type }).await
    }

    pub(crate) async fn put_manifest(&self, repository: &str, reference: &str, manifest: &Content) -> Reply {
        self.send(&Method::PUT, &format!("/v2/{repository}/manifests/{reference}"), manifest).await
    }

    /// Pushes a blob in one go.
    pub(crate) async fn post_blob(&self, repository: &str, blob: &Content) -> Reply {
        let target = format!("/v2/{repository}/blobs/uploads/?digest={}", blob.digest);
        self.send_bytes(Method::POST, &target, blob.bytes.clone()).await
    }

    /// Begins an upload. Returns its path, without the query by which bytes can go to S3.
    pub(crate) async fn begin(&self) -> String {
        let begun = self.ask(Method::POST, "/v2/app/blobs/uploads/").await.expect(202);
        begun.header("location").split('?').next().unwrap().to_owned()
    }

    pub(crate) async fn patch(&self, upload: &str, bytes: Bytes) -> Reply {
        self.send_bytes(Method::PATCH, upload, bytes).await
    }
}

/// Returns what the function says to the event; Lambda ends it when that is over.
pub(crate) async fn answered(function: Function, event: Value, ended: impl Future<Output = ()>) -> Reply {
    let event: LambdaRequest = serde_json::from_value(event).unwrap();
    let answer = tokio::select! {
        answer = api::answer(function, LambdaEvent::new(event, Context::default())) => answer.unwrap(),
        () = ended => panic!("Lambda ended the function, and the client got the gateway's 503"),
    };
    reply(&serde_json::to_value(answer).unwrap())
}

pub(crate) fn event(method: &Method, target: &str, body: &Content) -> Value {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": { "host": "api.example", "content-type": body.media_type, "x-viewer-host": "edge.example" },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "standin",
            "domainName": "api.example",
            "domainPrefix": "api",
            "http": {
                "method": method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "tests",
            },
            "requestId": "1",
            "routeKey": "$default",
            "stage": "$default",
            "time": "21/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1_795_262_400_000_u64,
        },
        "body": STANDARD.encode(&body.bytes),
        "isBase64Encoded": true,
    })
}

fn reply(answer: &Value) -> Reply {
    let body = answer["body"].as_str().unwrap_or_default().to_owned();
    let body = match answer["isBase64Encoded"].as_bool() {
        Some(true) => STANDARD.decode(body).unwrap(),
        _ => body.into_bytes(),
    };
    let status = u16::try_from(answer["statusCode"].as_u64().unwrap()).unwrap();
    let headers = answer["headers"].as_object().cloned().unwrap_or_default();
    Reply { status, headers, body: body.into() }
}
