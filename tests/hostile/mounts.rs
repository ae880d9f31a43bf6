//! Mounts of what is not there, from where it is not, and in forms that nobody sends.

use crate::row::{Draft, Row, row};

pub(crate) fn rows() -> Vec<Row> {
    let mount = |name: &str, query: &str| row(name, format!("POST /v2/<name>/blobs/uploads/?{query}"));
    let opened = |draft: Draft| draft.answered(202);
    let mounted = |draft: Draft| draft.answered(201);
    vec![
        opened(mount("a blob nobody has", "mount=<absent>")),
        opened(mount("a blob nobody has, from a repository", "mount=<absent>&from=<other>")),
        opened(mount("a blob from a repository without it", "mount=<secret>&from=<name>")),
        opened(mount("a blob from an unknown repository", "mount=<secret>&from=hostile/nobody")),
        opened(mount("a blob from the parent repository", "mount=<secret>&from=hostile")),
        opened(mount("a manifest", "mount=<secret-image>&from=<other>")),
        opened(mount("a manifest, from anywhere", "mount=<secret-image>")),
        opened(mount("from without mount", "from=<other>")),
        opened(mount("another spelling", "Mount=<secret>&From=<other>")),
        mounted(mount("a blob from the repository itself", "mount=<layer>&from=<name>")),
        mounted(mount("a blob that is there, from anywhere", "mount=<layer>")),
        mounted(mount("an encoded digest and name", "mount=sha256%3A<layer-hex>&from=hostile%2Fapp")),
        mounted(mount("a body that nobody asked for", "mount=<layer>&from=<name>").body("not the blob")),
        mount("from an upper-case name", "mount=<layer>&from=Hostile/App").refused(400, "NAME_INVALID"),
        mount("from the parent folder", "mount=<layer>&from=..%2f..").refused(400, "NAME_INVALID"),
        mount("from an encoded NUL", "mount=<layer>&from=hostile%2fapp%00").refused(400, "NAME_INVALID"),
        mount("from no UTF-8", "mount=<layer>&from=%ff").refused(400, "NAME_INVALID"),
        mount("from nothing", "mount=<layer>&from=").refused(400, "NAME_INVALID"),
        mount("from two repositories", "mount=<layer>&from=<name>&from=<other>").refused(400, "UNSUPPORTED"),
        mount("from 256 characters", &format!("mount=<layer>&from={}", "a".repeat(256)))
            .refused(400, "NAME_INVALID"),
        mount("from another registry", "mount=<layer>&from=https://example.org/app")
            .refused(400, "NAME_INVALID"),
        mount("no digest", "mount=&from=<other>").refused(400, "DIGEST_INVALID"),
        mount("two digests", "mount=<layer>&mount=<secret>").refused(400, "UNSUPPORTED"),
        mount("a tag", "mount=latest&from=<name>").refused(400, "DIGEST_INVALID"),
        row("to an upper-case name", "POST /v2/Hostile/blobs/uploads/?mount=<layer>&from=<name>")
            .refused(400, "NAME_INVALID"),
    ]
}
