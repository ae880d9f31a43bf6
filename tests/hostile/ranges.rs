//! `Range` and conditions on the layer of 1,000 bytes: a part, all of it, or 416, and never more than there is.

use crate::row::{Draft, Row, row};

/// Values of `Range` that are not understood or ask for several parts: the whole blob.
const WHOLE: &[&str] = &[
    "",
    "bytes",
    "bytes=",
    "bytes=-",
    "bytes=--5",
    "bytes=5",
    "bytes=a-b",
    "bytes=0x1-0x5",
    "bytes=+1-5",
    "bytes=1.5-2",
    "bytes=0-5,7-8",
    "bytes=0-5, 990-",
    "bytes=0-5;7-8",
    "bytes 0-5",
    "bytes: 0-5",
    "lines=0-5",
    "octets=0-5",
    "0-5",
];

/// Values that ask for what is there, however clumsily.
const PART: &[&str] = &[
    "bytes=0-0",
    "bytes=999-999",
    "bytes=990-99999999",
    "bytes=0-18446744073709551615",
    "bytes=0-99999999999999999999999999",
    "bytes=-99999999999999999999999999",
    "BYTES=0-5",
    "bytes=00000000000000000000000000000001-5",
];

/// Values that ask for what is not there.
const NOT_THERE: &[&str] = &[
    "bytes=9-5",
    "bytes=1000-",
    "bytes=1000-1000",
    "bytes=4294967296-4294967297",
    "bytes=18446744073709551615-",
    "bytes=18446744073709551616-",
    "bytes=99999999999999999999999999-",
    "bytes=-0",
];

pub(crate) fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = WHOLE.iter().map(|value| ranged(value).answered(200)).collect();
    rows.extend(PART.iter().map(|value| ranged(value).answered(206)));
    rows.extend(NOT_THERE.iter().map(|value| ranged(value).refused(416, "SIZE_INVALID")));
    rows.extend(combinations());
    rows
}

fn ranged(value: &str) -> Draft {
    layer(format!("{value:?}")).header(format!("Range: {value}"))
}

fn layer(name: impl Into<String>) -> Draft {
    row(name, "GET /v2/<name>/blobs/<layer>")
}

fn combinations() -> Vec<Row> {
    let many: String = (0..1000).map(|first| format!("{first}-{first},")).collect();
    vec![
        layer("a thousand ranges").header(format!("Range: bytes={many}")).answered(200),
        layer("digits beyond ASCII").header("Range: bytes=\u{661}-\u{665}").refused(400, "UNSUPPORTED"),
        layer("bytes that are no UTF-8").header(b"Range: bytes=\xff-\xfe").refused(400, "UNSUPPORTED"),
        layer("two headers")
            .header("Range: bytes=0-1")
            .header("Range: bytes=2-3")
            .refused(400, "UNSUPPORTED"),
        row("a range of a look", "HEAD /v2/<name>/blobs/<layer>").header("Range: bytes=5000-").answered(200),
        layer("a range if unchanged")
            .header("Range: bytes=0-9")
            .header("If-None-Match: \"<layer>\"")
            .answered(304),
        layer("any tag").header("If-None-Match: *").answered(304),
        layer("a tag without quotation marks").header("If-None-Match: <layer>").answered(304),
        layer("an open quotation mark").header("If-None-Match: \"<layer>").answered(304),
        layer("a list of tags").header("If-None-Match: \"a\", W/\"b\", , \"<layer>\"").answered(304),
        layer("no tag at all").header("If-None-Match: ,,,,").answered(200),
        layer("a tag that is no UTF-8").header(b"If-None-Match: \"\xff\"").answered(200),
        layer("ten thousand tags")
            .header(format!("If-None-Match: {}", "\"a\", ".repeat(10_000)))
            .answered(200),
        row("a manifest by a tag of ours", "GET /v2/<name>/manifests/latest")
            .header("If-None-Match: \"<image>\"")
            .answered(304),
        row("a part of a manifest that is not there", "GET /v2/<name>/manifests/latest")
            .header("Range: bytes=99999-")
            .refused(416, "SIZE_INVALID"),
    ]
}
