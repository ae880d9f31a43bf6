//! Tags outside the grammar: to read, to push, to delete, and as a parameter of a push by digest.

use crate::row::{Draft, Row, row};

const TAGS: &[(&str, &str)] = &[
    ("a dot at the front", ".latest"),
    ("a hyphen at the front", "-latest"),
    ("only a dot", "."),
    ("the parent folder", ".."),
    ("an encoded parent folder", "%2e%2e"),
    ("an encoded space", "la%20test"),
    ("an encoded slash", "la%2ftest"),
    ("an encoded backslash", "la%5ctest"),
    ("an encoded number sign", "la%23test"),
    ("an encoded NUL", "latest%00"),
    ("an encoded line feed", "latest%0a"),
    ("an encoded header", "latest%0d%0aX-Injected"),
    ("an encoded ampersand", "la%26test"),
    ("encoded UTF-8", "%c3%a9"),
    ("an encoded whale", "%f0%9f%90%b3"),
    ("no UTF-8", "%ff"),
    ("a plus sign", "la+test"),
    ("an at sign", "la@test"),
    ("a comma", "la,test"),
    ("a tilde", "~latest"),
    ("an asterisk", "*"),
    ("an encoded quotation mark", "la%22test"),
    ("plain UTF-8", "\u{e9}t\u{e9}"),
];

/// An encoded colon makes a reference a digest, but a parameter stays a tag.
const PARAMETERS: &[(&str, &str)] =
    &[("nothing", ""), ("a digest", "<image>"), ("an encoded colon", "a%3ab"), ("two tags", "a,b")];

pub(crate) fn rows() -> Vec<Row> {
    let mut tags: Vec<_> = TAGS.iter().map(|(what, tag)| (*what, (*tag).to_owned())).collect();
    tags.push(("129 characters", "t".repeat(129)));
    tags.push(("ten thousand characters", "t".repeat(10_000)));
    let mut rows = Vec::new();
    for (what, tag) in &tags {
        let refused = |draft: Draft| draft.refused(400, "TAG_INVALID");
        rows.push(refused(row(format!("read: {what}"), format!("GET /v2/<name>/manifests/{tag}"))));
        rows.push(refused(row(format!("delete: {what}"), format!("DELETE /v2/<name>/manifests/{tag}"))));
        rows.push(refused(push(format!("push: {what}"), tag)));
        rows.push(refused(push(format!("parameter: {what}"), &format!("<image>?tag={tag}"))));
    }
    for (what, tag) in PARAMETERS {
        let by_digest = format!("<image>?tag=sound&tag={tag}");
        rows.push(push(format!("second parameter: {what}"), &by_digest).refused(400, "TAG_INVALID"));
    }
    rows.push(push("an empty reference", "").refused(400, "TAG_INVALID"));
    let many: Vec<_> = (0..17).map(|number| format!("tag=t{number}")).collect();
    rows.push(push("17 tags", &format!("<image>?{}", many.join("&"))).refused(414, "TAG_INVALID"));
    rows.push(push("a tag beside a tag", "latest?tag=sound").refused(400, "UNSUPPORTED"));
    rows
}

/// A push of the baseline's image, which would succeed under a sound reference.
fn push(name: impl Into<String>, reference: &str) -> Draft {
    row(name, format!("PUT /v2/<name>/manifests/{reference}"))
        .header("Content-Type: <oci-image>")
        .body("<image-body>")
}
