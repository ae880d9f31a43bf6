//! Manifests that contradict themselves, their header or the store, or are too much.

use crate::row::{Draft, Row, row};

const SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+json";
const SCHEMA1_SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";
const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";
const IMAGE: &str = "{<version>,<config-field>,<layers-field>}";

/// Manifests that are refused under their Content-Type.
const CONTRADICTIONS: &[(&str, &str, &str)] = &[
    ("an image with manifests", "<oci-image>", "{<version>,<config-field>,<layers-field>,<manifests-field>}"),
    ("an index with layers", "<oci-index>", "{<version>,<manifests-field>,<layers-field>}"),
    ("an index with a config", "<oci-index>", "{<version>,<manifests-field>,<config-field>}"),
    (
        "manifests and layers, both empty",
        "<oci-image>",
        r#"{<version>,<config-field>,"layers":[],"manifests":[]}"#,
    ),
    ("an image as an index", "<oci-index>", "<image-body>"),
    ("an index as an image", "<oci-image>", "<index-body>"),
    ("a docker image as an OCI image", "<oci-image>", r#"{<version>,"mediaType":"a/b",<config-field>}"#),
    ("an OCI image as a docker image", DOCKER_IMAGE, "<image-body>"),
    ("an image as JSON of its own", "application/vnd.example+json", IMAGE),
    ("an image as text", "text/plain", IMAGE),
    ("an image as a layer", "application/vnd.oci.image.layer.v1.tar", IMAGE),
    ("a type that is none", "nonsense", IMAGE),
    ("an empty type", "", "{<version>}"),
    ("two types in one header", "<oci-image>, <oci-index>", IMAGE),
    ("schema 1", SCHEMA1, r#"{"schemaVersion":1,"name":"<name>","tag":"latest","fsLayers":[],"history":[]}"#),
    ("schema 1, signed", SCHEMA1_SIGNED, r#"{"schemaVersion":1,"fsLayers":[],"signatures":[]}"#),
    ("schema 1 as JSON", "application/json", r#"{"schemaVersion":1,"fsLayers":[]}"#),
    ("schema 1 as an image", "<oci-image>", r#"{"schemaVersion":1,<config-field>,<layers-field>}"#),
    ("an image as schema 1", SCHEMA1, IMAGE),
    ("no schema version", "<oci-image>", "{<config-field>,<layers-field>}"),
    ("schema version 0", "<oci-image>", r#"{"schemaVersion":0,<config-field>,<layers-field>}"#),
    ("schema version 3", "<oci-image>", r#"{"schemaVersion":3,<config-field>,<layers-field>}"#),
    ("schema version -2", "<oci-image>", r#"{"schemaVersion":-2,<config-field>,<layers-field>}"#),
    ("schema version 2.5", "<oci-image>", r#"{"schemaVersion":2.5,<config-field>,<layers-field>}"#),
    ("schema version \"2\"", "<oci-image>", r#"{"schemaVersion":"2",<config-field>,<layers-field>}"#),
    ("schema version null", "<oci-image>", r#"{"schemaVersion":null,<config-field>,<layers-field>}"#),
    ("schema version [2]", "<oci-image>", r#"{"schemaVersion":[2],<config-field>,<layers-field>}"#),
    ("a media type that is a number", "<oci-image>", r#"{<version>,"mediaType":5,<config-field>}"#),
    ("a media type that is a list", "<oci-image>", r#"{<version>,"mediaType":[],<config-field>}"#),
    ("an artifact type that is none", "<oci-image>", r#"{<version>,"artifactType":"x",<config-field>}"#),
    ("an artifact type with NUL", "<oci-image>", r#"{<version>,"artifactType":"a/b\u0000",<config-field>}"#),
    ("an artifact type with #", "<oci-image>", r##"{<version>,"artifactType":"a#b",<config-field>}"##),
    ("an artifact type that is a number", "<oci-image>", r#"{<version>,"artifactType":5,<config-field>}"#),
    ("annotations that are a list", "<oci-image>", r#"{<version>,<config-field>,"annotations":["a"]}"#),
    ("annotations of numbers", "<oci-image>", r#"{<version>,<config-field>,"annotations":{"a":1}}"#),
    ("annotations of null", "<oci-image>", r#"{<version>,<config-field>,"annotations":{"a":null}}"#),
    ("an image without a config", "<oci-image>", "{<version>,<layers-field>}"),
    ("an image with nothing", "<oci-image>", "{<version>}"),
    ("an image with a config of null", "<oci-image>", r#"{<version>,"config":null,<layers-field>}"#),
    ("a docker image without layers", DOCKER_IMAGE, "{<version>,<config-field>}"),
    ("an index without manifests", "<oci-index>", "{<version>}"),
    ("layers that are an object", "<oci-image>", r#"{<version>,<config-field>,"layers":{}}"#),
    ("layers that are a text", "<oci-image>", r#"{<version>,<config-field>,"layers":"<layer>"}"#),
    ("layers of null", "<oci-image>", r#"{<version>,<config-field>,"layers":[null]}"#),
    ("manifests that are an object", "<oci-index>", r#"{<version>,"manifests":<child-descriptor>}"#),
    ("manifests of null", "<oci-index>", r#"{<version>,"manifests":[null]}"#),
    ("blobs that are a text", ARTIFACT, r#"{"blobs":"<layer>"}"#),
    ("another spelling of everything", "<oci-image>", r#"{"SchemaVersion":2,"Config":{},"Layers":[]}"#),
];

/// Manifests of things that the repository does not have.
const DANGLING: &[(&str, &str, &str)] = &[
    ("a config nobody has", "<oci-image>", "{<version>,\"config\":<absent-descriptor>}"),
    ("a layer nobody has", "<oci-image>", "{<version>,<config-field>,\"layers\":[<absent-descriptor>]}"),
    ("a child nobody has", "<oci-index>", "{<version>,\"manifests\":[<absent-image-descriptor>]}"),
    (
        "a layer of another repository",
        "<oci-image>",
        "{<version>,<config-field>,\"layers\":[<secret-descriptor>]}",
    ),
    ("a child of another repository", "<oci-index>", "{<version>,\"manifests\":[<secret-image-descriptor>]}"),
    (
        "a manifest as a layer",
        "<oci-image>",
        "{<version>,<config-field>,\"layers\":[<image-as-layer-descriptor>]}",
    ),
    ("a layer as a child", "<oci-index>", "{<version>,\"manifests\":[<layer-as-image-descriptor>]}"),
    ("a blob of an artifact nobody has", ARTIFACT, "{\"blobs\":[<absent-descriptor>]}"),
    (
        "a layer nobody has, behind one",
        "<oci-image>",
        "{<version>,<config-field>,\"layers\":[<layer-descriptor>,<absent-descriptor>]}",
    ),
];

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (what, media_type, body) in CONTRADICTIONS {
        rows.push(put(*what, "hostile", media_type, *body).refused(400, "MANIFEST_INVALID"));
    }
    for (what, media_type, body) in DANGLING {
        rows.push(put(*what, "hostile", media_type, *body).refused(400, "MANIFEST_BLOB_UNKNOWN"));
    }
    rows.extend(wrong_references());
    rows.extend(too_much());
    rows
}

fn wrong_references() -> Vec<Row> {
    let wrong = |name: &str, reference: &str| put(name, reference, "<oci-image>", "<image-body>");
    let sha512 = format!("sha512:{}", "ab".repeat(64));
    vec![
        wrong("the digest of nothing", "<absent>").refused(400, "DIGEST_INVALID"),
        wrong("the digest of another manifest", "<child>").refused(400, "DIGEST_INVALID"),
        wrong("the digest of a blob", "<layer>").refused(400, "DIGEST_INVALID"),
        wrong("a sha512 of nothing", &sha512).refused(400, "DIGEST_INVALID"),
        wrong("a wrong digest with a sound tag", "<absent>?tag=sound").refused(400, "DIGEST_INVALID"),
        put("one more space than the digest knows", "<image>", "<oci-image>", "<image-body> ")
            .refused(400, "DIGEST_INVALID"),
        wrong("an unknown repository", "../../nobody/manifests/latest").refused(400, "NAME_INVALID"),
        row("an image into a repository without its blobs", "PUT /v2/hostile/nobody/manifests/latest")
            .header("Content-Type: <oci-image>")
            .body("<image-body>")
            .refused(400, "MANIFEST_BLOB_UNKNOWN"),
    ]
}

fn too_much() -> Vec<Row> {
    let layers = |count: usize| vec!["<layer-descriptor>"; count].join(",");
    let children = vec!["<child-descriptor>"; 10_001].join(",");
    let many = |count| format!("{{<version>,<config-field>,\"layers\":[{}]}}", layers(count));
    let blank = |bytes: usize| format!("{{<version>,<config-field>,<layers-field>}}{}", " ".repeat(bytes));
    let annotation = "a".repeat(1024 * 1024);
    let large = format!(
        "{{<version>,<config-field>,\"subject\":<image-descriptor>,\"annotations\":{{\"a\":\"{annotation}\"}}}}"
    );
    vec![
        put("10,001 layers", "hostile", "<oci-image>", many(10_001)).refused(400, "MANIFEST_INVALID"),
        put("10,000 layers and a config", "hostile", "<oci-image>", many(10_000))
            .refused(400, "MANIFEST_INVALID"),
        put(
            "10,001 manifests",
            "hostile",
            "<oci-index>",
            format!("{{<version>,\"manifests\":[{children}]}}"),
        )
        .refused(400, "MANIFEST_INVALID"),
        put("a referrer with a megabyte of annotations", "hostile", "<oci-image>", large)
            .refused(413, "SIZE_INVALID"),
        put("an image and 4 MiB of blanks", "hostile", "<oci-image>", blank(4 * 1024 * 1024))
            .refused(413, "SIZE_INVALID"),
    ]
}

fn put(name: impl Into<String>, reference: &str, media_type: &str, body: impl Into<Vec<u8>>) -> Draft {
    row(name, format!("PUT /v2/<name>/manifests/{reference}"))
        .header(format!("Content-Type: {media_type}"))
        .body(body)
}
