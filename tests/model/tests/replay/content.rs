//! What the plan's blobs and manifests are for the registry.

use bytes::Bytes;
use model::{Plan, Target};
use oci::{Algorithm, Digest, UploadId};
use serde_json::{Value, json};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Returns the upload of a location.
pub(crate) fn upload(location: &str) -> Option<UploadId> {
    location.split('?').next()?.rsplit('/').next()?.parse().ok()
}

/// Bytes with a digest.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) bytes: Bytes,
    pub(crate) digest: Digest,
    pub(crate) media_type: &'static str,
}

impl Content {
    fn of(media_type: &'static str, bytes: String) -> Self {
        Self { digest: Digest::of(Algorithm::Sha256, bytes.as_bytes()), bytes: bytes.into(), media_type }
    }

    fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest.as_str(), "size": self.bytes.len() })
    }
}

pub(crate) fn repository(number: usize) -> String {
    format!("repository{number}")
}

pub(crate) fn tag(number: usize) -> String {
    format!("tag{number}")
}

pub(crate) fn blob(number: usize) -> Content {
    Content::of("application/octet-stream", format!("the bytes of blob {number}"))
}

pub(crate) fn empty_index() -> Content {
    Content::of(INDEX, json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] }).to_string())
}

pub(crate) fn manifest(plan: &Plan, number: usize) -> Content {
    let references = plan.manifests[number].references;
    let descriptors = references.iter().map(|target| match *target {
        Target::Blob(number) => blob(number).descriptor(),
        Target::Manifest(child) => manifest(plan, child).descriptor(),
    });
    let descriptors: Vec<Value> = descriptors.collect();
    let annotations = json!({ "manifest": number.to_string() });
    match references[0] {
        Target::Blob(_) => {
            let (config, layers) = (&descriptors[0], &descriptors[1..]);
            let image = json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": layers,
                "annotations": annotations });
            Content::of(IMAGE, image.to_string())
        }
        Target::Manifest(_) => {
            let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": descriptors,
                "annotations": annotations });
            Content::of(INDEX, index.to_string())
        }
    }
}
