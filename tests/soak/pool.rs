//! What is pushed: images that share layers, the same for all clients.

use bytes::Bytes;
use serde_json::{Value, json};
use test_support::content::{noise, sha256};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// How many layers there are: so many that most are in no repository at times, and so few that they come back.
const LAYERS: usize = 200;

/// How many images.
pub(crate) const IMAGES: usize = 300;

/// Bytes with a digest.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) bytes: Bytes,
    pub(crate) digest: String,
    pub(crate) media_type: &'static str,
}

/// A manifest, and the blobs that it needs.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) manifest: Content,
    pub(crate) blobs: Vec<Content>,
}

/// All images.
pub(crate) struct Pool {
    pub(crate) images: Vec<Image>,
}

impl Content {
    pub(crate) fn new(media_type: &'static str, bytes: Vec<u8>) -> Self {
        Self { digest: sha256(&bytes), bytes: bytes.into(), media_type }
    }

    fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest, "size": self.bytes.len() })
    }
}

impl Pool {
    pub(crate) fn new() -> Self {
        let mut dice = fastrand::Rng::with_seed(7);
        let layers: Vec<Content> = (0..LAYERS)
            .map(|layer| Content::new(LAYER, noise(layer as u64 + 1, dice.usize(100..200_000))))
            .collect();
        let image = |number| {
            let config = Content::new(CONFIG, format!("{{\"number\":{number}}}").into_bytes());
            let chosen = dice.choose_multiple(layers.iter(), 1 + number % 3);
            Image::new(config, chosen.into_iter().cloned().collect())
        };
        Self { images: (0..IMAGES).map(image).collect() }
    }
}

impl Image {
    fn new(config: Content, layers: Vec<Content>) -> Self {
        let described: Vec<Value> = layers.iter().map(Content::descriptor).collect();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": IMAGE, "config": config.descriptor(), "layers": described,
        });
        let blobs = std::iter::once(config).chain(layers).collect();
        Self { manifest: Content::new(IMAGE, manifest.to_string().into_bytes()), blobs }
    }
}

/// Returns an index of these images.
pub(crate) fn index(images: &[&Image]) -> Content {
    let manifests: Vec<Value> = images.iter().map(|image| image.manifest.descriptor()).collect();
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
    Content::new(INDEX, index.to_string().into_bytes())
}
