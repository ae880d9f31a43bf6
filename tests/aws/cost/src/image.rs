//! What is pushed: the same image in every run.

use bytes::Bytes;
use oci::{Algorithm, Digest};
use serde_json::json;

use crate::assumptions::ImageSize;

/// The media type of the manifest.
pub(crate) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A layer or a config; its bytes are made when they are needed.
pub(crate) struct Blob {
    filling: u8,
    size_bytes: usize,
    pub(crate) digest: Digest,
}

impl Blob {
    fn new(filling: u8, size_bytes: usize) -> Self {
        let digest = Digest::of(Algorithm::Sha256, &bytes(filling, size_bytes));
        Self { filling, size_bytes, digest }
    }

    /// Returns its content.
    pub(crate) fn bytes(&self) -> Bytes {
        bytes(self.filling, self.size_bytes)
    }

    fn descriptor(&self, media_type: &str) -> serde_json::Value {
        json!({ "mediaType": media_type, "digest": self.digest.as_str(), "size": self.size_bytes })
    }
}

fn bytes(filling: u8, size_bytes: usize) -> Bytes {
    vec![filling; size_bytes].into()
}

/// An image that no registry has seen.
pub(crate) struct Image {
    /// The layers, then the config.
    pub(crate) blobs: Vec<Blob>,
    pub(crate) manifest: Bytes,
}

impl Image {
    /// Returns the image of this size.
    pub(crate) fn new(size: &ImageSize) -> Self {
        let layers: Vec<Blob> =
            (1..).take(size.layers).map(|number| Blob::new(number, size.layer_bytes)).collect();
        let config = Blob::new(0, size.config_bytes);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": config.descriptor(CONFIG_TYPE),
            "layers": layers.iter().map(|layer| layer.descriptor(LAYER_TYPE)).collect::<Vec<_>>(),
        });
        let blobs = layers.into_iter().chain([config]).collect();
        Self { blobs, manifest: manifest.to_string().into() }
    }

    /// Returns the manifest's digest.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(Algorithm::Sha256, &self.manifest)
    }
}
