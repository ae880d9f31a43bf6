//! Faults on the way of manifests and blobs to a client.

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use crate::checks::{BYTES, GET, MANIFEST_HEAD, PART, PUSH};
use crate::fault::Fault;
use crate::message::{Reply, Request};
use crate::rows::Row;

pub(crate) const ROWS: &[Row] = &[
    Row::essential("a layer changes on its way", PUSH, || {
        Fault::after(|request, reply| {
            if is_blob(&Method::GET, request) && reply.body.len() == 1200 {
                reply.body = Bytes::from(vec![0; 1200]);
            }
        })
    }),
    Row::essential("JSON is read and written anew", BYTES, || {
        Fault::after(|request, reply| {
            if request.is(&Method::GET, "/manifests/smoke-bytes") && reply.status == 200 {
                let value: Value = serde_json::from_slice(&reply.body).unwrap();
                reply.body = value.to_string().into();
            }
        })
    }),
    Row::essential("a manifest's type is lost", BYTES, || {
        Fault::after(|request, reply| {
            if request.is(&Method::GET, "/manifests/") {
                reply.set("content-type", "application/json");
            }
        })
    }),
    Row::essential("a manifest's HEAD by digest has no length", MANIFEST_HEAD, || {
        Fault::after(|request, reply| {
            if request.is(&Method::HEAD, "/manifests/sha256:") {
                reply.headers.remove("content-length");
            }
        })
    }),
    Row::essential("a byte is cut off a blob", GET, || {
        Fault::after(|request, reply| {
            if is_blob(&Method::GET, request) && reply.body.len() == 300_000 {
                reply.body.truncate(299_999);
            }
        })
    }),
    Row::tolerable("Range is lost", PART, || {
        Fault::before(|request| {
            request.headers.remove("range");
            None
        })
    }),
];

/// Sends the GET of a large blob elsewhere, with a query of 2000 characters that has to arrive.
pub(crate) fn redirect() -> Fault {
    let whole = "x".repeat(2000);
    Fault::after(move |request, reply| {
        if !is_blob(&Method::GET, request) || reply.body.len() != 300_000 {
            return;
        }
        match request.parameter("signature") {
            None => *reply = Reply::new(307).with("location", &signed(&request.path, &whole)),
            Some(signature) if signature == whole => {}
            Some(_) => *reply = Reply::s3(403, "SignatureDoesNotMatch"),
        }
    })
}

fn signed(path: &str, signature: &str) -> String {
    format!("{path}?signature={signature}")
}

fn is_blob(method: &Method, request: &Request) -> bool {
    request.is(method, "/blobs/sha256:")
}
