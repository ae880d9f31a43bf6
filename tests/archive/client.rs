//! A client that pushes and pulls, and the commands.

use std::path::Path;
use std::process::Command;

use reqwest::blocking::Client;
use serde_json::{Value, json};
use test_support::content::{noise, sha256};
use test_support::server::Server;

use crate::binary;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An image of one layer, the same for the same seed.
pub(crate) struct Image {
    pub(crate) layer: Vec<u8>,
    pub(crate) manifest: Vec<u8>,
}

impl Image {
    pub(crate) fn new(seed: u64, layer_bytes: usize) -> Self {
        Self::with(noise(seed, layer_bytes), &json!({}))
    }

    fn with(layer: Vec<u8>, fields: &Value) -> Self {
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor("application/vnd.oci.empty.v1+json", b"{}"),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer)],
        });
        manifest.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        Self { layer, manifest: manifest.to_string().into_bytes() }
    }

    /// An artifact that refers to another image.
    pub(crate) fn about(&self, text: &str) -> Self {
        let subject = descriptor(MANIFEST, &self.manifest);
        Self::with(text.into(), &json!({ "artifactType": "text/note", "subject": subject }))
    }

    pub(crate) fn digest(&self) -> String {
        sha256(&self.manifest)
    }

    pub(crate) fn layer_digest(&self) -> String {
        sha256(&self.layer)
    }
}

pub(crate) fn index_of(images: &[&Image]) -> Vec<u8> {
    let children: Vec<Value> = images.iter().map(|image| descriptor(MANIFEST, &image.manifest)).collect();
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": children }).to_string().into_bytes()
}

pub(crate) fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": sha256(bytes), "size": bytes.len() })
}

pub(crate) fn blob(server: &Server, name: &str, bytes: &[u8]) {
    let head = Client::new().head(server.url(&format!("/v2/{name}/blobs/{}", sha256(bytes)))).send().unwrap();
    if head.status() == 404 {
        let url = server.url(&format!("/v2/{name}/blobs/uploads/?digest={}", sha256(bytes)));
        assert_eq!(Client::new().post(url).body(bytes.to_vec()).send().unwrap().status(), 201);
    }
}

pub(crate) fn manifest(server: &Server, name: &str, reference: &str, media_type: &str, bytes: &[u8]) {
    let url = server.url(&format!("/v2/{name}/manifests/{reference}"));
    let put = Client::new().put(url).header("content-type", media_type).body(bytes.to_vec());
    let response = put.send().unwrap();
    assert_eq!(response.status(), 201, "{}", response.text().unwrap());
}

/// Pushes an image as clients do: what is there is not sent again.
pub(crate) fn push(server: &Server, name: &str, reference: &str, image: &Image) {
    blob(server, name, &image.layer);
    blob(server, name, b"{}");
    manifest(server, name, reference, MANIFEST, &image.manifest);
}

/// Returns what is at a path, or the status that is not 200.
pub(crate) fn get(server: &Server, path: &str) -> Result<Vec<u8>, u16> {
    let response = Client::new().get(server.url(path)).send().unwrap();
    match response.status().as_u16() {
        200 => Ok(response.bytes().unwrap().to_vec()),
        status => Err(status),
    }
}

/// Fails unless the image can be pulled, byte for byte.
pub(crate) fn assert_pulls(server: &Server, name: &str, reference: &str, image: &Image) {
    assert_eq!(get(server, &format!("/v2/{name}/manifests/{reference}")).as_ref(), Ok(&image.manifest));
    let layer = get(server, &format!("/v2/{name}/blobs/{}", image.layer_digest()));
    assert!(layer.as_ref() == Ok(&image.layer), "the layer of {name}:{reference}");
}

/// What came of a command.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) text: String,
}

/// Runs a command with credentials of nobody.
pub(crate) fn slipway(home: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(binary());
    command.args(arguments).env("DOCKER_CONFIG", home).env_remove("SLIPWAY_REGISTRY");
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    Said { code: output.status.code().unwrap(), text }
}

/// The same for one that has to succeed.
pub(crate) fn does(home: &Path, arguments: &[&str]) -> String {
    let said = slipway(home, arguments);
    assert_eq!(said.code, 0, "{arguments:?}: {}", said.text);
    said.text
}
