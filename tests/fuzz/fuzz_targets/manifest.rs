//! A manifest that is accepted means the same to another JSON parser, in another layout, and with its own header.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use oci::limits::{MANIFEST_MAX_BYTES, MANIFEST_MAX_DESCRIPTORS};
use oci::{Manifest, ManifestKind, MediaType, TargetKind};
use serde_json::Value;

const TYPES: [MediaType; 5] = [
    MediaType::OCI_MANIFEST,
    MediaType::OCI_INDEX,
    MediaType::OCI_ARTIFACT,
    MediaType::DOCKER_MANIFEST,
    MediaType::DOCKER_LIST,
];

/// A key that makes the other JSON parser, and only that one, read an object as something else.
const PRIVATE_KEY: &[u8] = b"$serde_json::private::RawValue";

fuzz_target!(|bytes: &[u8]| {
    if bytes.windows(PRIVATE_KEY.len()).any(|window| window == PRIVATE_KEY) {
        return;
    }
    let alone = Manifest::parse(bytes, None);
    for says_nothing in [MediaType::JSON, MediaType::OCTET_STREAM] {
        assert_eq!(Manifest::parse(bytes, Some(&says_nothing)), alone);
    }
    if let Ok(manifest) = &alone {
        assert_eq!(Manifest::parse(bytes, Some(&manifest.media_type)).as_ref(), Ok(manifest));
    }
    for media_type in TYPES {
        match Manifest::parse(bytes, Some(&media_type)) {
            Ok(manifest) => check(&manifest, bytes, &media_type),
            Err(refusal) => fuzz::check_refusal(&refusal),
        }
    }
});

fn check(manifest: &Manifest, bytes: &[u8], media_type: &MediaType) {
    assert_eq!(manifest.media_type, *media_type);
    assert_eq!(manifest.kind == ManifestKind::Index, media_type.is_index());
    assert!(bytes.len() <= MANIFEST_MAX_BYTES && manifest.references.len() <= MANIFEST_MAX_DESCRIPTORS);
    for target in &manifest.references {
        assert!(i64::try_from(target.size).is_ok(), "{target:?}");
    }

    let json: Value = serde_json::from_slice(bytes).unwrap();
    let found: HashSet<(&str, TargetKind)> =
        manifest.references.iter().map(|target| (target.digest.as_str(), target.kind)).collect();
    assert_eq!(found.len(), manifest.references.len(), "a digest twice");
    assert_eq!(found, needed(&json, media_type));
    let subject = manifest.subject.as_ref().map(|subject| subject.digest.as_str());
    assert_eq!(subject, json["subject"]["digest"].as_str());
    let in_another_layout = serde_json::to_vec_pretty(&json).unwrap();
    assert_eq!(Manifest::parse(&in_another_layout, Some(media_type)).as_ref(), Ok(manifest));
}

/// Returns what a manifest of this type needs, read in the simplest way.
fn needed<'a>(json: &'a Value, media_type: &MediaType) -> HashSet<(&'a str, TargetKind)> {
    let (list, config) = match media_type {
        index if index.is_index() => ("manifests", None),
        artifact if *artifact == MediaType::OCI_ARTIFACT => ("blobs", None),
        _ => ("layers", Some(&json["config"])),
    };
    let descriptors = json[list].as_array().into_iter().flatten().chain(config);
    descriptors.map(|it| (it["digest"].as_str().unwrap(), kind(it, media_type))).collect()
}

fn kind(descriptor: &Value, parent: &MediaType) -> TargetKind {
    let media_type = MediaType::from_header(descriptor["mediaType"].as_str().unwrap()).unwrap();
    if parent.is_index() && media_type.is_manifest() { TargetKind::Manifest } else { TargetKind::Blob }
}
