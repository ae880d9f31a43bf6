//! A client of the functions.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use test_support::access::{Answer, Ask, bearer};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Sends a request that shows this.
pub(crate) async fn send(
    service: &impl Ask,
    method: Method,
    path: &str,
    authorization: Option<&str>,
    body: (&str, Bytes),
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    let (media_type, bytes) = body;
    service.ask(request.header("content-type", media_type).body(bytes).unwrap()).await
}

/// Sends a request without a body.
pub(crate) async fn ask(service: &impl Ask, method: Method, path: &str, shown: &str) -> Answer {
    send(service, method, path, Some(shown), ("application/octet-stream", Bytes::new())).await
}

/// Reads.
pub(crate) async fn get(service: &impl Ask, path: &str, shown: Option<&str>) -> Answer {
    send(service, Method::GET, path, shown, ("application/octet-stream", Bytes::new())).await
}

/// Stores an index of nothing under the tag.
pub(crate) async fn put_index(service: &impl Ask, repository: &str, tag: &str, shown: &str) {
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] }).to_string();
    let path = format!("/v2/{repository}/manifests/{tag}");
    let answer = send(service, Method::PUT, &path, Some(shown), (INDEX, index.into())).await;
    assert_eq!(answer.status(), 201, "{answer:?}");
}

/// Returns what a client shows that was given an access token for everything in the repository.
pub(crate) async fn bearer_of(service: &impl Ask, shown: &str, repository: &str) -> String {
    let path = format!("/token?scope=repository:{repository}:pull,push,delete");
    let answer = get(service, &path, Some(shown)).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    bearer(body["token"].as_str().unwrap())
}
