//! Upload capabilities, made here as `infra/edge/README.md` describes them and not by the registry.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The key that registry and edge share.
pub(crate) const KEY: &str = "a0key0of0letters0and0digits0as0SecretsManager0makes0it0000000000";

/// Returns the query that opens the upload `id` until `expires`, in seconds of Unix time.
pub fn query(id: &str, expires: u64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).expect("a key of any length is one");
    mac.update(format!("{id}:{expires}").as_bytes());
    format!("exp={expires}&cap={}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}
