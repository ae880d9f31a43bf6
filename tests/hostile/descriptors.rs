//! Descriptors that are none, wherever a manifest has a descriptor, and descriptors that lie.

use crate::row::{Row, row};

/// Where a descriptor stands, and the media type of the manifest around it.
const PLACES: &[(&str, &str, &str)] = &[
    ("config", "<oci-image>", r#"{<version>,"config":{},<layers-field>}"#),
    ("layer", "<oci-image>", r#"{<version>,<config-field>,"layers":[<layer-descriptor>,{}]}"#),
    ("child", "<oci-index>", r#"{<version>,"manifests":[{},<child-descriptor>]}"#),
    ("subject", "<oci-image>", r#"{<version>,<config-field>,"layers":[],"subject":{}}"#),
];

const DESCRIPTORS: &[(&str, &str)] = &[
    ("a text", r#""<layer>""#),
    ("a number", "5"),
    ("a list", r#"["application/x-layer","<layer>",1000]"#),
    ("an empty object", "{}"),
    ("no digest", r#"{"mediaType":"application/x-layer","size":1000}"#),
    ("no size", r#"{"mediaType":"application/x-layer","digest":"<layer>"}"#),
    ("no media type", r#"{"digest":"<layer>","size":1000}"#),
    ("another spelling", r#"{"MediaType":"application/x-layer","Digest":"<layer>","Size":1000}"#),
    ("a digest that is null", r#"{"mediaType":"application/x-layer","digest":null,"size":1000}"#),
    ("a digest that is a number", r#"{"mediaType":"application/x-layer","digest":5,"size":1000}"#),
    ("an empty digest", r#"{"mediaType":"application/x-layer","digest":"","size":1000}"#),
    ("a short digest", r#"{"mediaType":"application/x-layer","digest":"sha256:abc","size":1000}"#),
    ("a long digest", r#"{"mediaType":"application/x-layer","digest":"<layer>0","size":1000}"#),
    ("an upper-case digest", r#"{"mediaType":"application/x-layer","digest":"<layer-upper>","size":1000}"#),
    ("a digest of md5", r#"{"mediaType":"a/b","digest":"md5:900150983cd24fb0d6963f7d28e17f72","size":5}"#),
    ("a path as a digest", r#"{"mediaType":"a/b","digest":"sha256:../../../etc/passwd","size":5}"#),
    ("a digest and a NUL", r#"{"mediaType":"application/x-layer","digest":"<layer>\u0000","size":1000}"#),
    ("a negative size", r#"{"mediaType":"application/x-layer","digest":"<layer>","size":-1}"#),
    ("a size with a fraction", r#"{"mediaType":"application/x-layer","digest":"<layer>","size":1000.5}"#),
    ("a size with an exponent", r#"{"mediaType":"application/x-layer","digest":"<layer>","size":1e3}"#),
    ("a size that is a text", r#"{"mediaType":"application/x-layer","digest":"<layer>","size":"1000"}"#),
    ("a size that is null", r#"{"mediaType":"application/x-layer","digest":"<layer>","size":null}"#),
    ("a size beyond 63 bits", r#"{"mediaType":"a/b","digest":"<layer>","size":9223372036854775808}"#),
    ("a size beyond 64 bits", r#"{"mediaType":"a/b","digest":"<layer>","size":18446744073709551616}"#),
    ("a size beyond floats", r#"{"mediaType":"a/b","digest":"<layer>","size":1e999}"#),
    ("an empty media type", r#"{"mediaType":"","digest":"<layer>","size":1000}"#),
    ("a media type without a slash", r#"{"mediaType":"layer","digest":"<layer>","size":1000}"#),
    (
        "a media type with a line feed",
        r#"{"mediaType":"a/b\nX-Injected: yes","digest":"<layer>","size":1000}"#,
    ),
    ("a media type that is a list", r#"{"mediaType":["a/b"],"digest":"<layer>","size":1000}"#),
    ("a key twice", r#"{"mediaType":"a/b","digest":"<layer>","size":1000,"size":1000}"#),
];

/// Manifests whose descriptors say something else of a content than the registry knows.
const LIES: &[(&str, &str, &str)] = &[
    (
        "another size of a config",
        "<oci-image>",
        r#"{<version>,"config":{"mediaType":"application/x-config","digest":"<config>","size":3},<layers-field>}"#,
    ),
    (
        "another size of a layer",
        "<oci-image>",
        r#"{<version>,<config-field>,"layers":[{"mediaType":"application/x-layer","digest":"<layer>","size":999}]}"#,
    ),
    (
        "two sizes of a layer",
        "<oci-image>",
        r#"{<version>,<config-field>,"layers":[<layer-descriptor>,{"mediaType":"a/b","digest":"<layer>","size":1}]}"#,
    ),
    (
        "another size of a child",
        "<oci-index>",
        r#"{<version>,"manifests":[{"mediaType":"<oci-image>","digest":"<image>","size":5}]}"#,
    ),
    (
        "a digest in other letters beside a digest",
        "<oci-image>",
        r#"{<version>,<config-field>,"layers":[{"mediaType":"a/b","digest":"<layer>","size":1000,"Digest":"<config>"}]}"#,
    ),
    (
        "layers in other letters beside layers",
        "<oci-image>",
        r#"{<version>,<config-field>,<layers-field>,"Layers":[]}"#,
    ),
    (
        "data that is not base64",
        "<oci-image>",
        r#"{<version>,"config":{"mediaType":"a/b","digest":"<config>","size":2,"data":"{}"},<layers-field>}"#,
    ),
    (
        "data of another content",
        "<oci-image>",
        r#"{<version>,"config":{"mediaType":"a/b","digest":"<config>","size":2,"data":"W10="},<layers-field>}"#,
    ),
];

pub(crate) fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> =
        LIES.iter().map(|(what, media_type, body)| put(what, media_type, body)).collect();
    for (place, media_type, manifest) in PLACES {
        for (what, descriptor) in DESCRIPTORS {
            let body = manifest.replacen("{}", descriptor, 1);
            rows.push(put(&format!("{place}: {what}"), media_type, &body));
        }
    }
    rows
}

fn put(what: &str, media_type: &str, body: &str) -> Row {
    let push = row(what, "PUT /v2/<name>/manifests/hostile").header(format!("Content-Type: {media_type}"));
    push.body(body).refused(400, "MANIFEST_INVALID")
}
