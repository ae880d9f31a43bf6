//! Faults on the way of bytes to the registry.

use http::Method;

use crate::checks::{ENCODED_PATH, EXPECT, LEADS_BACK, OCTETS, OFFSET, PLUS, WRONG_DIGEST};
use crate::fault::{Fault, is_patch_of};
use crate::message::{Reply, Request};
use crate::rows::Row;

const MEBIBYTE: usize = 1024 * 1024;

pub(crate) const ROWS: &[Row] = &[
    Row::essential("fresh uploads are unknown", LEADS_BACK, || {
        Fault::after(|request, reply| {
            let is_plain = !request.headers.contains_key("authorization");
            if request.is(&Method::GET, "/blobs/uploads/") && is_plain && reply.text("range") == "0-0" {
                *reply = Reply::oci(404, "BLOB_UPLOAD_UNKNOWN");
            }
        })
    }),
    Row::tolerable("offsets are forgotten", OFFSET, || {
        Fault::after(|request, reply| {
            if request.is(&Method::GET, "/blobs/uploads/") && reply.status == 204 {
                reply.set("range", "0-0");
            }
        })
    }),
    Row::essential("digests are not compared", WRONG_DIGEST, || {
        Fault::after(|request, reply| {
            if request.is(&Method::PUT, "/blobs/uploads/") && reply.status == 400 {
                *reply = Reply::new(201);
            }
        })
    }),
    Row::tolerable("Expect is refused", EXPECT, || {
        Fault::answer(Reply::new(417), |request| request.headers.contains_key("expect"))
    }),
    Row::essential("octets are taken for text", OCTETS, || {
        Fault::before(|request| {
            let is_typed = request.headers.contains_key("content-type");
            (is_typed && is_patch_of(request, MEBIBYTE)).then(|| mangle(request))?
        })
    }),
    Row::tolerable("odd paths crash", ENCODED_PATH, || {
        Fault::answer(Reply::oci(500, "UNKNOWN"), |request| request.path.contains('%'))
    }),
    Row::tolerable("a plus sign crashes", PLUS, || {
        Fault::answer(Reply::oci(500, "UNKNOWN"), |request| request.query.contains('+'))
    }),
    Row::tolerable("a plus sign is refused without words", PLUS, || {
        Fault::answer(Reply::new(400), |request| request.query.contains('+'))
    }),
];

/// What becomes of bytes that somebody takes for UTF-8.
fn mangle(request: &mut Request) -> Option<Reply> {
    request.body = String::from_utf8_lossy(&request.body).into_owned().into();
    None
}
