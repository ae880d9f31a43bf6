//! What the tests push: blobs, images, indexes and referrers, the same in every run.

use bytes::Bytes;
use oci::{Algorithm, Digest};
use serde_json::{Value, json};

pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCTETS: &str = "application/octet-stream";

/// Bytes, what they are, and their digest.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) bytes: Bytes,
    pub(crate) digest: String,
    pub(crate) media_type: &'static str,
}

impl Content {
    fn of(media_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { digest: sha256(&bytes), bytes, media_type }
    }

    /// Returns the blob with these bytes.
    pub(crate) fn blob(bytes: impl Into<Bytes>) -> Self {
        Self::of(OCTETS, bytes)
    }

    /// Returns an image of these blobs.
    pub(crate) fn image(config: &Self, layers: &[&Self]) -> Self {
        Self::image_with(config, layers, &json!({}))
    }

    /// Returns an image of these blobs with more fields.
    pub(crate) fn image_with(config: &Self, layers: &[&Self], fields: &Value) -> Self {
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": IMAGE,
            "config": config.descriptor(),
            "layers": layers.iter().map(|layer| layer.descriptor()).collect::<Vec<_>>(),
        });
        let more = fields.as_object().cloned().unwrap_or_default();
        manifest.as_object_mut().unwrap().extend(more);
        Self::of(IMAGE, manifest.to_string())
    }

    /// Returns an image that names a subject.
    pub(crate) fn referrer(config: &Self, subject: &Self, artifact_type: &str) -> Self {
        let fields = json!({ "subject": subject.descriptor(), "artifactType": artifact_type });
        Self::image_with(config, &[], &fields)
    }

    /// Returns an index of these images.
    pub(crate) fn index(children: &[&Self]) -> Self {
        let manifests: Vec<_> = children.iter().map(|child| child.descriptor()).collect();
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        Self::of(INDEX, index.to_string())
    }

    /// Returns layers that are kept elsewhere: nobody uploads them, and each takes an edge.
    pub(crate) fn foreign_layers(count: usize) -> Vec<Self> {
        let media_type = "application/vnd.oci.image.layer.nondistributable.v1.tar";
        (0..count).map(|number| Self::of(media_type, format!("foreign layer {number}"))).collect()
    }

    /// Returns other bytes of the same kind.
    pub(crate) fn replaced(&self, bytes: impl Into<Bytes>) -> Self {
        Self::of(self.media_type, bytes)
    }

    pub(crate) fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest, "size": self.bytes.len() })
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Digest::of(Algorithm::Sha256, bytes).to_string()
}

pub(crate) fn sha512(bytes: &[u8]) -> String {
    Digest::of(Algorithm::Sha512, bytes).to_string()
}

/// An image and its two blobs.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) config: Content,
    pub(crate) layer: Content,
    pub(crate) manifest: Content,
}

impl Image {
    /// Returns an image whose content depends on the name alone.
    pub(crate) fn named(name: &str) -> Self {
        let config = Content::blob(format!("{{\"config of\":\"{name}\"}}"));
        let layer = Content::blob(format!("the layer of {name}"));
        let manifest = Content::image(&config, &[&layer]);
        Self { config, layer, manifest }
    }
}
