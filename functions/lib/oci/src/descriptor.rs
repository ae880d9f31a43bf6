//! Descriptors: how one content points to another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, MediaType};

/// What is pointed to: its type, digest and size, and what is said about it.
///
/// Written as the image specification spells it; what is empty is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The media type of the content.
    pub media_type: MediaType,
    /// The digest of the content.
    pub digest: Digest,
    /// The size of the content, in bytes.
    pub size: u64,
    /// What kind of artifact the content is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Free notes about the content.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Other places that have the content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
}

impl Descriptor {
    /// Returns a descriptor with nothing but the three required fields.
    pub fn new(media_type: MediaType, digest: Digest, size: u64) -> Self {
        Self { media_type, digest, size, artifact_type: None, annotations: BTreeMap::new(), urls: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Algorithm;

    fn descriptor() -> Descriptor {
        Descriptor::new(MediaType::OCI_MANIFEST, Digest::of(Algorithm::Sha256, b"abc"), 3)
    }

    #[test]
    fn empty_fields_are_left_out() {
        let expected = concat!(
            r#"{"mediaType":"application/vnd.oci.image.manifest.v1+json","#,
            r#""digest":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","size":3}"#
        );
        assert_eq!(serde_json::to_string(&descriptor()).unwrap(), expected);
        assert_eq!(serde_json::from_str::<Descriptor>(expected).unwrap(), descriptor());
    }

    #[test]
    fn full_descriptor_survives_a_round_trip() {
        let full = Descriptor {
            artifact_type: Some("application/vnd.example.sbom".to_owned()),
            annotations: BTreeMap::from([("created".to_owned(), "2026".to_owned())]),
            urls: vec!["https://example.org/layer".to_owned()],
            ..descriptor()
        };
        let json = serde_json::to_string(&full).unwrap();
        assert!(json.contains(r#""artifactType":"application/vnd.example.sbom""#));
        assert_eq!(serde_json::from_str::<Descriptor>(&json).unwrap(), full);
    }
}
