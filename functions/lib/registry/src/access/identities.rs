//! Those who are known to somebody else: OIDC issuers, such as a CI service or AWS.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::Value;

use crate::ports::Timestamp;

/// What an issuer says of somebody, its signature checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// For whom it was said.
    pub audiences: Vec<String>,
    /// Until when.
    pub expires: Timestamp,
    /// From when on.
    pub not_before: Option<Timestamp>,
    /// Everything that was said.
    pub claims: BTreeMap<String, Value>,
}

/// Why nobody vouches for an identity token.
#[derive(Debug, thiserror::Error)]
pub enum IdentityInvalid {
    /// The signature is not the issuer's, or the token is none.
    #[error("the identity token is not signed by its issuer")]
    Signature,
    /// The issuer could not be asked for its keys.
    #[error("the keys of issuer {issuer} cannot be read: {why}")]
    Unreachable {
        /// The issuer.
        issuer: String,
        /// What went wrong, for the log.
        why: String,
    },
}

/// Checks the signatures of issuers.
#[async_trait]
pub trait Identities: Send + Sync {
    /// Returns what the token says, if `issuer` signed it. Time and audience are the caller's to check.
    async fn verify(&self, issuer: &str, token: &str) -> Result<Identity, IdentityInvalid>;
}
