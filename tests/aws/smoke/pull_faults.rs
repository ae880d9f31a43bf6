//! Faults on the way of manifests and blobs to a client.

use std::collections::HashMap;
use std::sync::Mutex;

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use crate::fault::Fault;
use crate::message::{Reply, Request};
use crate::rows::Row;

pub(crate) const ROWS: &[Row] = &[
    Row::essential("a layer changes on its way", "a small image can be pushed and pulled", || {
        Fault::after(|request, reply| {
            if is_blob(&Method::GET, request) && reply.body.len() == 1200 {
                reply.body = Bytes::from(vec![0; 1200]);
            }
        })
    }),
    Row::essential("JSON is read and written anew", "a manifest comes back byte for byte", || {
        Fault::after(|request, reply| {
            if request.is(&Method::GET, "/manifests/smoke-bytes") && reply.status == 200 {
                let value: Value = serde_json::from_slice(&reply.body).unwrap();
                reply.body = value.to_string().into();
            }
        })
    }),
    Row::essential("a manifest's type is lost", "a manifest comes back byte for byte", || {
        Fault::after(|request, reply| {
            if request.is(&Method::GET, "/manifests/") {
                reply.set("content-type", "application/json");
            }
        })
    }),
    Row::essential("a manifest's HEAD has length 0", "a HEAD of a manifest tells its length", || {
        Fault::after(|request, reply| {
            if request.is(&Method::HEAD, "/manifests/") {
                reply.set("content-length", "0");
            }
        })
    }),
    Row::essential(
        "a manifest's HEAD by digest has no length",
        "a HEAD of a manifest tells its length",
        || {
            Fault::after(|request, reply| {
                if request.is(&Method::HEAD, "/manifests/sha256:") {
                    reply.headers.remove("content-length");
                }
            })
        },
    ),
    Row::essential("manifests are cached", "a tag reads new right after it was moved", || {
        let cache = Mutex::new(HashMap::<String, Reply>::new());
        Fault::after(move |request, reply| {
            if request.is(&Method::GET, "/manifests/") && reply.status == 200 {
                *reply = cache.lock().unwrap().entry(request.path.clone()).or_insert(reply.clone()).clone();
            }
        })
    }),
    Row::essential("a blob's HEAD has no length", "a HEAD of a blob tells its length", || {
        Fault::after(|request, reply| {
            if is_blob(&Method::HEAD, request) {
                reply.headers.remove("content-length");
            }
        })
    }),
    Row::tolerable("a blob's HEAD is redirected", "a HEAD of a blob is not redirected", || {
        Fault::after(|request, reply| {
            if is_blob(&Method::HEAD, request) && reply.status == 200 && request.query.is_empty() {
                *reply = Reply::new(307).with("location", &format!("{}?there", request.path));
            }
        })
    }),
    Row::essential("a byte is cut off a blob", "a GET of a blob brings its bytes", || {
        Fault::after(|request, reply| {
            if is_blob(&Method::GET, request) && reply.body.len() == 300_000 {
                reply.body.truncate(299_999);
            }
        })
    }),
    Row::essential("a long Location is cut off", "a GET of a blob brings its bytes", || redirect(1000)),
    Row::tolerable("Range is lost", "a part of a blob can be pulled", || {
        Fault::before(|request| {
            request.headers.remove("range");
            None
        })
    }),
    Row::essential("404 is remembered", "a blob is there right after its push", || {
        let cache = Mutex::new(HashMap::<String, Reply>::new());
        Fault::after(move |request, reply| {
            let mut cache = cache.lock().unwrap();
            if is_blob(&Method::HEAD, request) && reply.status == 404 {
                cache.insert(request.path.clone(), reply.clone());
            }
            if let Some(remembered) = cache.get(&request.path) {
                *reply = remembered.clone();
            }
        })
    }),
];

/// Sends the GET of a large blob elsewhere, with a query of 2000 characters of which so many arrive.
pub(crate) fn redirect(kept: usize) -> Fault {
    let whole = "x".repeat(2000);
    Fault::after(move |request, reply| {
        if !is_blob(&Method::GET, request) || reply.body.len() != 300_000 {
            return;
        }
        match request.parameter("signature") {
            None => *reply = Reply::new(307).with("location", &signed(&request.path, &whole[..kept])),
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
