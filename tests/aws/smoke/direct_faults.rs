//! Faults of an edge that offers direct uploads, and of what comes after it.

use std::sync::Mutex;

use bytes::Bytes;
use http::Method;

use crate::checks::{ADOPTED_TWICE, CHANGED_URL, DIRECT_LENGTH, LIE, OWN_UPLOAD, REPEATED, SLOW};
use crate::edge::Edge;
use crate::fault::{Fault, is_put_of};
use crate::message::Reply;
use crate::rows::Row;

pub(crate) const ROWS: &[Row] = &[
    Row::tolerable("S3 refuses what has no length", DIRECT_LENGTH, || {
        Fault::after(|_, reply| {
            if reply.status == 411 {
                *reply = Reply::s3(411, "MissingContentLength");
            }
        })
        .direct()
    }),
    Row::essential("signatures hold for every upload", OWN_UPLOAD, || {
        Fault::none().behind(Edge { binds_id: false, ..Edge::new() })
    }),
    Row::essential("signatures hold for ever", CHANGED_URL, || {
        Fault::none().behind(Edge { binds_lifetime: false, ..Edge::new() })
    }),
    Row::essential("the second of two copies is refused", ADOPTED_TWICE, || {
        Fault::answer(Reply::oci(400, "MANIFEST_BLOB_UNKNOWN"), |request| {
            request.is(&Method::PUT, "/manifests/smoke-raced-2")
        })
        .direct()
    }),
    Row {
        arguments: &["--slow", "1s"],
        ..Row::essential("somebody waits no longer", SLOW, || {
            Fault::answer(Reply::new(504), |request| is_put_of(request, (1 << 20) + 1)).direct()
        })
    },
    Row::essential("a repeated PUT exchanges the blob", REPEATED, || exchange().direct()),
    Row::essential("lies are believed", LIE, || {
        Fault::answer(Reply::new(201), |request| request.is(&Method::PUT, "/manifests/smoke-lie")).direct()
    }),
];

/// The last of the bodies that were put is what a GET of this size brings.
fn exchange() -> Fault {
    const SIZE_BYTES: usize = 3002;
    let last = Mutex::new(Bytes::new());
    Fault::after(move |request, reply| {
        if is_put_of(request, SIZE_BYTES) {
            *last.lock().unwrap() = request.body.clone();
        }
        if request.method == Method::GET && reply.body.len() == SIZE_BYTES {
            reply.body = last.lock().unwrap().clone();
        }
    })
}
