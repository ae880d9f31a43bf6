//! Bodies that are too long, too short, or where none belongs.

use crate::chunks::OUT_OF_ORDER;
use crate::row::{Row, row};

const MIB: usize = 1024 * 1024;

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = unexpected();
    rows.extend(too_long());
    rows.extend(broken_off());
    rows
}

fn unexpected() -> Vec<Row> {
    vec![
        row("a body of a GET", "GET /v2/").body("nobody asked").answered(200),
        row("a megabyte of a GET", "GET /v2/<name>/manifests/latest").body(vec![b'x'; MIB]).answered(200),
        row("a body of a HEAD", "HEAD /v2/<name>/manifests/latest").body("nobody asked").answered(200),
        row("a body of a question", "GET <started>").body("nobody asked").answered(204),
        row("a megabyte for no endpoint", "PUT /v2/<name>/nowhere")
            .body(vec![b'x'; MIB])
            .refused(404, "UNSUPPORTED"),
        row("a megabyte for a wrong method", "PUT /v2/<name>/tags/list")
            .body(vec![b'x'; MIB])
            .refused(405, "UNSUPPORTED"),
        row("a megabyte for a wrong name", "PUT /v2/Bad/manifests/latest")
            .body(vec![b'x'; MIB])
            .refused(400, "NAME_INVALID"),
        row("a megabyte for no session", "PATCH /v2/<name>/blobs/uploads/<foreign-id>")
            .body(vec![b'x'; MIB])
            .refused(404, "BLOB_UPLOAD_UNKNOWN"),
        row("a megabyte for a wrong digest", "PUT <started>?digest=sha256:abc")
            .body(vec![b'x'; MIB])
            .refused(400, "DIGEST_INVALID"),
        row("a megabyte out of order", "PATCH <started>")
            .header("Content-Range: 99-1048674")
            .body(vec![b'x'; MIB])
            .refused(416, OUT_OF_ORDER),
        row("a megabyte with the digest of something else", "PUT <started>?digest=<layer>")
            .body(vec![b'x'; MIB])
            .refused(400, "DIGEST_INVALID"),
        row("bytes that say they are text", "PATCH <started>")
            .header("Content-Type: text/plain")
            .body(b"\xff\xfe\xfd".to_vec())
            .answered(202),
        row("a body to start with, but no digest", "POST /v2/<name>/blobs/uploads/")
            .body("0123456789")
            .answered(202),
    ]
}

fn too_long() -> Vec<Row> {
    let push = |name: &str| row(name, "PUT /v2/<name>/manifests/hostile").header("Content-Type: <oci-image>");
    let chunk = format!("{:x}\r\n{}\r\n", MIB, " ".repeat(MIB));
    vec![
        push("a manifest of 4 MiB of blanks").body(vec![b' '; 4 * MIB]).refused(400, "MANIFEST_INVALID"),
        push("a manifest of 4 MiB and a byte").body(vec![b' '; 4 * MIB + 1]).refused(413, "SIZE_INVALID"),
        push("a manifest of 32 MiB").body(vec![b' '; 32 * MIB]).refused(413, "SIZE_INVALID"),
        push("a manifest of 5 MiB without a length")
            .header("Transfer-Encoding: chunked")
            .body(format!("{}0\r\n\r\n", chunk.repeat(5)))
            .refused(413, "SIZE_INVALID"),
        push("a manifest that never ends")
            .header("Transfer-Encoding: chunked")
            .body(chunk.repeat(8))
            .refused(413, "SIZE_INVALID"),
        push("a terabyte announced").header("Content-Length: 1099511627776").refused(413, "SIZE_INVALID"),
        push("an exabyte announced, a byte sent")
            .header("Content-Length: 1152921504606846976")
            .body("{")
            .refused(413, "SIZE_INVALID"),
    ]
}

fn broken_off() -> Vec<Row> {
    let patch = |name: &str| row(name, "PATCH <started>");
    vec![
        patch("a chunk cut off").header("Content-Length: 100").body("0123456789").cut_off(),
        patch("a chunk cut off before its first byte").header("Content-Length: 100").cut_off(),
        patch("a chunk with a range, cut off")
            .header("Content-Length: 100")
            .header("Content-Range: 10-109")
            .body("0123456789")
            .cut_off(),
        patch("an exabyte announced and cut off")
            .header("Content-Length: 1152921504606846976")
            .body("0")
            .cut_off(),
        patch("a stream cut off").header("Transfer-Encoding: chunked").body("a\r\n0123456789\r\n").cut_off(),
        patch("a stream cut off inside a chunk")
            .header("Transfer-Encoding: chunked")
            .body("a\r\n01234")
            .cut_off(),
        row("a last chunk cut off", "PUT <started>?digest=<layer>")
            .header("Content-Length: 100")
            .body("0123")
            .cut_off(),
        row("a whole blob cut off", "PUT <upload>?digest=<layer>")
            .header("Content-Length: 1000")
            .body("0123")
            .cut_off(),
        row("a whole blob in one POST, cut off", "POST /v2/<name>/blobs/uploads/?digest=<layer>")
            .header("Content-Length: 1000")
            .body("0123")
            .cut_off(),
        row("a manifest cut off", "PUT /v2/<name>/manifests/hostile")
            .header("Content-Type: <oci-image>")
            .header("Content-Length: 5000")
            .body("<image-body>")
            .cut_off(),
    ]
}
