//! The Rust crate `oci-client`: chunks of 4 MiB, no questions before a push.

use std::fs;

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::Result as ClientResult;
use oci_client::manifest::{OCI_IMAGE_INDEX_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client as Crate, Reference};
use serde_json::Value;
use test_support::images::Layout;
use tokio::runtime::{Builder, Runtime};

use crate::contract::{Client, IndexClient, client_tests, start_server};
use crate::images::{ARTIFACT_TYPE, IMAGES, layers, layout_of};
use crate::tool::Failure;

client_tests! { OciClient:
    pushes_and_pulls_back_the_same_image,
    sends_no_layer_that_is_already_there,
    mounts_layers_into_another_repository,
    pushes_an_index_and_pulls_back_each_platform,
    an_artifact_refers_to_what_was_pushed,
    finds_nothing_where_a_tag_or_a_manifest_was_deleted,
    finishes_a_push_that_a_kill_interrupted,
    finishes_a_push_that_a_shutdown_interrupted,
}

#[test]
fn pushes_each_blob_in_one_request() {
    let client = OciClient::new(true);
    let server = start_server();
    let reference = format!("{}/team/app:1", server.address());
    client.push("large", &reference).unwrap();
    assert_eq!(client.pull(&reference).unwrap(), IMAGES.digest("large"));
}

#[test]
fn mounts_by_its_own_call() {
    let client = OciClient::new(false);
    let server = start_server();
    let [app, other] = ["team/app", "other/app"].map(|name| format!("{}/{name}:1", server.address()));
    client.push("small", &app).unwrap();
    let (from, into) = (app.parse().unwrap(), other.parse().unwrap());
    for layer in layers("small") {
        client.runtime.block_on(client.crate_.mount_blob(&into, &from, &layer)).unwrap();
        assert!(client.runtime.block_on(client.crate_.blob_exists(&into, &layer)).unwrap());
    }
}

#[test]
fn lists_the_referrers_of_an_image() {
    let client = OciClient::new(false);
    let server = start_server();
    for image in ["small", "artifact"] {
        client.push(image, &format!("{}/team/app:{image}", server.address())).unwrap();
    }
    let subject = format!("{}/team/app@{}", server.address(), IMAGES.digest("small")).parse().unwrap();
    for (artifact_type, expected) in [(ARTIFACT_TYPE, 1), ("application/vnd.example.other", 0)] {
        let listing = client.crate_.pull_referrers(&subject, Some(artifact_type));
        let found = client.runtime.block_on(listing).unwrap().manifests;
        assert_eq!(found.len(), expected, "referrers of type {artifact_type}");
        assert!(found.iter().all(|entry| entry.digest == IMAGES.digest("artifact")));
    }
}

/// The crate with a runtime; what identifies an image is the digest of its manifest.
pub(crate) struct OciClient {
    crate_: Crate,
    runtime: Runtime,
}

impl OciClient {
    fn new(use_monolithic_push: bool) -> Self {
        let protocol = ClientProtocol::Http;
        let config = ClientConfig { protocol, use_monolithic_push, ..ClientConfig::default() };
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self { crate_: Crate::new(config), runtime }
    }

    /// Pushes the manifest with `digest` after all that it names.
    async fn push_manifest(&self, layout: &Layout, digest: &str, reference: &Reference) -> ClientResult<()> {
        let manifest = layout.manifest(digest);
        for child in children(&manifest) {
            let child_reference = reference.clone_with_digest(child.to_owned());
            Box::pin(self.push_manifest(layout, child, &child_reference)).await?;
        }
        for blob in blobs(&manifest) {
            if !self.crate_.blob_exists(reference, blob).await? {
                self.crate_.push_blob(reference, fs::read(layout.blob(blob)).unwrap(), blob).await?;
            }
        }
        let media_type = manifest["mediaType"].as_str().unwrap().parse().unwrap();
        let bytes = fs::read(layout.blob(digest)).unwrap();
        self.crate_.push_manifest_raw(reference, bytes, media_type).await.map(drop)
    }

    /// Pulls the image and all its blobs, which the crate checks; returns the digest of the manifest.
    async fn pull_image(&self, reference: &Reference) -> ClientResult<String> {
        let accepted = [OCI_IMAGE_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE];
        let (manifest, digest) =
            self.crate_.pull_manifest_raw(reference, &RegistryAuth::Anonymous, &accepted).await?;
        for blob in blobs(&serde_json::from_slice(&manifest)?) {
            self.crate_.pull_blob(reference, blob, &mut Vec::new()).await?;
        }
        Ok(digest)
    }
}

impl Client for OciClient {
    const MOUNTS: bool = false;

    fn start(_test: &str) -> Option<Self> {
        Some(Self::new(false))
    }

    fn load(&mut self, image: &str) -> String {
        layout_of(image).digest(image)
    }

    fn push(&self, image: &str, reference: &str) -> Result<(), Failure> {
        let (layout, reference) = (layout_of(image), reference.parse().unwrap());
        let push = async { self.push_manifest(layout, &layout.digest(image), &reference).await };
        self.runtime.block_on(push).map_err(|error| Failure(error.to_string()))
    }

    fn pull(&self, reference: &str) -> Result<String, Failure> {
        let pull = async { self.pull_image(&reference.parse().unwrap()).await };
        self.runtime.block_on(pull).map_err(|error| Failure(error.to_string()))
    }
}

impl IndexClient for OciClient {
    fn push_index(&mut self, reference: &str) -> (String, String) {
        self.push("multi", reference).unwrap();
        (IMAGES.digest("small"), IMAGES.digest("small-arm64"))
    }

    fn pull_platform(&self, reference: &str, architecture: &str) -> Result<String, Failure> {
        let reference: Reference = reference.parse().unwrap();
        let pull = async {
            let accepted = [OCI_IMAGE_INDEX_MEDIA_TYPE];
            let (index, _digest) =
                self.crate_.pull_manifest_raw(&reference, &RegistryAuth::Anonymous, &accepted).await?;
            let index: Value = serde_json::from_slice(&index)?;
            let mut entries = index["manifests"].as_array().unwrap().iter();
            let entry = entries.find(|entry| entry["platform"]["architecture"] == architecture).unwrap();
            let digest = entry["digest"].as_str().unwrap().to_owned();
            self.pull_image(&reference.clone_with_digest(digest)).await
        };
        self.runtime.block_on(pull).map_err(|error| Failure(error.to_string()))
    }
}

fn children(manifest: &Value) -> impl Iterator<Item = &str> {
    manifest["manifests"].as_array().into_iter().flatten().map(|child| child["digest"].as_str().unwrap())
}

fn blobs(manifest: &Value) -> impl Iterator<Item = &str> {
    let layers = manifest["layers"].as_array().into_iter().flatten();
    layers.chain(manifest.get("config")).map(|blob| blob["digest"].as_str().unwrap())
}
