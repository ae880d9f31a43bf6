//! Manifests that are no JSON, or JSON that two readers would understand differently.

use crate::row::{Draft, Row, row};

/// Bodies that are not one JSON object.
const NO_OBJECT: &[(&str, &[u8])] = &[
    ("nothing", b""),
    ("a space", b" "),
    ("null", b"null"),
    ("a number", b"42"),
    ("a text", b"\"<image>\""),
    ("a list", b"[]"),
    ("a list of an image", b"[<image-body>]"),
    ("an open brace", b"{"),
    ("a closed brace", b"}"),
    ("an object cut off", b"{\"schemaVersion\":2,"),
    ("a text cut off", b"{\"schemaVersion"),
    ("two images", b"<image-body><image-body>"),
    ("an image and a word", b"<image-body>x"),
    ("an image and a NUL", b"<image-body>\0"),
    ("a word and an image", b"x<image-body>"),
    ("a byte order mark", b"\xef\xbb\xbf{\"schemaVersion\":2}"),
    ("UTF-16", b"\xff\xfe{\0\"\0a\0\"\0:\x002\0}\0"),
    ("no UTF-8", b"{\"schemaVersion\":2,\"x\":\"\xff\"}"),
    ("half a surrogate as a key", b"{<version>,\"\\ud800\":1,<config-field>,<layers-field>}"),
    ("half a surrogate as an annotation", br#"{<version>,<config-field>,"annotations":{"a":"\ud800"}}"#),
    ("NUL bytes", b"\0\0\0\0"),
    ("a control character", b"{<version>,<config-field>,\"annotations\":{\"a\":\"\n\"}}"),
    ("a comment", b"{<version>,/* nothing */<config-field>,<layers-field>}"),
    ("a comma at the end", b"{<version>,<config-field>,<layers-field>,}"),
    ("single quotes", b"{'schemaVersion':2}"),
    ("a key without quotes", b"{schemaVersion:2}"),
    ("NaN", b"{<version>,<config-field>,\"x\":NaN}"),
    ("a number with a leading zero", b"{<version>,<config-field>,\"x\":01}"),
    ("a number cut off", b"{<version>,<config-field>,\"x\":1e}"),
    ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
    ("XML", b"<?xml version=\"1.0\"?><manifest/>"),
    ("a form", b"schemaVersion=2&config=x"),
];

/// Objects in which a key stands twice.
const TWICE: &[(&str, &str)] = &[
    ("the version", "{<version>,<version>,<config-field>,<layers-field>}"),
    ("the config", "{<version>,<config-field>,<layers-field>,<config-field>}"),
    ("the layers", "{<version>,<config-field>,<layers-field>,\"layers\":[]}"),
    ("the layers, once escaped", "{<version>,<config-field>,<layers-field>,\"\\u006cayers\":[]}"),
    ("the media type", r#"{<version>,"mediaType":"<oci-image>","mediaType":"<oci-image>",<config-field>}"#),
    ("a field nobody knows", r#"{<version>,<config-field>,"x":1,"x":1}"#),
    ("a key deep inside", r#"{<version>,<config-field>,"x":[[{"y":{"z":1,"z":2}}]]}"#),
    ("the empty key", r#"{<version>,<config-field>,"":1,"":2}"#),
    ("an annotation", r#"{<version>,<config-field>,"annotations":{"a":"b","a":"c"}}"#),
    (
        "the digest of a layer",
        r#"{<version>,<config-field>,"layers":[{"digest":"<layer>","digest":"<absent>"}]}"#,
    ),
];

pub(crate) fn rows() -> Vec<Row> {
    let invalid = |draft: Draft| draft.refused(400, "MANIFEST_INVALID");
    let mut rows: Vec<Row> = NO_OBJECT.iter().map(|(what, body)| invalid(put(*what, *body))).collect();
    rows.extend(TWICE.iter().map(|(what, body)| invalid(put(format!("{what} twice"), *body))));
    for depth in [64, 65, 127, 128, 1000, 100_000, 500_000] {
        let lists = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let objects = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        rows.push(invalid(put(format!("{depth} lists inside"), field(&lists))));
        rows.push(invalid(put(format!("{depth} objects inside"), field(&objects))));
        rows.push(invalid(put(format!("{depth} lists never closed"), "[".repeat(depth))));
    }
    rows
}

/// The baseline's image with one more field, which no reader needs.
fn field(value: &str) -> String {
    format!("{{<version>,<config-field>,<layers-field>,\"x\":{value}}}")
}

fn put(name: impl Into<String>, body: impl Into<Vec<u8>>) -> Draft {
    row(name, "PUT /v2/<name>/manifests/hostile").header("Content-Type: <oci-image>").body(body)
}
