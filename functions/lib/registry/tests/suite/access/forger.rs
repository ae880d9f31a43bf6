//! Whoever knows the signing secret, and what they can say with it.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::world::SERVICE;

pub(super) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Whoever knows the signing secret: what they sign is right, whatever it says.
pub(super) struct Forger {
    pub(super) pair: Ed25519KeyPair,
    pub(super) now: u64,
}

impl Forger {
    pub(super) fn of(secret: &[u8], now: u64) -> Self {
        let seed = Sha256::new().chain_update(b"slipway access token v1\0").chain_update(secret).finalize();
        Self { pair: Ed25519KeyPair::from_seed_unchecked(&seed).unwrap(), now }
    }

    pub(super) fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub(super) fn kid(&self) -> String {
        Sha256::digest(self.public()).iter().map(|byte| format!("{byte:02x}")).collect::<String>()[..16]
            .to_owned()
    }

    pub(super) fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": "EdDSA", "kid": self.kid() })
    }

    pub(super) fn claims(&self) -> Value {
        let access =
            json!([{ "type": "repository", "name": "team/app", "actions": ["pull", "push", "delete"] }]);
        json!({
            "iss": SERVICE, "sub": "team+all", "aud": SERVICE, "jti": "1", "access": access,
            "exp": self.now + 300, "nbf": self.now, "iat": self.now,
        })
    }

    pub(super) fn signed(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encoded(header), encoded(claims));
        let signature = encoded(self.pair.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// Returns a right token, but for one claim; `Null` leaves it out.
    pub(super) fn with_claim(&self, claim: &str, value: Value) -> String {
        self.signed(&self.header().to_string(), &changed(self.claims(), claim, value))
    }

    /// Returns a right token, but for one field of its header.
    pub(super) fn with_header(&self, field: &str, value: Value) -> String {
        self.signed(&changed(self.header(), field, value), &self.claims().to_string())
    }

    pub(super) fn hmac(&self, algorithm: &str, secret: &[u8]) -> String {
        use aws_lc_rs::hmac;
        let header = changed(self.header(), "alg", algorithm.into());
        let message = format!("{}.{}", encoded(header), encoded(self.claims().to_string()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        format!("{message}.{}", encoded(tag))
    }

    pub(super) fn right(&self) -> String {
        self.signed(&self.header().to_string(), &self.claims().to_string())
    }
}

/// Returns the object with another value; `Null` leaves the field out.
pub(super) fn changed(mut object: Value, field: &str, value: Value) -> String {
    let fields = object.as_object_mut().unwrap();
    if value.is_null() {
        fields.remove(field)
    } else {
        fields.insert(field.to_owned(), value)
    };
    object.to_string()
}
