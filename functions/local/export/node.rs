//! Manifests, as far as an export has to know them.

use anyhow::Result;
use oci::{Digest, Manifest, MediaType, TargetKind};
use serde_json::{Value, json};

use crate::distribution::Served;

/// What a manifest needs.
pub(super) struct Node {
    /// How an index lists it.
    pub(super) entry: Value,
    pub(super) blobs: Vec<(Digest, u64)>,
    /// What must not be distributed: it is not in a registry, as a rule.
    pub(super) optional: Vec<(Digest, u64)>,
    pub(super) children: Vec<Digest>,
}

impl Node {
    pub(super) fn read(digest: &Digest, served: &Served) -> Result<Self> {
        let content_type: Option<MediaType> = served.media_type.parse().ok();
        let manifest = Manifest::read(&served.bytes, content_type.as_ref())?;
        let mut entry = json!({
            "mediaType": manifest.media_type, "digest": digest, "size": served.bytes.len()
        });
        if let Some(artifact_type) = manifest.artifact_type.as_ref().filter(|_| manifest.subject.is_some()) {
            entry["artifactType"] = json!(artifact_type);
        }
        let (mut blobs, mut optional, mut children) = (Vec::new(), Vec::new(), Vec::new());
        for target in manifest.references {
            match target.kind {
                TargetKind::Blob if target.may_be_missing => optional.push((target.digest, target.size)),
                TargetKind::Blob => blobs.push((target.digest, target.size)),
                TargetKind::Manifest => children.push(target.digest),
            }
        }
        Ok(Self { entry, blobs, optional, children })
    }
}
