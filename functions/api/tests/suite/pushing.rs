//! A push, event by event.

use serde_json::{Value, json};

use crate::source::Sent;
use crate::world::World;

/// What no text can hold.
pub(crate) const LAYER: &[u8] = b"\x00\xff\x10\xc3\n";
pub(crate) const LAYER_DIGEST: &str =
    "sha256:bdacb544e4c1e6d16168f8da7cb33e176eb19223d21df7042a87ba1c3f526a42";

pub(crate) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// Sends a layer by a source: begin, one PATCH without a type, an empty PUT.
pub(crate) async fn push_layer(world: &World, source: &str) {
    let begin = Sent::new("POST", "/v2/team/app/blobs/uploads/");
    let location = world.ask(&begin.event(source)).await.expect(202).header("location").to_owned();
    let patch = Sent { body: LAYER, ..Sent::to("PATCH", &location) };
    let patched = world.ask(&patch.event(source)).await.expect(202);
    assert_eq!(patched.header("range"), "0-4", "{source}");
    let query = format!("digest={}", LAYER_DIGEST.replace(':', "%3A"));
    let put = Sent { query: &query, ..Sent::to("PUT", &location) };
    let committed = world.ask(&put.event(source)).await.expect(201);
    assert_eq!(committed.header("docker-content-digest"), LAYER_DIGEST, "{source}");
}

/// A manifest of the layer; its annotation is not ASCII, so that a wrong encoding shows.
pub(crate) fn manifest(more: &Value) -> Vec<u8> {
    let blob =
        json!({ "mediaType": "application/octet-stream", "digest": LAYER_DIGEST, "size": LAYER.len() });
    let mut manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": blob, "layers": [blob],
        "annotations": { "author": "Zoë „Ω“" },
    });
    manifest.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    manifest.to_string().into_bytes()
}

pub(crate) async fn put_manifest(
    world: &World,
    source: &str,
    reference: &str,
    body: &[u8],
    is_text: bool,
) -> String {
    let path = format!("/v2/team/app/manifests/{reference}");
    let headers = [("content-type", MANIFEST_TYPE)];
    let put = Sent { headers: &headers, body, is_text, ..Sent::new("PUT", &path) };
    let pushed = world.ask(&put.event(source)).await.expect(201);
    pushed.header("docker-content-digest").to_owned()
}
