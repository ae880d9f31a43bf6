//! Access tokens: JWTs signed with Ed25519, checked without asking anybody.
//!
//! One algorithm; keys from the own ring alone, found by their id. What a token says about its own key (`jwk`, `jku`,
//! `x5c`, another `alg`) is refused, not read (CVE-2025-24976 is what comes of it).

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::access::credentials::hex_sha256;
use crate::access::sealing::{Seal, is_sealed};
use crate::access::{GrantedScope, Via};

/// Longer texts are no token of ours: 100 scopes with long names fit.
const TOKEN_MAX_BYTES: usize = 64 * 1024;

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// Which registry made it.
    pub iss: String,
    /// Who it is about; empty for nobody in particular.
    pub sub: String,
    /// Which registry it is for.
    pub aud: String,
    /// When it ends, in seconds since 1970.
    pub exp: u64,
    /// When it begins.
    pub nbf: u64,
    /// When it was made.
    pub iat: u64,
    /// Its own number.
    pub jti: String,
    /// What it allows.
    pub access: Vec<GrantedScope>,
    /// What it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<Via>,
}

/// A text is no valid access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenInvalid {
    /// Its time is over, or has not come.
    #[error("the token has expired")]
    Expired,
    /// Anything else.
    #[error("the token is invalid")]
    Invalid,
}

/// A key that can sign.
#[derive(Clone)]
struct Key {
    id: String,
    signs: EncodingKey,
    verifies: DecodingKey,
    seal: Seal,
}

/// The keys of a registry: the newest signs, all verify.
#[derive(Clone)]
pub struct KeyRing {
    service: String,
    newest: Key,
    older: Vec<Key>,
}

impl KeyRing {
    /// Makes the keys out of secrets, the newest first; each of at least 256 unguessable bits.
    ///
    /// `service` is the name of the registry in its tokens and challenges.
    pub fn new(service: &str, newest: &[u8], older: &[&[u8]]) -> Self {
        let older = older.iter().map(|secret| Key::of(secret)).collect();
        Self { service: service.to_owned(), newest: Key::of(newest), older }
    }

    /// Returns the name of the registry.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Signs the claims.
    pub fn sign(&self, claims: &Claims) -> Result<String, TokenInvalid> {
        let header = Header { kid: Some(self.newest.id.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, claims, &self.newest.signs).map_err(|_| TokenInvalid::Invalid)
    }

    /// Returns what the token says, if this registry made it for itself; its time is the caller's to look at.
    pub fn verify(&self, token: &str) -> Result<Claims, TokenInvalid> {
        let key = self.key_of(token).ok_or(TokenInvalid::Invalid)?;
        let data = jsonwebtoken::decode::<Claims>(token, &key.verifies, &self.validation());
        Ok(data.map_err(|_| TokenInvalid::Invalid)?.claims)
    }

    /// Returns whether the token names a key of the ring, or is so wrong that no key would help.
    pub(crate) fn knows_key_of(&self, token: &str) -> bool {
        let id = jsonwebtoken::decode_header(token).ok().and_then(|header| header.kid);
        id.is_none_or(|id| self.all().any(|key| key.id == id))
    }

    /// Returns a place in a list as nobody else can read it.
    pub(crate) fn seal(&self, place: &str) -> Option<String> {
        self.newest.seal.close(place)
    }

    /// Returns a place as it was given, or as it was sealed with a key of the ring.
    pub(crate) fn unsealed(&self, place: &str) -> String {
        let opened = is_sealed(place).then(|| self.all().find_map(|key| key.seal.open(place)));
        opened.flatten().unwrap_or_else(|| place.to_owned())
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.newest).chain(&self.older)
    }

    fn validation(&self) -> Validation {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[&self.service]);
        validation.set_issuer(&[&self.service]);
        validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
        // The registry's own clock decides, and tests can turn it.
        validation.validate_exp = false;
        validation
    }

    fn key_of(&self, token: &str) -> Option<&Key> {
        if token.len() > TOKEN_MAX_BYTES {
            return None;
        }
        let header = jsonwebtoken::decode_header(token).ok()?;
        let id = header.kid.clone()?;
        // Whatever else a header has is a trick.
        let plain = Header { kid: header.kid.clone(), ..Header::new(Algorithm::EdDSA) };
        if header != plain {
            return None;
        }
        self.all().find(|key| key.id == id)
    }
}

impl Key {
    fn of(secret: &[u8]) -> Self {
        let seed: [u8; 32] =
            Sha256::new().chain_update(b"slipway access token v1\0").chain_update(secret).finalize().into();
        #[expect(clippy::expect_used, reason = "any 32 bytes are an Ed25519 seed")]
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("32 bytes");
        let public = pair.public_key().as_ref();
        Self {
            id: hex_sha256(public)[..16].to_owned(),
            signs: EncodingKey::from_ed_der(&pkcs8(&seed)),
            verifies: DecodingKey::from_ed_der(public),
            seal: Seal::of(secret),
        }
    }
}

/// RFC 8410, section 7: the private key alone.
fn pkcs8(seed: &[u8; 32]) -> Vec<u8> {
    const PREFIX: [u8; 16] =
        [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    [&PREFIX[..], seed].concat()
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({}, {} older)", self.newest.id, self.older.len())
    }
}
