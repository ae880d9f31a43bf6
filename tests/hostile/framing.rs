//! Lengths and transfer codings that contradict themselves: nobody may read past the end of a request.

use crate::row::{Draft, Row, row};

/// Values of `Content-Length` that are none.
const NO_LENGTHS: &[&str] = &[
    "",
    "-1",
    "+10",
    "1e1",
    "10.0",
    "0xa",
    "ten",
    "10, 20",
    "10 20",
    "10;",
    "\u{661}\u{660}",
    "18446744073709551616",
    "99999999999999999999999999",
];

/// Values of `Transfer-Encoding` that leave the end of the body open.
const NO_CODINGS: &[&str] =
    &["gzip", "identity", "chunked, gzip", "chunked, identity", "xchunked", "chunkedx", ","];

/// Bodies that are not chunked as they should be.
const BAD_CHUNKS: &[(&str, &str)] = &[
    ("a size that is no number", "zz\r\n0123456789\r\n0\r\n\r\n"),
    ("a negative size", "-5\r\n01234\r\n0\r\n\r\n"),
    ("no size", "\r\n0123456789\r\n0\r\n\r\n"),
    ("a size beyond 64 bits", "fffffffffffffffff\r\n0123456789\r\n0\r\n\r\n"),
    ("a size smaller than the chunk", "5\r\n0123456789\r\n0\r\n\r\n"),
    ("a chunk without an end", "a\r\n0123456789XX0\r\n\r\n"),
    ("a size with a NUL", "a\0\r\n0123456789\r\n0\r\n\r\n"),
    ("no chunks at all", "PUT /v2/ HTTP/1.1\r\n\r\n"),
];

/// A request that must stay what it is: the content of another.
const HIDDEN: &str = "DELETE /v2/hostile/app/manifests/latest HTTP/1.1\r\nHost: x\r\n\r\n";

pub(crate) fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = NO_LENGTHS
        .iter()
        .map(|value| patch(format!("length {value:?}")).header(format!("Content-Length: {value}")).unparsed())
        .collect();
    rows.extend(NO_CODINGS.iter().map(|value| {
        patch(format!("coding {value:?}")).header(format!("Transfer-Encoding: {value}")).unparsed()
    }));
    rows.extend(
        BAD_CHUNKS
            .iter()
            .map(|(what, body)| patch(*what).header("Transfer-Encoding: chunked").body(*body).cut_off()),
    );
    rows.extend(contradictions());
    rows
}

fn patch(name: impl Into<String>) -> Draft {
    row(name, "PATCH <started>").body("0123456789")
}

fn contradictions() -> Vec<Row> {
    let long_extension = format!("a;{}\r\n0123456789\r\n0\r\n\r\n", "x".repeat(100_000));
    let many_trailers = format!("0\r\n{}\r\n", "X-Trailer: value\r\n".repeat(10_000));
    vec![
        patch("two lengths").header("Content-Length: 10").header("Content-Length: 5").unparsed(),
        patch("two lengths of a manifest")
            .header("Content-Length: 0")
            .header("Content-Length: 10")
            .unparsed(),
        patch("one length twice").header("Content-Length: 10").header("Content-Length: 10").answered(202),
        patch("a length and chunks")
            .header("Content-Length: 5")
            .header("Transfer-Encoding: chunked")
            .body("a\r\n0123456789\r\n0\r\n\r\n")
            .answered(202),
        patch("chunked twice")
            .header("Transfer-Encoding: chunked, chunked")
            .body("a\r\n0123456789\r\n0\r\n\r\n")
            .refused(400, "UNSUPPORTED"),
        patch("compressed, in chunks")
            .header("Transfer-Encoding: gzip, chunked")
            .body("a\r\n0123456789\r\n0\r\n\r\n")
            .refused(400, "UNSUPPORTED"),
        patch("an extension of 100,000 characters")
            .header("Transfer-Encoding: chunked")
            .body(long_extension)
            .cut_off(),
        patch("ten thousand trailers").header("Transfer-Encoding: chunked").body(many_trailers).cut_off(),
        row("a second request in a blob", "PUT <started>?digest=<layer>")
            .body(HIDDEN)
            .refused(400, "DIGEST_INVALID"),
        row("a second request in a refused body", "PUT /v2/Bad/manifests/latest")
            .header("Connection: keep-alive")
            .body(HIDDEN)
            .refused(400, "NAME_INVALID"),
        row("a second request behind a refused megabyte", "PUT /v2/Bad/manifests/latest")
            .header("Connection: keep-alive")
            .body(format!("{}\r\n{HIDDEN}", "x".repeat(1024 * 1024)))
            .refused(400, "NAME_INVALID"),
        row("a second request in a body of a GET", "GET /v2/")
            .header("Connection: keep-alive")
            .body(HIDDEN)
            .answered(200),
        row("a second request in a chunk", "PUT /v2/Bad/manifests/latest")
            .header("Connection: keep-alive")
            .header("Transfer-Encoding: chunked")
            .body(format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len()))
            .refused(400, "NAME_INVALID"),
    ]
}
