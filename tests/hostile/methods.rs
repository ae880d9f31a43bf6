//! Methods that an endpoint does not have.

use crate::row::{Row, row};

/// Each endpoint and the methods that it has.
const ENDPOINTS: &[(&str, &[&str])] = &[
    ("/v2/", &["GET"]),
    ("/v2/_catalog", &["GET"]),
    ("/v2/<name>/tags/list", &["GET"]),
    ("/v2/<name>/referrers/<image>", &["GET"]),
    ("/v2/<name>/manifests/latest", &["GET", "PUT", "DELETE"]),
    ("/v2/<name>/manifests/<image>", &["GET", "PUT", "DELETE"]),
    ("/v2/<name>/blobs/<layer>", &["GET", "DELETE"]),
    ("/v2/<name>/blobs/uploads/", &["POST"]),
    ("/v2/<name>/blobs/uploads/<open-id>", &["GET", "PATCH", "PUT", "DELETE"]),
];

const METHODS: &[&str] = &[
    "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "MKCOL", "PURGE", "get", "X",
    "-",
];

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (path, allowed) in ENDPOINTS {
        for method in METHODS.iter().filter(|method| !allowed.contains(method)) {
            let line = format!("{method} {path}");
            rows.push(row(line.clone(), line).refused(405, "UNSUPPORTED"));
        }
    }
    rows.push(row("an override", "GET /v2/").header("X-HTTP-Method-Override: DELETE").answered(200));
    rows.push(
        row("an override of a manifest", "GET /v2/<name>/manifests/latest")
            .header("X-HTTP-Method: DELETE")
            .header("X-HTTP-Method-Override: DELETE")
            .answered(200),
    );
    rows.push(
        row("an override in the query", "GET /v2/<name>/manifests/latest?_method=DELETE").answered(200),
    );
    rows.push(
        row("a method of ten thousand letters", format!("{} /v2/", "M".repeat(10_000)))
            .refused(405, "UNSUPPORTED"),
    );
    rows
}
