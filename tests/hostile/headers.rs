//! Headers that are doubled, huge, foreign or nonsense.

use crate::row::{Draft, Row, row};

/// Headers that mean nothing to a registry: the answer is the same as without them.
const HARMLESS: &[&str] = &[
    "Accept: ",
    "Accept: garbage",
    "Accept: application/vnd.docker.distribution.manifest.v1+json",
    "Accept: */*;q=-1",
    "Accept-Encoding: gzip, zstd, identity;q=0",
    "Authorization: ",
    "Authorization: Basic !!!!",
    "Authorization: Bearer ../../etc/passwd",
    "Cookie: session=../../etc/passwd",
    "If-Modified-Since: yesterday",
    "Forwarded: for=127.0.0.1;host=evil.example",
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-Host: evil.example",
    "X-Forwarded-Proto: javascript",
    "X-Original-URL: /v2/<name>/manifests/v2",
    "X-Rewrite-URL: /v2/<name>/manifests/v2",
    "Upgrade: h2c",
    "Upgrade: websocket",
    "TE: trailers, deflate;q=0.5",
    "Max-Forwards: 0",
    "Via: 1.1 loop, 1.1 loop, 1.1 loop",
    "Connection: close, Host, Content-Length",
    "Origin: https://evil.example",
    "Sec-Fetch-Site: cross-site",
    "Sec-Fetch-Site: nonsense",
    "Referer: \u{202e}",
    "User-Agent: () { :; }; echo",
    "X-Amz-Date: garbage",
    "Trailer: Content-Length",
    "Date: Thu, 01 Jan 1970 00:00:00 GMT",
];

pub(crate) fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = HARMLESS.iter().map(|field| get(*field).header(*field).answered(200)).collect();
    rows.extend(hosts());
    rows.extend(doubled());
    rows.extend(malformed());
    rows
}

fn get(name: impl Into<String>) -> Draft {
    row(name, "GET /v2/<name>/manifests/latest")
}

fn hosts() -> Vec<Row> {
    let start = |name: &str| row(name, "POST /v2/<name>/blobs/uploads/");
    vec![
        // An open registry is this machine's alone; a deployed one is asked under many names.
        start("a foreign host").header("Host: evil.example").refused(403, "DENIED"),
        start("an empty host").header("Host: ").refused(403, "DENIED"),
        start("a host that is a path").header("Host: /v2/").refused(400, "UNSUPPORTED"),
        start("a host that is no host").header("Host: a b\"c").refused(400, "UNSUPPORTED"),
        start("a host with a user before it").header("Host: evil@localhost").refused(400, "UNSUPPORTED"),
        start("a host whose port is none").header("Host: localhost:x").refused(400, "UNSUPPORTED"),
        start("a form of another site")
            .header("Origin: https://evil.example")
            .header("Sec-Fetch-Site: cross-site")
            .refused(403, "DENIED"),
        start("a form of another site and of this one")
            .header("Sec-Fetch-Site: same-origin")
            .header("Sec-Fetch-Site: cross-site")
            .refused(403, "DENIED"),
        start("a form of another host").header("Origin: http://evil.example").refused(403, "DENIED"),
        start("a form of nobody").header("Origin: null").refused(403, "DENIED"),
        start("a form of this host").header("Origin: http://<host>").answered(202),
        start("two hosts").header("Host: <host>").header("Host: evil.example").refused(400, "UNSUPPORTED"),
    ]
}

fn doubled() -> Vec<Row> {
    let chunk = |name: &str| row(name, "PATCH <started>").body("0123456789");
    let manifest = |name: &str| row(name, "PUT /v2/<name>/manifests/hostile");
    vec![
        chunk("Content-Range twice")
            .header("Content-Range: 10-19")
            .header("Content-Range: 10-19")
            .refused(400, "UNSUPPORTED"),
        manifest("Content-Type twice")
            .header("Content-Type: <oci-image>")
            .header("Content-Type: <oci-index>")
            .body("{<version>,<config-field>,<layers-field>}")
            .refused(400, "UNSUPPORTED"),
        manifest("no Content-Type and no type in the body")
            .body("{<version>}")
            .refused(400, "MANIFEST_INVALID"),
        manifest("a Content-Type that is no UTF-8")
            .header(b"Content-Type: \xff/\xfe")
            .body("{<version>,<config-field>,<layers-field>}")
            .refused(400, "UNSUPPORTED"),
        manifest("a Content-Type of ten thousand characters")
            .header(format!("Content-Type: application/{}", "x".repeat(10_000)))
            .body("{<version>,<config-field>,<layers-field>}")
            .refused(400, "MANIFEST_INVALID"),
        get("Range twice, for a manifest")
            .header("Range: bytes=0-1")
            .header("Range: bytes=2-3")
            .refused(400, "UNSUPPORTED"),
        get("a hundred cookies").header(vec!["Cookie: a=b"; 90].join("\r\n")).answered(200),
    ]
}

fn malformed() -> Vec<Row> {
    vec![
        get("a header without a colon").header("Nonsense").unparsed(),
        get("a header without a name").header(": value").unparsed(),
        get("a space before the colon").header("X-Name : value").unparsed(),
        get("a space in the name").header("X Name: value").unparsed(),
        get("a NUL in the name").header("X\0Name: value").unparsed(),
        get("a NUL in the value").header("X-Name: a\0b").unparsed(),
        get("a bare carriage return in the value").header("X-Name: a\rX-Injected: yes").unparsed(),
        get("UTF-8 in the name").header("X-N\u{e4}me: value").unparsed(),
        get("a folded header").header("X-Name: a\r\n b").unparsed(),
        get("a thousand headers").header(vec!["X-Name: value"; 1000].join("\r\n")).unparsed(),
        get("a header of a megabyte").header(format!("X-Name: {}", "x".repeat(1024 * 1024))).unparsed(),
        get("a header name of 100,000 letters").header(format!("{}: value", "X".repeat(100_000))).unparsed(),
    ]
}
