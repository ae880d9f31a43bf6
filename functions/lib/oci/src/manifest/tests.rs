//! What is accepted, and what is read from it.

use serde_json::{Value, json};

use super::*;
use crate::Algorithm;

pub(super) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

pub(super) fn digest(content: &str) -> Digest {
    Digest::of(Algorithm::Sha256, content.as_bytes())
}

pub(super) fn descriptor(media_type: &str, content: &str) -> Value {
    json!({"mediaType": media_type, "digest": digest(content), "size": content.len()})
}

pub(super) fn image() -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": MediaType::OCI_MANIFEST,
        "config": descriptor(MediaType::OCI_CONFIG.as_str(), "config"),
        "layers": [descriptor(LAYER, "first"), descriptor(LAYER, "second")],
    })
}

pub(super) fn index() -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": MediaType::OCI_INDEX,
        "manifests": [descriptor(MediaType::OCI_MANIFEST.as_str(), "image")],
    })
}

pub(super) fn with(mut manifest: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = manifest.pointer_mut(parent).unwrap();
    match parent.as_array_mut() {
        Some(list) => list[key.parse::<usize>().unwrap()] = value,
        None => parent[key] = value,
    }
    manifest
}

pub(super) fn without(mut manifest: Value, pointer: &str) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    manifest.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
    manifest
}

pub(super) fn parse(manifest: &Value) -> Result<Manifest, ManifestInvalid> {
    Manifest::parse(manifest.to_string().as_bytes(), None)
}

pub(super) fn parse_as(manifest: &Value, content_type: &MediaType) -> Result<Manifest, ManifestInvalid> {
    Manifest::parse(manifest.to_string().as_bytes(), Some(content_type))
}

pub(super) fn blob(content: &str) -> Target {
    let size = content.len().try_into().unwrap();
    let media_type = match content {
        "config" => MediaType::OCI_CONFIG,
        _ => MediaType::parse(LAYER).unwrap(),
    };
    Target { digest: digest(content), media_type, size, kind: TargetKind::Blob, may_be_missing: false }
}

#[test]
fn image_refers_to_config_and_layers() {
    let expected = Manifest {
        media_type: MediaType::OCI_MANIFEST,
        kind: ManifestKind::Image,
        subject: None,
        artifact_type: Some("application/vnd.oci.image.config.v1+json".to_owned()),
        annotations: BTreeMap::new(),
        references: vec![blob("config"), blob("first"), blob("second")],
    };
    assert_eq!(parse(&image()), Ok(expected));
}

#[test]
fn index_refers_to_manifests() {
    let expected = Manifest {
        media_type: MediaType::OCI_INDEX,
        kind: ManifestKind::Index,
        subject: None,
        artifact_type: None,
        annotations: BTreeMap::new(),
        references: vec![Target {
            kind: TargetKind::Manifest,
            media_type: MediaType::OCI_MANIFEST,
            ..blob("image")
        }],
    };
    assert_eq!(parse(&index()), Ok(expected));
}

#[test]
fn index_may_list_blobs_as_build_caches_do() {
    let cache = with(index(), "/manifests/0", descriptor(LAYER, "layer"));
    assert_eq!(parse(&cache).unwrap().references, [blob("layer")]);
}

#[test]
fn only_layers_may_be_kept_elsewhere() {
    let foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
    let is_missing = |manifest: &Value, at: usize| parse(manifest).unwrap().references[at].may_be_missing;
    assert!(is_missing(&with(image(), "/layers/0/mediaType", json!(foreign)), 1));
    assert!(!is_missing(&with(image(), "/config/mediaType", json!(foreign)), 0));
    assert!(!is_missing(&with(index(), "/manifests/0/mediaType", json!(foreign)), 0));
}

#[test]
fn docker_manifest_and_list_are_kept_under_their_own_type() {
    for (manifest, media_type, kind) in [
        (image(), MediaType::DOCKER_MANIFEST, ManifestKind::Image),
        (index(), MediaType::DOCKER_LIST, ManifestKind::Index),
    ] {
        let manifest = with(manifest, "/mediaType", json!(media_type));
        let parsed = parse_as(&manifest, &media_type).unwrap();
        assert_eq!((parsed.media_type, parsed.kind), (media_type, kind));
    }
}

#[test]
fn artifact_manifest_refers_to_its_blobs() {
    let artifact = json!({
        "mediaType": MediaType::OCI_ARTIFACT,
        "artifactType": "application/vnd.example.sbom",
        "blobs": [descriptor(LAYER, "sbom")],
        "subject": descriptor(MediaType::OCI_MANIFEST.as_str(), "image"),
    });
    let parsed = parse(&artifact).unwrap();
    assert_eq!((parsed.kind, parsed.references), (ManifestKind::Image, vec![blob("sbom")]));
    assert_eq!(parsed.artifact_type.as_deref(), Some("application/vnd.example.sbom"));
    assert_eq!(parsed.subject.unwrap().digest, digest("image"));
    assert!(parse(&without(artifact, "/blobs")).unwrap().references.is_empty());
}

#[test]
fn subject_is_kept_apart_from_the_references() {
    let subject = descriptor(MediaType::OCI_MANIFEST.as_str(), "subject");
    for manifest in [image(), index()] {
        let plain = parse(&manifest).unwrap();
        let parsed = parse(&with(manifest, "/subject", subject.clone())).unwrap();
        assert_eq!(parsed.subject, Some(Descriptor::new(MediaType::OCI_MANIFEST, digest("subject"), 7)));
        assert_eq!(parsed.references, plain.references);
    }
}

#[test]
fn artifact_type_falls_back_to_the_config_of_an_image_alone() {
    let config = Some("application/vnd.oci.image.config.v1+json");
    for (artifact_type, of_image, of_index) in [
        (json!("application/vnd.example"), Some("application/vnd.example"), Some("application/vnd.example")),
        (json!(""), config, None),
        (Value::Null, config, None),
    ] {
        let parsed = parse(&with(image(), "/artifactType", artifact_type.clone())).unwrap();
        assert_eq!(parsed.artifact_type.as_deref(), of_image);
        let parsed = parse(&with(index(), "/artifactType", artifact_type)).unwrap();
        assert_eq!(parsed.artifact_type.as_deref(), of_index);
    }
}

#[test]
fn annotations_are_read() {
    let annotated = with(image(), "/annotations", json!({"b": "2", "a": "1"}));
    let expected = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
    assert_eq!(parse(&annotated).unwrap().annotations, expected);
}

#[test]
fn each_digest_is_referred_to_once() {
    let repeated = with(image(), "/layers/1", descriptor(LAYER, "first"));
    assert_eq!(parse(&repeated).unwrap().references, [blob("config"), blob("first")]);
}

#[test]
fn nondistributable_layer_may_be_missing_unless_another_layer_needs_it() {
    let foreign = descriptor("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "first");
    let windows = with(image(), "/layers/0", foreign.clone());
    let may_be_missing = |manifest: &Value| parse(manifest).unwrap().references[1].may_be_missing;
    assert!(may_be_missing(&windows));
    assert!(!may_be_missing(&with(windows, "/layers/1", descriptor(LAYER, "first"))));
    assert!(!may_be_missing(&with(
        with(image(), "/layers/0", descriptor(LAYER, "first")),
        "/layers/1",
        foreign
    )));
}

#[test]
fn what_go_programs_write_for_nothing_is_understood() {
    let nothing = json!({"layers": null, "subject": null, "annotations": null, "artifactType": null});
    let mut sparse = image();
    for (key, null) in nothing.as_object().unwrap() {
        sparse[key] = null.clone();
    }
    assert_eq!(parse(&sparse).unwrap().references, [blob("config")]);
    assert!(parse(&with(index(), "/manifests", Value::Null)).unwrap().references.is_empty());
}

#[test]
fn image_may_have_no_layers() {
    for manifest in [with(image(), "/layers", json!([])), without(image(), "/layers")] {
        assert_eq!(parse(&manifest).unwrap().references, [blob("config")]);
    }
    let docker = with(image(), "/mediaType", json!(MediaType::DOCKER_MANIFEST));
    assert_eq!(parse(&without(docker, "/layers")).unwrap_err().to_string(), "layers is missing");
}

#[test]
fn unknown_fields_are_ignored() {
    let manifest = with(image(), "/org.example", json!({"a": [1, -2, 3.5, true, null, "x"]}));
    let manifest = with(manifest, "/layers/0/platform", json!("not even an object"));
    let manifest = with(manifest, "/blobs", json!(5));
    assert_eq!(parse(&manifest), parse(&image()));
}

#[test]
fn media_type_comes_from_header_or_body_or_fields() {
    let silent_image = without(image(), "/mediaType");
    let silent_index = without(index(), "/mediaType");
    let empty = with(image(), "/mediaType", json!(""));
    for (manifest, content_type, expected) in [
        (&image(), None, MediaType::OCI_MANIFEST),
        (&image(), Some(MediaType::OCTET_STREAM), MediaType::OCI_MANIFEST),
        (&image(), Some(MediaType::JSON), MediaType::OCI_MANIFEST),
        (&image(), Some(MediaType::OCI_MANIFEST), MediaType::OCI_MANIFEST),
        (&silent_image, Some(MediaType::DOCKER_MANIFEST), MediaType::DOCKER_MANIFEST),
        (&silent_image, None, MediaType::OCI_MANIFEST),
        (&silent_index, Some(MediaType::JSON), MediaType::OCI_INDEX),
        (&empty, None, MediaType::OCI_MANIFEST),
    ] {
        let parsed = Manifest::parse(manifest.to_string().as_bytes(), content_type.as_ref()).unwrap();
        assert_eq!(parsed.media_type, expected, "{manifest} as {content_type:?}");
    }
}

#[test]
fn whitespace_around_a_manifest_is_fine() {
    let pretty = format!(" \r\n\t{}\n", serde_json::to_string_pretty(&image()).unwrap());
    assert_eq!(Manifest::parse(pretty.as_bytes(), None), parse(&image()));
}

#[test]
fn media_type_with_parameters_is_tolerated_in_a_descriptor() {
    let media_type = "application/vnd.example+json;version=0.2";
    let manifest = with(image(), "/config/mediaType", json!(media_type));
    assert_eq!(parse(&manifest).unwrap().artifact_type.as_deref(), Some(media_type));
}
