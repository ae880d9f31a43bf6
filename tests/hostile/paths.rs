//! Paths that are no endpoint, or try to become another one: traversal and percent-encoding games.

use crate::row::{Row, row};

/// Paths that no endpoint has.
const NOWHERE: &[&str] = &[
    "/",
    "/v1/",
    "/V2/",
    "/v2x",
    "/v2./",
    "/v3/",
    "//v2/",
    "/./v2/",
    "/../v2/",
    "/v2%2f",
    "/%76%32/",
    "/v2/x",
    "/v2/tags/list",
    "/v2/manifests/latest",
    "/v2/<name>",
    "/v2/<name>/",
    "/v2/<name>/tags",
    "/v2/<name>/tags/",
    "/v2/<name>/tags/list/",
    "/v2/<name>/Tags/list",
    "/v2/<name>/tags%2flist",
    "/v2/<name>/manifest/latest",
    "/v2/<name>/manifests%2flatest",
    "/v2/<name>/manifests/latest/",
    "/v2/<name>/manifests/latest/history",
    "/v2/<name>/blobs",
    "/v2/<name>/blobs/<layer>/",
    "/v2/<name>/blobs/<layer>/contents",
    "/v2/<name>/uploads/<open-id>",
    "/v2/<name>/referrers/<image>/x",
    "/v2/_catalog/",
    "/v2/_catalog/x",
    "/v2/%5fcatalog",
    "/etc/passwd",
    "/../../../../etc/passwd",
    "/..%2f..%2f..%2fetc%2fpasswd",
    "/v2/../../../../etc/passwd",
    "/v2/..%2f..%2f..%2fetc%2fpasswd",
    "/metrics",
    "/debug/pprof/",
    "/data/registry.redb",
];

pub(crate) fn rows() -> Vec<Row> {
    let nowhere = NOWHERE.iter().map(|path| row(*path, format!("GET {path}")).refused(404, "UNSUPPORTED"));
    nowhere.chain(traversal()).chain(encodings()).collect()
}

fn traversal() -> Vec<Row> {
    vec![
        row("blob by way of the parent", "GET /v2/<name>/blobs/../blobs/<layer>")
            .refused(400, "NAME_INVALID"),
        row("upload by way of the parent", "GET /v2/<name>/blobs/uploads/../<layer>")
            .refused(404, "UNSUPPORTED"),
        row("blob in the parent", "GET /v2/<name>/blobs/..").refused(400, "DIGEST_INVALID"),
        row("blob in an encoded parent", "GET /v2/<name>/blobs/..%2f..%2f<layer>")
            .refused(400, "DIGEST_INVALID"),
        row("blob of a file", "GET /v2/<name>/blobs/%2fetc%2fpasswd").refused(400, "DIGEST_INVALID"),
        row("manifest in an encoded parent", "GET /v2/<name>/manifests/..%2flatest")
            .refused(400, "TAG_INVALID"),
        row("manifest in the parent", "PUT /v2/<name>/manifests/..").refused(400, "TAG_INVALID"),
        row("upload in the parent", "PATCH /v2/<name>/blobs/uploads/..").refused(404, "BLOB_UPLOAD_UNKNOWN"),
        row("upload in an encoded parent", "PATCH /v2/<name>/blobs/uploads/..%2f<open-id>")
            .refused(404, "BLOB_UPLOAD_UNKNOWN"),
        row("deleting the parent", "DELETE /v2/<name>/blobs/uploads/..").refused(404, "BLOB_UPLOAD_UNKNOWN"),
        row("referrers of the parent", "GET /v2/<name>/referrers/..").refused(400, "DIGEST_INVALID"),
        row("another repository by way of the parent", "GET /v2/<name>/../other/blobs/<secret>")
            .refused(400, "NAME_INVALID"),
    ]
}

fn encodings() -> Vec<Row> {
    vec![
        row("an encoded tag", "GET /v2/<name>/manifests/%6c%61test").answered(200),
        row("a tag, encoded twice", "GET /v2/<name>/manifests/%256catest").refused(400, "TAG_INVALID"),
        row("a tag and an encoded slash", "GET /v2/<name>/manifests/latest%2f").refused(400, "TAG_INVALID"),
        row("a tag and an encoded query", "GET /v2/<name>/manifests/latest%3fx=y")
            .refused(400, "TAG_INVALID"),
        row("a tag and an encoded NUL", "GET /v2/<name>/manifests/latest%00").refused(400, "TAG_INVALID"),
        row("a tag and half an encoding", "GET /v2/<name>/manifests/latest%2").refused(400, "TAG_INVALID"),
        row("a tag and a percent sign", "GET /v2/<name>/manifests/latest%").refused(400, "TAG_INVALID"),
        row("a tag and no hexadecimal", "GET /v2/<name>/manifests/latest%zz").refused(400, "TAG_INVALID"),
        row("an overlong tag", "GET /v2/<name>/manifests/%c1%ac").refused(400, "TAG_INVALID"),
        row("an upload id and an encoded NUL", "GET /v2/<name>/blobs/uploads/<open-id>%00")
            .refused(404, "BLOB_UPLOAD_UNKNOWN"),
        row("an encoded word of the grammar", "GET /v2/<name>/%62lobs/<layer>").refused(404, "UNSUPPORTED"),
        row("an encoded key of the query", "GET /v2/<name>/tags/list?%6e=garbage")
            .refused(400, "UNSUPPORTED"),
        row("a fragment", "GET /v2/<name>/manifests/latest#/../v1").answered(200),
        row("a path of 60,000 characters", format!("GET /v2/{}", "a/".repeat(30_000)))
            .refused(404, "UNSUPPORTED"),
        row("a query of 60,000 characters", format!("GET /v2/?{}", "a=b&".repeat(15_000))).answered(200),
    ]
}
