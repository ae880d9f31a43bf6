//! Deletions of what is needed, is not there, or is something else.

use crate::row::{Row, row};

pub(crate) fn rows() -> Vec<Row> {
    let needed = |name: &str, line: &str| row(name, line).refused(405, "UNSUPPORTED");
    let unknown_blob = |name: &str, line: &str| row(name, line).refused(404, "BLOB_UNKNOWN");
    let unknown_manifest = |name: &str, line: &str| row(name, line).refused(404, "MANIFEST_UNKNOWN");
    vec![
        needed("a layer of an image", "DELETE /v2/<name>/blobs/<layer>"),
        needed("a config of an image", "DELETE /v2/<name>/blobs/<config>"),
        needed("a config of another repository's image", "DELETE /v2/<other>/blobs/<secret>"),
        needed("an image of an index", "DELETE /v2/<name>/manifests/<child>"),
        needed("a layer, forced", "DELETE /v2/<name>/blobs/<layer>?force=true"),
        needed("a layer, encoded", "DELETE /v2/<name>/blobs/%73ha256%3a<layer-hex>"),
        unknown_blob("a blob nobody has", "DELETE /v2/<name>/blobs/<absent>"),
        unknown_blob("a blob of another repository", "DELETE /v2/<name>/blobs/<secret>"),
        unknown_blob("a blob of an unknown repository", "DELETE /v2/hostile/nobody/blobs/<layer>"),
        unknown_blob("a manifest as a blob", "DELETE /v2/<name>/blobs/<image>"),
        unknown_manifest("a manifest nobody has", "DELETE /v2/<name>/manifests/<absent>"),
        unknown_manifest("a tag nobody has", "DELETE /v2/<name>/manifests/nothing"),
        unknown_manifest("a tag in another case", "DELETE /v2/<name>/manifests/LATEST"),
        unknown_manifest("a blob as a manifest", "DELETE /v2/<name>/manifests/<layer>"),
        unknown_manifest("a manifest of another repository", "DELETE /v2/<name>/manifests/<secret-image>"),
        unknown_manifest(
            "a manifest of an unknown repository",
            "DELETE /v2/hostile/nobody/manifests/<image>",
        ),
        unknown_manifest("a tag of an unknown repository", "DELETE /v2/hostile/nobody/manifests/latest"),
        unknown_manifest("a manifest of the parent repository", "DELETE /v2/hostile/manifests/<image>"),
        row("a wildcard", "DELETE /v2/<name>/manifests/*").refused(400, "TAG_INVALID"),
        row("every tag", "DELETE /v2/<name>/manifests/").refused(400, "TAG_INVALID"),
        row("every blob", "DELETE /v2/<name>/blobs/").refused(400, "DIGEST_INVALID"),
        row("a whole repository", "DELETE /v2/<name>").refused(404, "UNSUPPORTED"),
        row("a whole repository, with a slash", "DELETE /v2/<name>/").refused(404, "UNSUPPORTED"),
        row("everything", "DELETE /").refused(404, "UNSUPPORTED"),
        row("a body with a deletion", "DELETE /v2/<name>/manifests/nothing")
            .body("latest")
            .refused(404, "MANIFEST_UNKNOWN"),
    ]
}
