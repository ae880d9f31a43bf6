//! Faults on the way of bytes to the registry.

use http::Method;

use crate::fault::{Fault, is_patch_of, is_put_of};
use crate::message::{Reply, Request};
use crate::rows::Row;

const MEBIBYTE: usize = 1024 * 1024;

pub(crate) const ROWS: &[Row] = &[
    Row::essential("fresh uploads are unknown", "the Location of a POST leads back to the registry", || {
        Fault::after(|request, reply| {
            let is_plain = !request.headers.contains_key("authorization");
            if request.is(&Method::GET, "/blobs/uploads/") && is_plain && reply.text("range") == "0-0" {
                *reply = Reply::oci(404, "BLOB_UPLOAD_UNKNOWN");
            }
        })
    }),
    Row::essential("headers are limited", "the Location and a token fit into one request", || {
        Fault::answer(Reply::new(431), |request| {
            request.headers.get("authorization").is_some_and(|token| token.len() > 1000)
        })
    }),
    Row::tolerable("offsets are forgotten", "an upload tells how far it is", || {
        Fault::after(|request, reply| {
            if request.is(&Method::GET, "/blobs/uploads/") && reply.status == 204 {
                reply.set("range", "0-0");
            }
        })
    }),
    Row::tolerable("DELETE does not come through", "an upload can be cancelled", || {
        Fault::answer(Reply::new(405), |request| request.is(&Method::DELETE, "/blobs/uploads/"))
    }),
    Row::essential("digests are not compared", "a wrong digest is refused", || {
        Fault::after(|request, reply| {
            if request.is(&Method::PUT, "/blobs/uploads/") && reply.status == 400 {
                *reply = Reply::new(201);
            }
        })
    }),
    Row::tolerable("Expect is refused", "Expect: 100-continue does not stop an upload", || {
        Fault::answer(Reply::new(417), |request| request.headers.contains_key("expect"))
    }),
    Row::essential(
        "octets are taken for text",
        "bytes of type application/octet-stream arrive unchanged",
        || {
            Fault::before(|request| {
                let is_typed = request.headers.contains_key("content-type");
                (is_typed && is_patch_of(request, MEBIBYTE, false)).then(|| mangle(request))?
            })
        },
    ),
    Row::essential("untyped bytes are taken for text", "bytes without a type arrive unchanged", || {
        Fault::before(|request| {
            let is_untyped = !request.headers.contains_key("content-type");
            (is_untyped && is_patch_of(request, MEBIBYTE, false)).then(|| mangle(request))?
        })
    }),
    Row::essential("the limit is below 4 MiB", "a PATCH of 4 MiB with a length is taken", || {
        Fault::answer(Reply::gateway_too_large(), |request| is_patch_of(request, 4 * MEBIBYTE, false))
    }),
    Row::tolerable(
        "API Gateway refuses 6 MiB",
        "a PATCH of 6 MiB with a length is taken or refused in words",
        || Fault::answer(Reply::gateway_too_large(), |request| is_patch_of(request, 6 * MEBIBYTE, false)),
    ),
    Row::essential("chunked bodies are refused", "a chunked PATCH of 1 MiB is taken", || {
        Fault::answer(Reply::oci(411, "UNSUPPORTED"), |request| is_patch_of(request, MEBIBYTE, true))
    }),
    Row::tolerable(
        "API Gateway refuses 20 MiB",
        "a chunked PATCH of 20 MiB is taken or refused in words",
        || Fault::answer(Reply::gateway_too_large(), |request| is_patch_of(request, 20 * MEBIBYTE, true)),
    ),
    Row::essential("the query is encoded twice", "a percent-encoded digest in a query is understood", || {
        Fault::before(|request| {
            request.query = request.query.replace('%', "%25");
            None
        })
    }),
    Row::tolerable("odd paths crash", "a percent-encoded path is understood or refused in words", || {
        Fault::answer(Reply::oci(500, "UNKNOWN"), |request| request.path.contains('%'))
    }),
    Row::tolerable("a plus sign crashes", "a plus sign in a query is understood or refused in words", || {
        Fault::answer(Reply::oci(500, "UNKNOWN"), |request| request.query.contains('+'))
    }),
    Row::tolerable(
        "a plus sign is refused without words",
        "a plus sign in a query is understood or refused in words",
        || Fault::answer(Reply::new(400), |request| request.query.contains('+')),
    ),
    Row {
        arguments: &["--large", "2MiB"],
        ..Row::essential("2 MiB crash", "a layer of the size given by --large is taken in one PUT", || {
            Fault::answer(Reply::new(504), |request| is_put_of(request, 2 * MEBIBYTE))
        })
    },
    Row::tolerable("manifests cannot be deleted", "what was pushed can be deleted", || {
        Fault::answer(Reply::oci(405, "UNSUPPORTED"), |request| request.is(&Method::DELETE, "/manifests/"))
    }),
];

/// What becomes of bytes that somebody takes for UTF-8.
fn mangle(request: &mut Request) -> Option<Reply> {
    request.body = String::from_utf8_lossy(&request.body).into_owned().into();
    None
}
