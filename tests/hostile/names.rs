//! Repository names outside the grammar, for readers and for writers.

use crate::row::{Row, row};

const NAMES: &[(&str, &str)] = &[
    ("empty", ""),
    ("only a slash", "/"),
    ("a slash at the end", "hostile/app/"),
    ("a slash at the front", "/hostile/app"),
    ("an empty component", "hostile//app"),
    ("an upper-case letter", "hostile/App"),
    ("all upper case", "HOSTILE/APP"),
    ("a dot at the front", ".hostile/app"),
    ("a dot at the end", "hostile./app"),
    ("two dots inside", "hostile/a..b"),
    ("an underscore at the front", "hostile/_app"),
    ("an underscore at the end", "hostile/app_"),
    ("three underscores", "hostile/a___b"),
    ("a hyphen at the front", "-hostile/app"),
    ("a hyphen at the end", "hostile/app-"),
    ("mixed separators", "hostile/a._b"),
    ("a hyphen after a dot", "hostile/a.-b"),
    ("this folder", "hostile/./app"),
    ("the parent folder", "hostile/../app"),
    ("the parent of everything", "../../../../etc"),
    ("an encoded letter", "hostile/%61pp"),
    ("an encoded slash", "hostile%2fapp"),
    ("an encoded slash, encoded again", "hostile%252fapp"),
    ("an encoded parent folder", "hostile/%2e%2e/app"),
    ("an encoded NUL", "hostile/app%00"),
    ("an encoded line feed", "hostile/app%0a"),
    ("an encoded header", "hostile/app%0d%0aX-Injected:%20yes"),
    ("encoded UTF-8", "hostile/%c3%a9"),
    ("overlong UTF-8", "hostile/%c0%ae%c0%ae/app"),
    ("encoded bytes that are no UTF-8", "hostile/%ff%fe"),
    ("plain UTF-8", "hostile/\u{e9}"),
    ("full-width letters", "hostile/\u{ff41}pp"),
    ("a right-to-left override", "hostile/\u{202e}app"),
    ("a backslash", "hostile\\app"),
    ("a colon", "hostile/app:latest"),
    ("an at sign", "hostile/app@sha256"),
    ("a host with a port", "localhost:5000/app"),
    ("a plus sign", "hostile/a+b"),
    ("a tilde", "~/app"),
    ("a semicolon", "hostile/app;v=1"),
    ("an asterisk", "hostile/*"),
    ("a dollar sign", "hostile/$HOME"),
    ("a quotation mark", "hostile/\"app\""),
    ("braces", "hostile/{app}"),
    ("the catalog", "_catalog"),
];

/// One for each endpoint and method that has a name.
const REQUESTS: &[&str] = &[
    "GET /v2/Bad/manifests/latest",
    "HEAD /v2/Bad/manifests/latest",
    "PUT /v2/Bad/manifests/latest",
    "DELETE /v2/Bad/manifests/latest",
    "GET /v2/Bad/blobs/<layer>",
    "HEAD /v2/Bad/blobs/<layer>",
    "DELETE /v2/Bad/blobs/<layer>",
    "POST /v2/Bad/blobs/uploads/?digest=<layer>",
    "POST /v2/Bad/blobs/uploads/?mount=<layer>&from=<name>",
    "GET /v2/Bad/blobs/uploads/<open-id>",
    "PATCH /v2/Bad/blobs/uploads/<open-id>",
    "PUT /v2/Bad/blobs/uploads/<open-id>?digest=<layer>",
    "DELETE /v2/Bad/blobs/uploads/<open-id>",
    "GET /v2/Bad/referrers/<image>",
];

pub(crate) fn rows() -> Vec<Row> {
    let refused = |name: String, line: String| row(name, line).refused(400, "NAME_INVALID");
    let read = NAMES
        .iter()
        .map(|(what, name)| refused(format!("tags of {what}"), format!("GET /v2/{name}/tags/list")));
    let write = NAMES
        .iter()
        .map(|(what, name)| refused(format!("upload to {what}"), format!("POST /v2/{name}/blobs/uploads/")));
    let everywhere = REQUESTS.iter().map(|line| refused((*line).to_owned(), (*line).to_owned()));
    let long = [256, 300, 10_000].map(|chars| {
        refused(format!("{chars} characters"), format!("POST /v2/{}/blobs/uploads/", "a".repeat(chars)))
    });
    let many = refused(
        "a thousand components".to_owned(),
        format!("POST /v2/a{}/blobs/uploads/", "/a".repeat(1000)),
    );
    read.chain(write).chain(everywhere).chain(long).chain([many]).collect()
}
