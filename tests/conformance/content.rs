//! What is pushed: bytes that nobody has pushed before, descriptors and manifests.

use serde_json::{Value, json};
use test_support::content::{noise, sha256};

use crate::client::unique_number;

/// An OCI image manifest.
pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
/// An OCI image index.
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// An OCI image config.
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// An OCI layer.
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// The config of an artifact that has none.
pub(crate) const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// A Docker schema 2 manifest.
pub(crate) const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// A Docker manifest list.
pub(crate) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// Returns bytes that no case and no earlier run has used.
pub(crate) fn fresh_bytes(size_bytes: usize) -> Vec<u8> {
    noise(unique_number(), size_bytes)
}

/// Returns the digest of bytes that nobody has.
pub(crate) fn unknown_digest() -> String {
    sha256(&fresh_bytes(32))
}

/// Returns a descriptor of `bytes`.
pub(crate) fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": sha256(bytes), "size": bytes.len() })
}

/// Returns a descriptor of a blob that nobody has.
pub(crate) fn unknown_descriptor(media_type: &str) -> Value {
    descriptor(media_type, &fresh_bytes(32))
}

/// A manifest: its media type and its bytes.
#[derive(Clone)]
pub(crate) struct Manifest {
    pub(crate) media_type: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: String,
}

impl Manifest {
    /// Returns `bytes` as a manifest, whatever they hold.
    pub(crate) fn of(media_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self { media_type: media_type.to_owned(), digest: sha256(&bytes), bytes }
    }

    /// Returns the manifest as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    /// Returns the manifest's descriptor.
    pub(crate) fn descriptor(&self) -> Value {
        descriptor(&self.media_type, &self.bytes)
    }
}

/// A manifest under construction, as JSON.
pub(crate) struct Draft(pub(crate) Value);

impl Draft {
    /// Sets a field.
    pub(crate) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0[field] = value.into();
        self
    }

    /// Removes a field.
    pub(crate) fn without(mut self, field: &str) -> Self {
        self.0.as_object_mut().unwrap().remove(field);
        self
    }

    /// Sets the subject.
    pub(crate) fn subject(self, subject: &Manifest) -> Self {
        self.with("subject", subject.descriptor())
    }

    /// Returns the manifest, with the media type that its JSON names.
    pub(crate) fn build(&self) -> Manifest {
        self.build_as(self.0["mediaType"].as_str().unwrap())
    }

    /// Returns the manifest with a media type of its own.
    pub(crate) fn build_as(&self, media_type: &str) -> Manifest {
        Manifest::of(media_type, serde_json::to_vec(&self.0).unwrap())
    }
}

/// Drafts an image of a config and layers.
pub(crate) fn image_of(config: &Value, layers: &[Value]) -> Draft {
    Draft(json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": layers }))
}

/// Drafts an index of manifests.
pub(crate) fn index_of(manifests: &[&Manifest]) -> Draft {
    let descriptors: Vec<Value> = manifests.iter().map(|manifest| manifest.descriptor()).collect();
    Draft(json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": descriptors }))
        .with("annotations", json!({ "conformance.unique": unique_number().to_string() }))
}
