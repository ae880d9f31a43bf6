//! Faults of CloudFront and of the edge's function, but for direct uploads.

use cloud::{Changes, Cloud};

use super::Row;
use crate::checks::{
    AT_ONCE, BURST, CHUNKED, CHUNKED_LARGE, ENCODED_DIGEST, FITS, FOUR, MOVED, OTHER, REALM, SIX, STRANGER,
};

const MEBIBYTE: usize = 1024 * 1024;

/// Where the edge's function begins to choose.
const UPLOAD: &str = "const upload = UPLOAD_URI.exec(request.uri);\n    if (";

/// So much that a token of 1.5 KB beside it is too much for API Gateway, and one of the registry's own is not.
const MORE_BYTES: usize = 7_000;

pub(crate) const ROWS: &[Row] = &[
    Row::tolerable("the API does not learn the viewer's host", &[REALM], |_| {
        coded("request.headers['x-viewer-host'] = {", "request.headers['x-host'] = {")
    }),
    Row::essential("the edge lets anybody push", &[STRANGER], |cloud| {
        logging_in(cloud, "request.method === 'POST' && !request.headers.authorization")
    }),
    Row::essential("the edge shows a token of its own", &[OTHER], |cloud| {
        logging_in(cloud, "/POST|DELETE/.test(request.method) && request.headers.authorization")
    }),
    // Even the answer that nobody has to log in is kept then.
    Row::essential("the cache policy is another", &[BURST, MOVED], |_| Changes {
        edge_flags: vec!["--min-ttl=600"],
        ..Changes::default()
    }),
    Row::essential("the template has errors remembered", &[AT_ONCE], |_| Changes {
        edge_template: edits(&[("ErrorCachingMinTTL: 0", "ErrorCachingMinTTL: 10")]),
        ..Changes::default()
    }),
    Row::essential("InlineBytesMax is 2 MiB", &[FOUR, CHUNKED_LARGE], |_| inline(2 * MEBIBYTE)),
    Row::tolerable("InlineBytesMax is 8 MiB", &[SIX, CHUNKED_LARGE], |_| inline(8 * MEBIBYTE)),
    Row::essential("the edge refuses bodies without a length", &[CHUNKED], |_| Changes {
        leaves_relay_out: true,
        ..coded(
            "bodyBytes(request.headers) > settings.inlineBytesMax ?",
            "!(bodyBytes(request.headers) <= settings.inlineBytesMax) ?",
        )
    }),
    Row::tolerable("there is no relay", &[CHUNKED_LARGE], |_| Changes {
        leaves_relay_out: true,
        ..Changes::default()
    }),
    Row::essential("the origin request policy adds headers", &[FITS], |_| {
        let more = format!("request.headers['x-more'] = {{ value: '{}' }};\n    ", "x".repeat(MORE_BYTES));
        coded(UPLOAD, &format!("{more}{UPLOAD}"))
    }),
    Row::essential("a commit's query is encoded twice", &[ENCODED_DIGEST], |_| {
        coded(
            "if (!isChunked && !(bytes > 0)) return request;",
            "if (!isChunked && !(bytes > 0)) {
                if (query.digest) query.digest.value = query.digest.value.replace('%', '%25');
                return request;
            }",
        )
    }),
];

/// Has the edge log in who comes like this.
fn logging_in(cloud: &Cloud, condition: &str) -> Changes {
    let value = cloud.authorization().unwrap();
    let upload = "const upload = UPLOAD_URI.exec(request.uri);\n    if (";
    let login =
        format!("if ({condition}) request.headers.authorization = {{ value: '{value}' }};\n    {upload}");
    coded(upload, &login)
}

fn inline(bytes: usize) -> Changes {
    let edge_settings = vec![("inlineBytesMax", bytes.into())];
    Changes { leaves_relay_out: true, edge_settings, ..Changes::default() }
}

/// Has other code in one place of the edge's function.
pub(crate) fn coded(old: &str, new: &str) -> Changes {
    Changes { edge_code: edits(&[(old, new)]), ..Changes::default() }
}

fn edits(edits: &[(&str, &str)]) -> Vec<(String, String)> {
    edits.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect()
}
