//! What is refused, and with which words.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::{LAYER, descriptor, digest, image, index, parse, parse_as, with, without};
use super::*;
use crate::limits::{MANIFEST_MAX_DEPTH, MANIFEST_MAX_DESCRIPTORS};

fn refusal(body: &str) -> String {
    Manifest::parse(body.as_bytes(), None).unwrap_err().to_string()
}

#[test]
fn index_that_lists_a_digest_as_manifest_and_as_blob_is_refused() {
    let image = index()["manifests"][0].clone();
    let blob = with(image.clone(), "/mediaType", json!(LAYER));
    let reason = format!("manifests[1].digest: {} is listed as a manifest and as a blob", digest("image"));
    for manifests in [json!([image, blob]), json!([blob, image])] {
        assert_eq!(parse(&with(index(), "/manifests", manifests)).unwrap_err().to_string(), reason);
    }
}

#[test]
fn descriptors_that_contradict_each_other_are_refused() {
    let twice = with(descriptor(LAYER, "first"), "/size", json!(6));
    let reason = format!("layers[1].size: 6 for {}, which had 5 before", digest("first"));
    assert_eq!(parse(&with(image(), "/layers/1", twice)).unwrap_err().to_string(), reason);
    let otherwise = with(descriptor("application/x-tar", "first"), "/size", json!(5));
    assert_eq!(parse(&with(image(), "/layers/1", otherwise)).unwrap().references.len(), 2);
}

#[test]
fn index_that_lists_a_manifest_under_two_media_types_is_refused() {
    let oci = index()["manifests"][0].clone();
    let docker = with(oci.clone(), "/mediaType", json!(MediaType::DOCKER_MANIFEST));
    let arm = with(docker, "/platform", json!({"architecture": "arm64", "os": "linux"}));
    let twice = with(index(), "/manifests", json!([oci, arm]));
    let (stated, before) = (MediaType::DOCKER_MANIFEST, MediaType::OCI_MANIFEST);
    let reason =
        format!("manifests[1].mediaType: {stated} for {}, which had {before} before", digest("image"));
    assert_eq!(parse(&twice).unwrap_err().to_string(), reason);
    let same = with(index(), "/manifests", json!([oci, with(oci, "/platform", json!({}))]));
    assert_eq!(parse(&same), parse(&index()));
}

#[test]
fn content_within_a_descriptor_is_what_the_descriptor_names() {
    for data in ["Y29uZmln", ""] {
        assert_eq!(parse(&with(image(), "/config/data", json!(data))), parse(&image()), "{data}");
    }
    let other = format!("config.data: is not the content {} of 6 bytes", digest("config"));
    for (data, reason) in [
        (json!("!"), "config.data: \"!\" is not base64"),
        (json!("Y29uZmlnCg=="), other.as_str()),
        (json!("Y29uZmlo"), other.as_str()),
        (json!(["config"]), "config.data: [\"config\"] is not a text"),
    ] {
        assert_eq!(parse(&with(image(), "/config/data", data)).unwrap_err().to_string(), reason);
    }
}

#[test]
fn keys_that_go_would_take_for_others_are_refused() {
    let mut manifests = vec![
        with(image(), "/Layers", json!([])),
        with(image(), "/CONFIG", json!({})),
        with(image(), "/manifeſts", json!([])),
        with(image(), "/layers/0/Digest", json!(digest("second"))),
        with(image(), "/config/\u{17f}ize", json!(1)),
        with(image(), "/config/Data", json!("")),
        with(image(), "/subject", with(descriptor(LAYER, "image"), "/MediaType", json!("a/b"))),
    ];
    let platform = with(index(), "/manifests/0/platform", json!({"os": "linux", "OS": "windows"}));
    manifests.push(platform);
    for manifest in manifests {
        let refusal = parse(&manifest).unwrap_err();
        assert!(matches!(refusal, ManifestInvalid::KeySpelling { .. }), "{manifest}: {refusal}");
    }
    let free = with(image(), "/annotations", json!({"Digest": "a", "digest": "b"}));
    let free = with(free, "/org.example", json!({"Layers": [{"Size": 1}], "LAYERS": 2}));
    assert_eq!(parse(&free).unwrap().references, parse(&image()).unwrap().references);
}

#[test]
fn media_types_that_contradict_or_say_nothing_are_refused() {
    let silent = json!({"schemaVersion": 2});
    let foreign = with(image(), "/mediaType", json!("application/vnd.example"));
    let text = MediaType::parse("text/plain").unwrap();
    for (manifest, content_type, reason) in [
        (
            &image(),
            Some(MediaType::OCI_INDEX),
            "content type \"application/vnd.oci.image.index.v1+json\" contradicts the manifest's mediaType \
             \"application/vnd.oci.image.manifest.v1+json\"",
        ),
        (&silent, Some(text), "media type \"text/plain\" is not one of a manifest"),
        (&foreign, None, "media type \"application/vnd.example\" is not one of a manifest"),
        (
            &silent,
            None,
            "manifest has no mediaType, and neither its content type nor its fields say what it is",
        ),
    ] {
        let parsed = Manifest::parse(manifest.to_string().as_bytes(), content_type.as_ref());
        assert_eq!(parsed.unwrap_err().to_string(), reason);
    }
}

#[test]
fn schema_1_is_refused_with_advice() {
    let schema1 = json!({"schemaVersion": 1, "name": "a", "tag": "b", "fsLayers": []});
    let typed = json!({"schemaVersion": 2, "mediaType": MediaType::DOCKER_SCHEMA1});
    assert_eq!(parse(&schema1), Err(ManifestInvalid::Schema1));
    assert_eq!(parse(&typed), Err(ManifestInvalid::Schema1));
    assert_eq!(parse_as(&schema1, &MediaType::DOCKER_SCHEMA1_SIGNED), Err(ManifestInvalid::Schema1));
    assert_eq!(parse_as(&schema1, &MediaType::JSON), Err(ManifestInvalid::Schema1));
    assert_eq!(parse(&with(image(), "/schemaVersion", json!(1))), Err(ManifestInvalid::Schema1));
    assert!(ManifestInvalid::Schema1.to_string().contains("push with a newer client"));
}

#[test]
fn schema_version_must_be_2() {
    for (version, found) in
        [(json!(3), "3"), (json!("2"), "\"2\""), (json!(2.0), "2.0"), (Value::Null, "missing")]
    {
        let refused = parse(&with(image(), "/schemaVersion", version)).unwrap_err();
        assert_eq!(refused.to_string(), format!("schemaVersion is {found} instead of 2"));
    }
    assert!(parse(&without(image(), "/schemaVersion")).is_err());
}

#[test]
fn manifest_that_reads_as_image_and_as_index_is_refused() {
    let layers = with(index(), "/layers", json!([]));
    let config = with(index(), "/config", image()["config"].clone());
    let both = with(image(), "/manifests", json!([]));
    assert_eq!(parse(&layers), Err(ManifestInvalid::Ambiguous { field: "layers" }));
    assert_eq!(parse(&config), Err(ManifestInvalid::Ambiguous { field: "config" }));
    assert_eq!(parse(&both), Err(ManifestInvalid::Ambiguous { field: "config" }));
}

#[test]
fn only_one_whole_json_object_is_a_manifest() {
    let trailing = format!("{} {{}}", image());
    let cut = &image().to_string()[..100];
    for (body, reason) in [
        ("", "manifest is not JSON: EOF while parsing a value at line 1 column 0"),
        ("manifest", "manifest is not JSON: expected value at line 1 column 1"),
        ("{\"a\":1,}", "manifest is not JSON: trailing comma at line 1 column 8"),
        ("[2]", "manifest is not a JSON object"),
        ("\"text\"", "manifest is not a JSON object"),
        ("null", "manifest is not a JSON object"),
    ] {
        assert_eq!(refusal(body), reason);
    }
    assert!(refusal(&trailing).starts_with("manifest is not JSON: trailing characters"));
    assert!(refusal(cut).starts_with("manifest is not JSON: EOF"));
    assert!(matches!(Manifest::parse(b"{\"a\":\"\xff\"}", None), Err(ManifestInvalid::NotJson { .. })));
}

#[test]
fn repeated_keys_are_refused_at_every_depth_and_in_every_spelling() {
    for (body, key) in [
        (r#"{"layers":[],"config":{},"layers":[]}"#, "layers"),
        (r#"{"a":[{"b":{"key":1,"key":1}}]}"#, "key"),
        (r#"{"layers":1,"l\u0061yers":1}"#, "layers"),
        (r#"{"":1,"":1}"#, ""),
    ] {
        assert_eq!(refusal(body), format!("manifest has the key {key:?} twice in one object"));
    }
    assert!(parse(&with(image(), "/a", json!({"b": {"a": {"b": 1}}}))).is_ok());
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| {
        let inner = format!("{}{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        image().to_string().replacen('{', &format!("{{\"nested\":{inner},"), 1)
    };
    assert!(Manifest::parse(nested(MANIFEST_MAX_DEPTH).as_bytes(), None).is_ok());
    for depth in [MANIFEST_MAX_DEPTH + 1, 129, 1_000_000] {
        assert_eq!(refusal(&nested(depth)), "manifest is nested deeper than 64 levels");
    }
}

#[test]
fn size_is_bounded() {
    let image = image().to_string();
    let padded = |size_bytes: usize| format!("{image}{}", " ".repeat(size_bytes - image.len()));
    assert!(Manifest::parse(padded(MANIFEST_MAX_BYTES).as_bytes(), None).is_ok());
    let size_bytes = MANIFEST_MAX_BYTES + 1;
    let refused = Manifest::parse(padded(size_bytes).as_bytes(), None);
    assert_eq!(refused, Err(ManifestInvalid::TooLarge { size_bytes }));
}

#[test]
fn number_of_descriptors_is_bounded() {
    let with_layers = |count: usize| with(image(), "/layers", json!(vec![descriptor(LAYER, "first"); count]));
    assert!(parse(&with_layers(MANIFEST_MAX_DESCRIPTORS - 1)).is_ok());
    let refused = parse(&with_layers(MANIFEST_MAX_DESCRIPTORS));
    assert_eq!(refused, Err(ManifestInvalid::TooManyDescriptors { count: MANIFEST_MAX_DESCRIPTORS + 1 }));
}

#[test]
fn refusal_of_a_descriptor_names_the_field() {
    let upper = digest("first").to_string().to_uppercase().replace("SHA256", "sha256");
    for (pointer, value, reason) in [
        (
            "/layers/1/digest",
            json!("sha256:abc"),
            "layers[1].digest: sha256 digest has 3 characters after the colon instead of 64",
        ),
        ("/layers/1/digest", json!(5), "layers[1].digest: 5 is not a text"),
        (
            "/layers/0/digest",
            json!(upper),
            &format!("layers[0].digest: digest {upper:?} is not lower-case hexadecimal"),
        ),
        (
            "/config/digest",
            json!("md5:abc"),
            "config.digest: digest algorithm \"md5\" is not supported, use sha256 or sha512",
        ),
        ("/config/size", json!(-1), "config.size: -1 is not a number of bytes"),
        ("/config/size", json!(1.5), "config.size: 1.5 is not a number of bytes"),
        ("/config/size", json!("5"), "config.size: \"5\" is not a number of bytes"),
        ("/config/size", json!(1_u64 << 63), "config.size: 9223372036854775808 is not a number of bytes"),
        (
            "/layers/0/mediaType",
            json!("layer"),
            "layers[0].mediaType: media type \"layer\" is not of the form type/subtype",
        ),
        (
            "/layers/0/mediaType",
            json!(""),
            "layers[0].mediaType: media type \"\" is not of the form type/subtype",
        ),
        (
            "/layers/0/mediaType",
            json!(format!("a/b;{}", "c".repeat(252))),
            "layers[0].mediaType: media type is longer than 255 characters",
        ),
        ("/layers/0", json!("layer"), "layers[0]: \"layer\" is not a descriptor"),
        ("/layers/0", json!([1]), "layers[0]: [1] is not a descriptor"),
        ("/layers/0", Value::Null, "layers[0]: null is not a descriptor"),
        ("/layers", json!({}), "layers: {} is not a list of descriptors"),
        ("/config", json!([]), "config: [] is not a descriptor"),
        ("/subject", json!({}), "subject.digest is missing"),
        ("/subject", json!("sha256:abc"), "subject: \"sha256:abc\" is not a descriptor"),
        ("/mediaType", json!(5), "mediaType: 5 is not a text"),
        ("/artifactType", json!("sbom"), "artifactType: media type \"sbom\" is not of the form type/subtype"),
        ("/annotations", json!({"a": 1}), "annotations: {\"a\":1} is not an object of texts"),
        ("/annotations", json!(["a"]), "annotations: [\"a\"] is not an object of texts"),
    ] {
        assert_eq!(parse(&with(image(), pointer, value)).unwrap_err().to_string(), reason);
    }
}

#[test]
fn missing_fields_are_named() {
    for (manifest, pointer, reason) in [
        (image(), "/config", "config is missing"),
        (image(), "/config/digest", "config.digest is missing"),
        (image(), "/layers/1/size", "layers[1].size is missing"),
        (image(), "/layers/1/mediaType", "layers[1].mediaType is missing"),
        (index(), "/manifests", "manifests is missing"),
        (index(), "/manifests/0/digest", "manifests[0].digest is missing"),
    ] {
        assert_eq!(parse(&without(manifest, pointer)).unwrap_err().to_string(), reason);
    }
}

#[test]
fn refusal_does_not_repeat_a_long_value() {
    let manifest = with(image(), "/layers/0/digest", json!("x".repeat(1_000_000)));
    assert!(parse(&manifest).unwrap_err().to_string().len() < 300);
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in any::<Vec<u8>>()) {
        let _ = Manifest::parse(&bytes, None);
    }

    #[test]
    fn any_change_of_a_manifest_is_answered(position in 0_usize..400, byte in any::<u8>()) {
        for manifest in [image(), index()] {
            let mut bytes = manifest.to_string().into_bytes();
            let position = position % bytes.len();
            bytes[position] = byte;
            let _ = Manifest::parse(&bytes, None);
        }
    }
}
