//! Keys of an issuer, and tokens signed with them: honest ones and others.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use aws_lc_rs::{hmac, signature};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A key pair and its name.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) kid: String,
    pair: Pair,
}

#[derive(Clone)]
enum Pair {
    Rsa(Arc<RsaKeyPair>),
    P256(Arc<EcdsaKeyPair>),
    P384(Arc<EcdsaKeyPair>),
    Ed25519(Arc<Ed25519KeyPair>),
}

fn rsa_pair() -> Arc<RsaKeyPair> {
    Arc::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
}

impl Signer {
    /// Returns a key of 2048 bits; it takes a while to make one, so all tests have the same two.
    pub(crate) fn rsa(kid: &str) -> Self {
        static PAIR: LazyLock<Arc<RsaKeyPair>> = LazyLock::new(rsa_pair);
        Self { kid: kid.to_owned(), pair: Pair::Rsa(PAIR.clone()) }
    }

    /// Returns the other one.
    pub(crate) fn other_rsa(kid: &str) -> Self {
        static PAIR: LazyLock<Arc<RsaKeyPair>> = LazyLock::new(rsa_pair);
        Self { kid: kid.to_owned(), pair: Pair::Rsa(PAIR.clone()) }
    }

    /// Returns a new key on P-256.
    pub(crate) fn p256(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { kid: kid.to_owned(), pair: Pair::P256(Arc::new(pair)) }
    }

    /// Returns a new key on P-384.
    pub(crate) fn p384(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        Self { kid: kid.to_owned(), pair: Pair::P384(Arc::new(pair)) }
    }

    /// Returns a new key on Curve25519.
    pub(crate) fn ed25519(kid: &str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        Self { kid: kid.to_owned(), pair: Pair::Ed25519(Arc::new(pair)) }
    }

    /// Returns the same key under another name.
    pub(crate) fn named(&self, kid: &str) -> Self {
        Self { kid: kid.to_owned(), pair: self.pair.clone() }
    }

    /// Returns the algorithm that the key is used with here.
    pub(crate) fn algorithm(&self) -> &'static str {
        match &self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::P256(_) => "ES256",
            Pair::P384(_) => "ES384",
            Pair::Ed25519(_) => "EdDSA",
        }
    }

    /// Returns the public key as the issuer publishes it.
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = self.parameters();
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm());
        jwk
    }

    /// Returns what makes the public key, and nothing about its use.
    pub(crate) fn parameters(&self) -> Value {
        let point = |curve: &str, pair: &EcdsaKeyPair| {
            let coordinates = &pair.public_key().as_ref()[1..];
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            json!({"kty": "EC", "crv": curve, "x": base64(x), "y": base64(y)})
        };
        match &self.pair {
            Pair::Rsa(_) => json!({"kty": "RSA", "n": base64(&self.modulus()), "e": "AQAB"}),
            Pair::P256(pair) => point("P-256", pair),
            Pair::P384(pair) => point("P-384", pair),
            Pair::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": base64(pair.public_key().as_ref())})
            }
        }
    }

    /// The public key is a sequence of two integers: 4 bytes of header, and 4 of the modulus, which begins with a zero.
    fn modulus(&self) -> Vec<u8> {
        self.public_bytes()[9..265].to_vec()
    }

    /// Returns the public key's own bytes, which some checkers once took for a shared secret.
    pub(crate) fn public_bytes(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref().to_vec(),
            Pair::P256(pair) | Pair::P384(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// Signs the claims as an issuer does.
    pub(crate) fn token(&self, claims: &Value) -> String {
        let header = json!({"typ": "JWT", "alg": self.algorithm(), "kid": self.kid, "x5t": "not-read"});
        self.token_with(&header, claims)
    }

    /// Signs the claims under any header.
    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", json64(header), json64(claims));
        let signature = self.sign(header["alg"].as_str().unwrap_or_default(), message.as_bytes());
        format!("{message}.{}", base64(&signature))
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let padding: &'static dyn RsaEncoding = match algorithm {
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
            Pair::P256(pair) | Pair::P384(pair) => {
                let signature: signature::Signature = pair.sign(&SystemRandom::new(), message).unwrap();
                signature.as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

/// Returns a token whose signature is an HMAC with this secret.
pub(crate) fn hmac_token(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = format!("{}.{}", json64(header), json64(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", base64(tag.as_ref()))
}

/// Returns a token that is not signed.
pub(crate) fn unsigned_token(header: &Value, claims: &Value) -> String {
    format!("{}.{}.", json64(header), json64(claims))
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn json64(value: &Value) -> String {
    base64(value.to_string().as_bytes())
}
