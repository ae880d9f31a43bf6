//! `Content-Range` that is garbage, leaves a hole, overlaps, or does not fit its body.

use crate::row::{Draft, Row, row};

/// The code that goes with 416 here; `SIZE_INVALID` is for downloads.
pub(crate) const OUT_OF_ORDER: &str = "BLOB_UPLOAD_INVALID";

/// Values that are not `<start>-<end>`.
const GARBAGE: &[&str] = &[
    "",
    "-",
    "10",
    "10-",
    "-19",
    "19-10",
    "a-b",
    "10-19-29",
    "10-19, 20-29",
    "10 - 19",
    "+10-+19",
    "-10--1",
    "0xa-0x13",
    "10.0-19.0",
    "1e1-19",
    "bytes=10-19",
    "bytes 10-19",
    "bytes 10-19/",
    "bytes 10-19/15",
    "bytes 10-19/x",
    "bytes */20",
    "Bytes 10-19/20",
    "10-19/20",
    "lines 10-19/20",
    "10-18446744073709551615",
    "10-99999999999999999999999999",
];

/// Values that do not begin where the session stands, at byte 10.
const ELSEWHERE: &[&str] = &[
    "0-9",
    "5-14",
    "9-18",
    "11-20",
    "20-29",
    "bytes 0-9/20",
    "bytes 20-29/*",
    "4294967306-4294967315",
    "9223372036854775807-9223372036854775816",
    "18446744073709551605-18446744073709551614",
];

/// Values that begin there, but are not as long as the body of ten bytes.
const OTHER_LENGTHS: &[&str] =
    &["10-10", "10-18", "10-20", "10-4294967305", "10-9223372036854775807", "10-18446744073709551614"];

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for request in ["PATCH <started>", "PUT <started>?digest=<absent>"] {
        let method = request.split(' ').next().unwrap();
        let chunk = |value: &str| {
            row(format!("{method} {value:?}"), request)
                .header(format!("Content-Range: {value}"))
                .body("0123456789")
        };
        rows.extend(GARBAGE.iter().map(|value| chunk(value).refused(400, "BLOB_UPLOAD_INVALID")));
        rows.extend(ELSEWHERE.iter().map(|value| chunk(value).refused(416, OUT_OF_ORDER)));
        rows.extend(OTHER_LENGTHS.iter().map(|value| chunk(value).refused(400, "SIZE_INVALID")));
    }
    rows.extend(more());
    rows
}

fn more() -> Vec<Row> {
    let patch = |name: &str| row(name, "PATCH <started>");
    let unsupported = |draft: Draft| draft.body("0123456789").refused(400, "UNSUPPORTED");
    let digits = "9".repeat(10_000);
    vec![
        patch("ten thousand digits")
            .header(format!("Content-Range: {digits}-{digits}"))
            .body("0123456789")
            .refused(400, "BLOB_UPLOAD_INVALID"),
        unsupported(patch("a dash beyond ASCII").header("Content-Range: 10\u{2013}19")),
        unsupported(patch("digits beyond ASCII").header("Content-Range: \u{661}\u{660}-\u{661}\u{669}")),
        unsupported(patch("no UTF-8").header(b"Content-Range: \xff-\xfe")),
        unsupported(
            patch("two different ranges").header("Content-Range: 10-19").header("Content-Range: 20-29"),
        ),
        patch("a range of an empty body").header("Content-Range: 10-19").refused(400, "SIZE_INVALID"),
        patch("a range of a shorter body without a length")
            .header("Content-Range: 10-19")
            .header("Transfer-Encoding: chunked")
            .body("5\r\n01234\r\n0\r\n\r\n")
            .refused(400, "SIZE_INVALID"),
        patch("a range of a longer body without a length")
            .header("Content-Range: 10-12")
            .header("Transfer-Encoding: chunked")
            .body("5\r\n01234\r\n0\r\n\r\n")
            .refused(400, "SIZE_INVALID"),
        patch("a range that begins elsewhere, without a length")
            .header("Content-Range: 0-4")
            .header("Transfer-Encoding: chunked")
            .body("5\r\n01234\r\n0\r\n\r\n")
            .refused(416, OUT_OF_ORDER),
        row("a first chunk that begins later", "PATCH <upload>")
            .header("Content-Range: 1-10")
            .body("0123456789")
            .refused(416, OUT_OF_ORDER),
        row("a last chunk that begins later", "PUT <upload>?digest=<layer>")
            .header("Content-Range: 1-10")
            .body("0123456789")
            .refused(416, OUT_OF_ORDER),
        patch("Range in place of Content-Range")
            .header("Range: bytes=20-29")
            .body("0123456789")
            .answered(202),
    ]
}
