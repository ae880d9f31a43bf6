//! Calls in the wrong order, on sessions that are over, and on sessions of other repositories.

use crate::row::{Row, row};

const METHODS: &[&str] = &["GET", "PATCH", "PUT", "DELETE"];

/// Paths under which there is no session, or no longer.
const NO_SESSIONS: &[(&str, &str)] = &[
    ("a session of another repository", "/v2/<name>/blobs/uploads/<foreign-id>"),
    ("a session of the parent repository", "/v2/hostile/blobs/uploads/<open-id>"),
    ("a session of an unknown repository", "/v2/hostile/nobody/blobs/uploads/<open-id>"),
    ("a session that was cancelled", "<cancelled>"),
    ("a session nobody opened", "/v2/<name>/blobs/uploads/00000000-0000-4000-8000-000000000000"),
    ("an id of one letter", "/v2/<name>/blobs/uploads/x"),
    ("an id and a letter", "/v2/<name>/blobs/uploads/<open-id>0"),
    ("an id with an underscore", "/v2/<name>/blobs/uploads/_"),
    ("an id with encoded hyphens", "/v2/<name>/blobs/uploads/00000000%2d0000%2d4000%2d8000%2d000000000000"),
    ("an id with an encoded slash", "/v2/<name>/blobs/uploads/a%2fb"),
    ("an id with an encoded NUL", "/v2/<name>/blobs/uploads/<open-id>%00"),
    ("an id with encoded UTF-8", "/v2/<name>/blobs/uploads/%c3%a9"),
    ("an id with a dot", "/v2/<name>/blobs/uploads/<open-id>.tmp"),
    ("a digest as an id", "/v2/<name>/blobs/uploads/<layer>"),
    ("a wildcard as an id", "/v2/<name>/blobs/uploads/*"),
    ("an id as a key of the store", "/v2/<name>/blobs/uploads/U%23<open-id>"),
];

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (what, path) in NO_SESSIONS {
        for method in METHODS {
            let line = if *method == "PUT" {
                format!("PUT {path}?digest=<layer>")
            } else {
                format!("{method} {path}")
            };
            rows.push(row(format!("{method} {what}"), line).refused(404, "BLOB_UPLOAD_UNKNOWN"));
        }
    }
    let long = format!("PATCH /v2/<name>/blobs/uploads/{}", "a".repeat(10_000));
    rows.push(row("an id of ten thousand letters", long).refused(404, "BLOB_UPLOAD_UNKNOWN"));
    rows.extend(after_the_end());
    rows
}

fn after_the_end() -> Vec<Row> {
    let gone = |name: &str, line: &str| row(name, line).refused(404, "BLOB_UPLOAD_UNKNOWN");
    vec![
        gone("the state of a finished session", "GET <finished>"),
        gone("a chunk for a finished session", "PATCH <finished>"),
        gone("cancelling a finished session", "DELETE <finished>"),
        gone("finishing as something else", "PUT <finished>?digest=<config>"),
        gone("finishing as something nobody has", "PUT <finished>?digest=<absent>"),
        row("finishing again", "PUT <finished>?digest=<layer>").answered(201),
        row("finishing again without a digest", "PUT <finished>").refused(400, "DIGEST_INVALID"),
        row("a second body after the end", "PATCH <finished>")
            .body("more")
            .refused(404, "BLOB_UPLOAD_UNKNOWN"),
        row("a chunk after cancelling", "PATCH <cancelled>")
            .header("Content-Range: 0-3")
            .body("more")
            .refused(404, "BLOB_UPLOAD_UNKNOWN"),
        row("finishing nothing", "PUT <upload>?digest=<layer>").refused(400, "DIGEST_INVALID"),
        row("finishing too early", "PUT <started>?digest=<layer>").refused(400, "DIGEST_INVALID"),
        row(
            "finishing another repository's session",
            "PUT /v2/<other>/blobs/uploads/<started-id>?digest=<layer>",
        )
        .refused(404, "BLOB_UPLOAD_UNKNOWN"),
        row("a manifest as a session", "PUT /v2/<name>/manifests/<upload-id>")
            .header("Content-Type: <oci-image>")
            .body("no manifest")
            .refused(400, "MANIFEST_INVALID"),
        row("a session as a blob", "GET /v2/<name>/blobs/<open-id>").refused(400, "DIGEST_INVALID"),
    ]
}
