//! What the cases push, the same in every run.

use bytes::Bytes;
use oci::{Algorithm, Digest};
use serde_json::{Value, json};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// No part of an upload to S3 but the last may be smaller.
const PART_BYTES: usize = 5 << 20;

/// Bytes, what they are, and their digest.
#[derive(Clone)]
pub(crate) struct Content {
    pub(crate) bytes: Bytes,
    pub(crate) digest: String,
    pub(crate) media_type: &'static str,
}

impl Content {
    fn of(media_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { digest: Digest::of(Algorithm::Sha256, &bytes).to_string(), bytes, media_type }
    }

    pub(crate) fn blob(bytes: impl Into<Bytes>) -> Self {
        Self::of("application/octet-stream", bytes)
    }

    /// Returns an image of these blobs, with more fields.
    pub(crate) fn image(config: &Self, layers: &[&Self], fields: &Value) -> Self {
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": IMAGE,
            "config": config.descriptor(),
            "layers": layers.iter().map(|layer| layer.descriptor()).collect::<Vec<_>>(),
        });
        manifest.as_object_mut().unwrap().extend(fields.as_object().cloned().unwrap_or_default());
        Self::of(IMAGE, manifest.to_string())
    }

    pub(crate) fn index(child: &Self) -> Self {
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [child.descriptor()] });
        Self::of(INDEX, index.to_string())
    }

    pub(crate) fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest, "size": self.bytes.len() })
    }

    pub(crate) fn sha512(&self) -> String {
        Digest::of(Algorithm::Sha512, &self.bytes).to_string()
    }

    /// Returns the bytes in two chunks.
    pub(crate) fn halves(&self) -> (Bytes, Bytes) {
        let middle = self.bytes.len() / 2;
        (self.bytes.slice(..middle), self.bytes.slice(middle..))
    }

    /// What is stored beside the parts of an upload.
    pub(crate) const TAIL: &[u8] = b"the tail";

    /// Returns the bytes in two chunks, the first a little shorter than a part.
    pub(crate) fn beside_part(&self) -> (Bytes, Bytes) {
        (self.bytes.slice(..PART_BYTES - 512), self.bytes.slice(PART_BYTES - 512..))
    }

    /// Returns this with what is too short for a part.
    pub(crate) fn with_tail(&self) -> Self {
        Self::blob([self.bytes.as_ref(), Self::TAIL].concat())
    }
}

/// Everything that the operations work with.
pub(crate) struct Things {
    /// The one blob of the images: what they have more of makes no other calls.
    pub(crate) config: Content,
    /// An image that is there from the start, as `app:v1`.
    pub(crate) old: Content,
    /// Another one of the same blobs.
    pub(crate) new: Content,
    /// One of blobs that are nowhere.
    pub(crate) foreign: Content,
    /// One whose bytes do not fit into an item.
    pub(crate) large: Content,
    pub(crate) index: Content,
    pub(crate) referrer: Content,
    /// A blob that no manifest needs.
    pub(crate) loose: Content,
    /// A blob that S3 gets in parts.
    pub(crate) big: Content,
}

impl Things {
    pub(crate) fn new() -> Self {
        let config = Content::blob("{}");
        let old = Content::image(&config, &[], &json!({}));
        let named =
            |name: &str, text: &str| Content::image(&config, &[], &json!({ "annotations": { name: text } }));
        let loose = Content::blob("a blob that no manifest needs");
        let subject = json!({ "subject": old.descriptor(), "artifactType": "application/vnd.example" });
        Self {
            new: named("name", "new"),
            foreign: Content::image(&config, &[&loose], &json!({})),
            large: named("long", &"x".repeat(400 * 1024)),
            index: Content::index(&old),
            referrer: Content::image(&config, &[], &subject),
            big: Content::blob((0..PART_BYTES + 512).map(|at| (at % 251) as u8).collect::<Vec<u8>>()),
            loose,
            config,
            old,
        }
    }
}
