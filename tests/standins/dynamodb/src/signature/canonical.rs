//! What is signed, and how.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Request};
use sha2::{Digest, Sha256};

pub(super) fn canonical_request(signed_headers: &str, request: &Request<Bytes>) -> String {
    let headers: String =
        signed_headers.split(';').map(|name| canonical_header(name, request.headers())).collect();
    format!(
        "{}\n{}\n{}\n{headers}\n{signed_headers}\n{}",
        request.method(),
        request.uri().path(),
        request.uri().query().unwrap_or_default(),
        hex::encode(Sha256::digest(request.body()))
    )
}

fn canonical_header(name: &str, headers: &HeaderMap) -> String {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let values = values.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "));
    format!("{name}:{}\n", values.collect::<Vec<_>>().join(","))
}

pub(super) fn mac(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
