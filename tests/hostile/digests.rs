//! Digests that are none, wherever the API takes a digest.

use crate::row::{Row, row};

const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// Where a digest stands in a request.
const PLACES: &[(&str, &str)] = &[
    ("blob", "GET /v2/<name>/blobs/{}"),
    ("referrers", "GET /v2/<name>/referrers/{}"),
    ("finish", "PUT <started>?digest={}"),
    ("mount", "POST /v2/<name>/blobs/uploads/?mount={}&from=<other>"),
];

/// Where else it stands, for one bad digest.
const MORE_PLACES: &[&str] = &[
    "HEAD /v2/<name>/blobs/{}",
    "DELETE /v2/<name>/blobs/{}",
    "GET /v2/<name>/manifests/{}",
    "HEAD /v2/<name>/manifests/{}",
    "PUT /v2/<name>/manifests/{}",
    "DELETE /v2/<name>/manifests/{}",
    "POST /v2/<name>/blobs/uploads/?digest={}",
    "POST /v2/<name>/blobs/uploads/?mount={}",
];

pub(crate) fn rows() -> Vec<Row> {
    let refused = |name: String, line: String| row(name, line).refused(400, "DIGEST_INVALID");
    let mut rows = Vec::new();
    for (what, digest) in digests() {
        for (place, line) in PLACES {
            rows.push(refused(format!("{place}: {what}"), line.replace("{}", &digest)));
        }
    }
    for line in MORE_PLACES {
        let line = line.replace("{}", &format!("sha256:{}", &HEX[1..]));
        rows.push(refused(line.clone(), line));
    }
    rows.extend(missing_or_wrong());
    rows
}

fn digests() -> Vec<(&'static str, String)> {
    let upper = HEX.to_uppercase();
    vec![
        ("no colon", format!("sha256{HEX}")),
        ("only hexadecimal", HEX.to_owned()),
        ("only a colon", ":".to_owned()),
        ("no algorithm", format!(":{HEX}")),
        ("no hash", "sha256:".to_owned()),
        ("one digit too few", format!("sha256:{}", &HEX[1..])),
        ("one digit too many", format!("sha256:{HEX}0")),
        ("upper-case hexadecimal", format!("sha256:{upper}")),
        ("one upper-case digit", format!("sha256:B{}", &HEX[1..])),
        ("upper-case algorithm", format!("SHA256:{HEX}")),
        ("a letter beyond f", format!("sha256:g{}", &HEX[1..])),
        ("md5", "md5:900150983cd24fb0d6963f7d28e17f72".to_owned()),
        ("sha1", "sha1:a9993e364706816aba3e25717850c26c9cd0d89d".to_owned()),
        ("sha384", format!("sha384:{HEX}{}", &HEX[..32])),
        ("sha512 with the length of sha256", format!("sha512:{HEX}")),
        ("sha256 with the length of sha512", format!("sha256:{HEX}{HEX}")),
        ("an algorithm with a separator", format!("sha256+b64:{HEX}")),
        ("two colons", format!("sha256::{HEX}")),
        ("the algorithm twice", format!("sha256:sha256:{HEX}")),
        ("a hyphen for the colon", format!("sha256-{HEX}")),
        ("an encoded space at the front", format!("%20sha256:{HEX}")),
        ("an encoded line feed at the end", format!("sha256:{HEX}%0a")),
        ("an encoded NUL at the end", format!("sha256:{HEX}%00")),
        ("an encoded NUL inside", format!("sha256:{}%00", &HEX[1..])),
        ("encoded twice", format!("sha256%253A{HEX}")),
        ("a path in place of the hash", format!("sha256:{}%2fetc%2fpasswd", "..%2f".repeat(17))),
        ("UTF-8 of the right length", format!("sha256:{}", "%c3%a9".repeat(32))),
        ("a full-width colon", format!("sha256%ef%bc%9a{HEX}")),
        ("ten thousand digits", format!("sha256:{}", "a".repeat(10_000))),
    ]
}

fn missing_or_wrong() -> Vec<Row> {
    let refused = |name: &str, line: &str| row(name, line).body("0123456789").refused(400, "DIGEST_INVALID");
    vec![
        row("finish without a digest", "PUT <started>").refused(400, "DIGEST_INVALID"),
        row("finish with an empty digest", "PUT <started>?digest=").refused(400, "DIGEST_INVALID"),
        row("finish with a digest without a value", "PUT <started>?digest").refused(400, "DIGEST_INVALID"),
        row("finish with another spelling", "PUT <started>?Digest=<layer>").refused(400, "DIGEST_INVALID"),
        row("finish with two digests", "PUT <started>?digest=<layer>&digest=<config>")
            .refused(400, "UNSUPPORTED"),
        row("finish with one digest twice", "PUT <started>?digest=<layer>&digest=<layer>")
            .refused(400, "UNSUPPORTED"),
        refused("finish with a digest of something else", "PUT <started>?digest=<absent>"),
        refused("finish with the digest of a stored blob", "PUT <started>?digest=<layer>"),
        refused("finish with the digest of a manifest", "PUT <started>?digest=<image>"),
        refused("one PUT with the digest of something else", "PUT <upload>?digest=<absent>"),
        refused("one PUT with a sha512 of something else", &format!("PUT <upload>?digest=sha512:{HEX}{HEX}")),
        refused(
            "one POST with the digest of something else",
            "POST /v2/<name>/blobs/uploads/?digest=<absent>",
        ),
        refused("one POST with the digest of a stored blob", "POST /v2/<name>/blobs/uploads/?digest=<layer>"),
        row("one POST with two digests", "POST /v2/<name>/blobs/uploads/?digest=<layer>&digest=<config>")
            .refused(400, "UNSUPPORTED"),
        refused("one POST with an empty digest", "POST /v2/<name>/blobs/uploads/?digest="),
        row("an unknown algorithm", "POST /v2/<name>/blobs/uploads/?digest-algorithm=md5")
            .refused(400, "DIGEST_INVALID"),
        row("an empty algorithm", "POST /v2/<name>/blobs/uploads/?digest-algorithm=")
            .refused(400, "DIGEST_INVALID"),
        row("an upper-case algorithm", "POST /v2/<name>/blobs/uploads/?digest-algorithm=SHA256")
            .refused(400, "DIGEST_INVALID"),
        row(
            "two algorithms",
            "POST /v2/<name>/blobs/uploads/?digest-algorithm=sha256&digest-algorithm=sha512",
        )
        .refused(400, "UNSUPPORTED"),
    ]
}
