//! Bytes that are no HTTP request, or only nearly one.

use crate::row::{Row, raw};

/// What no parser should take for a request.
const NO_REQUESTS: &[(&str, &[u8])] = &[
    ("garbage", b"garbage\r\n\r\n"),
    ("a method alone", b"GET\r\n\r\n"),
    ("no version", b"GET /v2/\r\n\r\n"),
    ("no path", b"GET  HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a version that is none", b"GET /v2/ HTTP/x.y\r\nHost: x\r\n\r\n"),
    ("version 0.9", b"GET /v2/ HTTP/0.9\r\nHost: x\r\n\r\n"),
    ("version 9.9", b"GET /v2/ HTTP/9.9\r\nHost: x\r\n\r\n"),
    ("another protocol", b"GET /v2/ ICAP/1.0\r\nHost: x\r\n\r\n"),
    ("a lower-case protocol", b"GET /v2/ http/1.1\r\nHost: x\r\n\r\n"),
    ("a space in the path", b"GET /v2/ x HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a NUL in the path", b"GET /v2/\0 HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a NUL in the method", b"G\0T /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("UTF-8 in the method", b"G\xc3\x89T /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("no UTF-8 in the path", b"GET /v2/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a bracket in the path", b"GET /v2/<> HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a path without a slash", b"GET v2/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a bare carriage return", b"GET /v2/ HTTP/1.1\rHost: x\r\r"),
    ("a control character", b"GET /v2/ HTTP/1.1\r\nX: \x01\r\n\r\n"),
    ("a mail", b"MAIL FROM:<a@example.org>\r\n\r\n"),
    ("a redis command", b"*1\r\n$4\r\nPING\r\n\r\n"),
];

/// What ends before it is a request.
const CUT_OFF: &[(&str, &[u8])] = &[
    ("nothing", b""),
    ("one letter", b"G"),
    ("empty lines", b"\r\n\r\n\r\n"),
    ("a request line", b"GET /v2/ HTTP/1.1\r\n"),
    ("half a header", b"GET /v2/ HTTP/1.1\r\nHos"),
    ("headers without an end", b"GET /v2/ HTTP/1.1\r\nHost: x\r\n"),
    ("a TLS hello", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"),
    ("an HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("version 2.0", b"GET /v2/ HTTP/2.0\r\nHost: x\r\n\r\n"),
    ("a thousand NULs", &[0; 1000]),
    ("a tunnel", b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n"),
];

pub(crate) fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = NO_REQUESTS.iter().map(|(what, bytes)| raw(*what, *bytes).unparsed()).collect();
    rows.extend(CUT_OFF.iter().map(|(what, bytes)| raw(*what, *bytes).cut_off()));
    rows.extend(nearly());
    rows
}

fn nearly() -> Vec<Row> {
    let path = format!("GET /v2/{} HTTP/1.1\r\nHost: <host>\r\n\r\n", "a".repeat(1024 * 1024));
    let query = format!("GET /v2/?{} HTTP/1.1\r\nHost: <host>\r\n\r\n", "a".repeat(1024 * 1024));
    let all = "OPTIONS * HTTP/1.1\r\nHost: <host>\r\nConnection: close\r\n\r\n";
    let absolute = "GET http://evil.example/v2/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    let elsewhere = "GET http://evil.example/x HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    let chunked_1_0 = "PATCH <open> HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let hidden = "GET /v2/Bad/tags/list HTTP/1.1\r\nHost: <host>\r\nConnection: close\r\n\r\n\
                  DELETE /v2/<name>/manifests/latest HTTP/1.1\r\nHost: <host>\r\n\r\n";
    vec![
        raw("a path of a megabyte", path).unparsed(),
        raw("a query of a megabyte", query).unparsed(),
        raw("chunks in HTTP/1.0", chunked_1_0).unparsed(),
        raw("everything at once", all).refused(404, "UNSUPPORTED"),
        raw("an absolute path to another host", absolute).refused(403, "DENIED"),
        raw("an absolute path to nowhere", elsewhere).refused(403, "DENIED"),
        raw("HTTP/1.0", "GET /v2/ HTTP/1.0\r\n\r\n").answered(200),
        raw("no host", "GET /v2/ HTTP/1.1\r\nConnection: close\r\n\r\n").refused(400, "UNSUPPORTED"),
        raw("bare line feeds", "GET /v2/ HTTP/1.1\nHost: <host>\nConnection: close\n\n").answered(200),
        raw(
            "empty lines at the front",
            "\r\n\r\nGET /v2/ HTTP/1.1\r\nHost: <host>\r\nConnection: close\r\n\r\n",
        )
        .answered(200),
        raw("a request after the last one", hidden).refused(400, "NAME_INVALID"),
    ]
}
