//! What is pushed: few blobs and manifests that share them, so that everybody is in everybody's way.

use bytes::Bytes;
use oci::{Algorithm, Digest};
use serde_json::{Value, json};

use crate::dice::Dice;

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const FOREIGN: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar";

/// The repositories.
pub(crate) const REPOSITORIES: [&str; 2] = ["one", "two"];
/// The tags of each.
pub(crate) const TAGS: [&str; 3] = ["v1", "v2", "latest"];
/// How many blobs there are.
const BLOBS: usize = 5;

/// One edge for each of these does not fit into one transaction; nobody uploads them.
const FOREIGN_LAYERS: usize = 110;

/// More than fits into an item.
const LONG_BYTES: usize = 310 * 1024;

/// Bytes with a digest.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) bytes: Bytes,
    pub(crate) digest: Digest,
    media_type: &'static str,
}

/// A manifest and what has to be there first.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) content: Content,
    /// Which blobs.
    pub(crate) blobs: Vec<usize>,
    /// Which manifests.
    pub(crate) children: Vec<usize>,
}

/// Everything that there is to push.
pub(crate) struct Universe {
    pub(crate) blobs: Vec<Content>,
    pub(crate) manifests: Vec<Manifest>,
}

impl Content {
    fn of(media_type: &'static str, bytes: String) -> Self {
        Self { digest: Digest::of(Algorithm::Sha256, bytes.as_bytes()), bytes: bytes.into(), media_type }
    }

    pub(crate) fn media_type(&self) -> &'static str {
        self.media_type
    }

    fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest.as_str(), "size": self.bytes.len() })
    }
}

impl Universe {
    /// Returns what the seed chooses; large and wide manifests are slow, and so they are rare.
    pub(crate) fn new(dice: &Dice) -> Self {
        let blobs = (0..BLOBS).map(|number| Content::of(LAYER, format!("the bytes of blob {number}")));
        let mut universe = Self { blobs: blobs.collect(), manifests: Vec::new() };
        universe.image(&[0, 1, 2], json!({}));
        universe.image(&[0, 2, 3], json!({}));
        match dice.below(8) {
            0 => universe.wide(&[4, 1]),
            1 => universe.image(&[4, 1], json!({ "annotations": { "long": "x".repeat(LONG_BYTES) } })),
            _ => universe.image(&[4, 1], json!({})),
        }
        universe.index(&[0, 1]);
        let subject = universe.manifests[0].content.descriptor();
        universe.image(&[4], json!({ "subject": subject, "artifactType": "application/vnd.example" }));
        if dice.one_in(2) {
            universe.index(&[2, 3]);
        }
        universe
    }

    fn image(&mut self, blobs: &[usize], fields: Value) {
        let descriptors: Vec<Value> = blobs.iter().map(|&blob| self.blobs[blob].descriptor()).collect();
        self.add_image(blobs, &descriptors, fields);
    }

    fn wide(&mut self, blobs: &[usize]) {
        let own = blobs.iter().map(|&blob| self.blobs[blob].descriptor());
        let foreign =
            (0..FOREIGN_LAYERS).map(|number| Content::of(FOREIGN, format!("foreign {number}")).descriptor());
        let descriptors: Vec<Value> = own.chain(foreign).collect();
        self.add_image(blobs, &descriptors, json!({}));
    }

    fn add_image(&mut self, blobs: &[usize], descriptors: &[Value], fields: Value) {
        let mut image = json!({
            "schemaVersion": 2, "mediaType": IMAGE, "config": descriptors[0], "layers": descriptors[1..],
        });
        if let (Some(image), Value::Object(fields)) = (image.as_object_mut(), fields) {
            image.extend(fields);
        }
        let content = Content::of(IMAGE, image.to_string());
        self.manifests.push(Manifest { content, blobs: blobs.to_vec(), children: Vec::new() });
    }

    fn index(&mut self, children: &[usize]) {
        let manifests: Vec<Value> =
            children.iter().map(|&child| self.manifests[child].content.descriptor()).collect();
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        let content = Content::of(INDEX, index.to_string());
        self.manifests.push(Manifest { content, blobs: Vec::new(), children: children.to_vec() });
    }

    /// Returns which manifest has this digest.
    pub(crate) fn manifest_of(&self, digest: &str) -> Option<usize> {
        self.manifests.iter().position(|manifest| manifest.content.digest.as_str() == digest)
    }
}
