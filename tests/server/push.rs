//! A client that pushes.

use reqwest::blocking::{Body, Client, Response};
use serde_json::json;
use test_support::content::sha256;
use test_support::server::Server;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Pushes a blob in one go.
pub(crate) fn blob(server: &Server, name: &str, bytes: &[u8]) -> Response {
    let url = server.url(&format!("/v2/{name}/blobs/uploads/?digest={}", sha256(bytes)));
    Client::new().post(url).body(bytes.to_vec()).send().unwrap()
}

/// Begins an upload and returns its URL.
pub(crate) fn begin(server: &Server, name: &str) -> String {
    let response = Client::new().post(server.url(&format!("/v2/{name}/blobs/uploads/"))).send().unwrap();
    assert_eq!(response.status(), 202);
    server.url(response.headers()["location"].to_str().unwrap())
}

/// Appends bytes without a range.
pub(crate) fn patch(url: &str, body: impl Into<Body>) -> reqwest::Result<Response> {
    Client::builder().timeout(None).build().unwrap().patch(url).body(body).send()
}

/// Returns how many bytes of an upload are stored.
pub(crate) fn offset(url: &str) -> u64 {
    let response = Client::new().get(url).send().unwrap();
    assert_eq!(response.status(), 204);
    let range = response.headers()["range"].to_str().unwrap().to_owned();
    match range.strip_prefix("0-").unwrap().parse::<u64>().unwrap() {
        0 => 0,
        last => last + 1,
    }
}

/// Commits an upload.
pub(crate) fn commit(url: &str, whole: &[u8]) -> Response {
    Client::new().put(format!("{url}?digest={}", sha256(whole))).send().unwrap()
}

/// Pushes an image of one layer; returns the digest of its manifest.
pub(crate) fn image(server: &Server, name: &str, tag: &str, layer: &[u8]) -> String {
    assert_eq!(blob(server, name, layer).status(), 201);
    assert_eq!(blob(server, name, b"{}").status(), 201);
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": sha256(b"{}"), "size": 2},
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": sha256(layer), "size": layer.len()
        }],
    });
    let bytes = serde_json::to_vec(&manifest).unwrap();
    let url = server.url(&format!("/v2/{name}/manifests/{tag}"));
    let response =
        Client::new().put(url).header("content-type", MANIFEST).body(bytes.clone()).send().unwrap();
    assert_eq!(response.status(), 201);
    sha256(&bytes)
}

/// Puts a manifest at a path that names its digest and tags.
pub(crate) fn tags(server: &Server, path: &str, manifest: &[u8]) {
    let request =
        Client::new().put(server.url(path)).header("content-type", MANIFEST).body(manifest.to_vec());
    assert_eq!(request.send().unwrap().status(), 201);
}

/// Returns the bytes at this path, or the status that is not 200.
pub(crate) fn get(server: &Server, path: &str) -> Result<Vec<u8>, u16> {
    let response = Client::new().get(server.url(path)).send().unwrap();
    match response.status().as_u16() {
        200 => Ok(response.bytes().unwrap().to_vec()),
        status => Err(status),
    }
}
