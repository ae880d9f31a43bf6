//! Faults of an edge that offers direct uploads, and of what comes after it.

use std::sync::Mutex;

use bytes::Bytes;
use http::Method;

use crate::edge::{Edge, Signing};
use crate::fault::{Fault, is_put_of};
use crate::message::Reply;
use crate::rows::Row;

pub(crate) const ROWS: &[Row] = &[
    Row::essential("S3's 200 stays", "a direct PUT is taken", || {
        after_put_of(1024, |reply| reply.status = 200).direct()
    }),
    Row::essential("the digest header is missing", "a direct PUT is taken", || {
        after_put_of(1024, |reply| drop(reply.headers.remove("docker-content-digest"))).direct()
    }),
    Row::essential("the Location leads to S3", "a direct PUT is taken", || {
        after_put_of(1024, |reply| reply.set("location", "/uploads/1")).direct()
    }),
    Row::essential("S3 refuses CloudFront's header", "a direct PUT is taken", || {
        Fault::answer(Reply::s3(403, "AccessDenied"), |request| is_put_of(request, 1024)).direct()
    }),
    Row::essential("S3 sees Authorization", "a direct PUT with an Authorization header is taken", || {
        let refusal = Reply::s3(400, "InvalidArgument");
        let is_signed_twice = |request: &crate::message::Request| {
            is_put_of(request, 1025) && request.headers.contains_key("authorization")
        };
        Fault::answer(refusal, is_signed_twice).direct()
    }),
    Row::essential("large PUTs go to API Gateway", "a direct PUT of 8 MiB is taken", || {
        Fault::answer(Reply::gateway_too_large(), |request| is_put_of(request, 8 << 20)).direct()
    }),
    Row::tolerable("chunked PUTs go to S3", "a direct PUT without a length is refused with 411", || {
        Fault::before(|request| {
            request.headers.remove("transfer-encoding");
            None
        })
        .direct()
    }),
    Row::essential(
        "signatures hold for every upload",
        "an upload URL is good for its own upload only",
        || Fault::none().behind(Edge { binds_id: false, ..Edge::new(Signing::Presigned) }),
    ),
    Row::essential("signatures hold for ever", "a changed upload URL is refused", || {
        Fault::none().behind(Edge { binds_lifetime: false, ..Edge::new(Signing::Presigned) })
    }),
    Row::essential("capabilities hold for ever", "a changed upload URL is refused", || {
        Fault::none().behind(Edge { binds_lifetime: false, ..Edge::new(Signing::Capability) })
    }),
    Row::essential("nobody adopts", "a direct PUT is adopted by its manifest", || {
        Fault::answer(Reply::oci(400, "MANIFEST_BLOB_UNKNOWN"), |request| {
            request.is(&Method::PUT, "/manifests/smoke-adopted")
        })
        .direct()
    }),
    Row::essential(
        "the second of two copies is refused",
        "a direct PUT is adopted for two manifests at once",
        || {
            Fault::answer(Reply::oci(400, "MANIFEST_BLOB_UNKNOWN"), |request| {
                request.is(&Method::PUT, "/manifests/smoke-raced-2")
            })
            .direct()
        },
    ),
    Row {
        arguments: &["--slow", "1s"],
        ..Row::essential(
            "somebody waits no longer",
            "a PUT that takes as long as --slow says is taken",
            || Fault::answer(Reply::new(504), |request| is_put_of(request, (1 << 20) + 1)).direct(),
        )
    },
    Row::essential(
        "a repeated PUT exchanges the blob",
        "a direct PUT that is repeated with other bytes changes nothing",
        || exchange().direct(),
    ),
    Row::essential("lies are believed", "a direct PUT with a wrong digest is never adopted", || {
        Fault::answer(Reply::new(201), |request| request.is(&Method::PUT, "/manifests/smoke-lie")).direct()
    }),
];

fn after_put_of(size_bytes: usize, change: fn(&mut Reply)) -> Fault {
    Fault::after(move |request, reply| {
        if is_put_of(request, size_bytes) && reply.status == 201 {
            change(reply);
        }
    })
}

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
