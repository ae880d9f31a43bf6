//! Pulls of what is not there, is something else, or belongs to another repository.

use crate::row::{Row, row};

pub(crate) fn rows() -> Vec<Row> {
    let unknown_blob = |name: &str, line: &str| row(name, line).refused(404, "BLOB_UNKNOWN");
    let unknown_manifest = |name: &str, line: &str| row(name, line).refused(404, "MANIFEST_UNKNOWN");
    vec![
        unknown_blob("a blob nobody has", "GET /v2/<name>/blobs/<absent>"),
        unknown_blob("a look at a blob nobody has", "HEAD /v2/<name>/blobs/<absent>"),
        unknown_blob("a manifest as a blob", "GET /v2/<name>/blobs/<image>"),
        unknown_blob("a look at a manifest as a blob", "HEAD /v2/<name>/blobs/<index>"),
        unknown_blob("a blob of another repository", "GET /v2/<name>/blobs/<secret>"),
        unknown_blob("a look at a blob of another repository", "HEAD /v2/<name>/blobs/<secret>"),
        unknown_blob("a blob of an unknown repository", "GET /v2/hostile/nobody/blobs/<layer>"),
        unknown_blob("a blob of the parent repository", "GET /v2/hostile/blobs/<layer>"),
        unknown_blob("a blob of a child repository", "GET /v2/<name>/child/blobs/<layer>"),
        unknown_blob("a blob with ns", "GET /v2/<name>/blobs/<secret>?ns=<other>"),
        row("part of a blob of another repository", "GET /v2/<name>/blobs/<secret>")
            .header("Range: bytes=0-9")
            .refused(404, "BLOB_UNKNOWN"),
        row("a blob of another repository, if changed", "GET /v2/<name>/blobs/<secret>")
            .header("If-None-Match: \"<secret>\"")
            .refused(404, "BLOB_UNKNOWN"),
        row("a look at a secret, if changed", "HEAD /v2/<name>/blobs/<secret>")
            .header("If-None-Match: *")
            .refused(404, "BLOB_UNKNOWN"),
        unknown_manifest("a manifest nobody has", "GET /v2/<name>/manifests/<absent>"),
        unknown_manifest("a look at a manifest nobody has", "HEAD /v2/<name>/manifests/<absent>"),
        unknown_manifest("a tag nobody has", "GET /v2/<name>/manifests/nothing"),
        unknown_manifest("a tag in another case", "GET /v2/<name>/manifests/Latest"),
        unknown_manifest("a tag that is a folder", "GET /v2/<name>/manifests/uploads"),
        unknown_manifest("a blob as a manifest", "GET /v2/<name>/manifests/<layer>"),
        unknown_manifest("a manifest of another repository", "GET /v2/<name>/manifests/<secret-image>"),
        unknown_manifest(
            "a look at a manifest of another repository",
            "HEAD /v2/<name>/manifests/<secret-image>",
        ),
        unknown_manifest("a manifest of an unknown repository", "GET /v2/hostile/nobody/manifests/<image>"),
        unknown_manifest("a tag of an unknown repository", "GET /v2/hostile/nobody/manifests/latest"),
        unknown_manifest("a manifest of the parent repository", "GET /v2/hostile/manifests/<image>"),
        row("a manifest of another repository, if changed", "GET /v2/<name>/manifests/<secret-image>")
            .header("If-None-Match: \"<secret-image>\"")
            .refused(404, "MANIFEST_UNKNOWN"),
        row("tags of an unknown repository", "GET /v2/hostile/nobody/tags/list").refused(404, "NAME_UNKNOWN"),
        row("tags of the parent repository", "GET /v2/hostile/tags/list").refused(404, "NAME_UNKNOWN"),
        row("a page of tags of an unknown repository", "GET /v2/hostile/nobody/tags/list?n=1&last=a")
            .refused(404, "NAME_UNKNOWN"),
        row("referrers of an unknown repository", "GET /v2/hostile/nobody/referrers/<image>").answered(200),
        row("referrers of a blob", "GET /v2/<name>/referrers/<layer>").answered(200),
        row("referrers of a tag", "GET /v2/<name>/referrers/latest").refused(400, "DIGEST_INVALID"),
        row("referrers of nothing", "GET /v2/<name>/referrers/").refused(400, "DIGEST_INVALID"),
        row("a blob by a tag", "GET /v2/<name>/blobs/latest").refused(400, "DIGEST_INVALID"),
        row("a blob by nothing", "GET /v2/<name>/blobs/").refused(400, "DIGEST_INVALID"),
        row("a manifest by nothing", "GET /v2/<name>/manifests/").refused(400, "TAG_INVALID"),
        row("a manifest by name and tag", "GET /v2/<name>/manifests/app:latest")
            .refused(400, "DIGEST_INVALID"),
        row("a manifest by name and digest", "GET /v2/<name>/manifests/app@<image>")
            .refused(400, "DIGEST_INVALID"),
    ]
}
