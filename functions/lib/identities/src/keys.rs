//! The keys that an issuer publishes (RFC 7517), and which of them may have signed what.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;

use crate::token::{Claims, Header};

const RSA: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// The keys of one issuer that can be used here.
#[derive(Debug)]
pub(crate) struct KeySet(Vec<Key>);

#[derive(Debug)]
struct Key {
    id: Option<String>,
    /// What it may sign with: what its kind can, and what it says itself.
    algorithms: Vec<Algorithm>,
    verifies: DecodingKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a key set. Keys of other kinds, for other uses, or damaged are left out: others come beside them.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        let document: Document = serde_json::from_slice(json)?;
        let keys =
            document.keys.into_iter().filter_map(|value| Key::of(&serde_json::from_value(value).ok()?));
        Ok(Self(keys.collect()))
    }

    /// Returns whether there is a key that the token may be signed with.
    pub(crate) fn has(&self, header: &Header) -> bool {
        self.candidates(header).next().is_some()
    }

    /// Returns what the token says, if one of the keys signed it. Its time is the caller's to look at.
    pub(crate) fn verify(&self, header: &Header, token: &str) -> Option<Claims> {
        let mut validation = Validation::new(header.algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let verified = |key: &Key| jsonwebtoken::decode::<Claims>(token, &key.verifies, &validation);
        self.candidates(header).find_map(|key| verified(key).ok()).map(|data| data.claims)
    }

    /// A token that does not name its key can have but one.
    fn candidates(&self, header: &Header) -> impl Iterator<Item = &Key> {
        let is_named = |key: &Key| match &header.key_id {
            Some(id) => key.id.as_ref() == Some(id),
            None => self.0.len() == 1,
        };
        self.0.iter().filter(move |key| is_named(key) && key.algorithms.contains(&header.algorithm))
    }
}

impl Key {
    fn of(jwk: &Jwk) -> Option<Self> {
        let common = &jwk.common;
        let is_for_signatures = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature))
            && common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
        let is_own = |algorithm: &Algorithm| {
            common.key_algorithm.is_none_or(|own| own == KeyAlgorithm::from(*algorithm))
        };
        let algorithms: Vec<Algorithm> =
            algorithms_of_kind(&jwk.algorithm).iter().copied().filter(is_own).collect();
        if algorithms.is_empty() || !is_for_signatures {
            return None;
        }
        Some(Self { id: common.key_id.clone(), algorithms, verifies: DecodingKey::from_jwk(jwk).ok()? })
    }
}

/// A shared secret (`oct`) is nobody's signature, whatever it says.
fn algorithms_of_kind(kind: &AlgorithmParameters) -> &'static [Algorithm] {
    match kind {
        AlgorithmParameters::RSA(_) => RSA,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[Algorithm::ES256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => &[Algorithm::ES384],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
        _ => &[],
    }
}
