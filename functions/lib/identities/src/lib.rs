//! Identity tokens of OIDC issuers, checked with the keys that the issuers publish.
//!
//! - `token`: what a token says of itself before anybody is asked; what it says once its signature is right.
//! - `issuer`: what is known of one issuer, and when it is asked again.
//! - `discovery`: the two documents of an issuer. `keys`: the keys in the second.
//! - `client`, `url`, `address`: how a document is fetched, and from where never.
//!
//! Whom to trust is not decided here: the registry asks about issuers that an administrator named, and about no other.

mod address;
mod client;
mod discovery;
mod issuer;
mod keys;
mod token;
mod url;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use quick_cache::sync::Cache;
use registry::access::{Identities, Identity, IdentityInvalid};
use registry::ports::Clock;

use crate::address::Networks;
use crate::client::Client;
use crate::issuer::Issuer;
use crate::token::Header;

/// How many issuers are remembered; more are asked more often.
const ISSUERS_MAX: usize = 1000;

/// How long one document may take, from the look-up of the name to the last byte.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The issuers whose tokens are checked, and the keys of theirs that are known.
pub struct Issuers {
    clock: Arc<dyn Clock>,
    client: Client,
    known: Cache<String, Arc<Issuer>>,
}

impl Issuers {
    /// Returns the issuers of the public internet, none of them asked yet; and those of this very machine, whose URL
    /// says so.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, client: Client::new(TIMEOUT), known: Cache::new(ISSUERS_MAX) }
    }

    /// Returns the same with issuers in private networks (RFC 1918, RFC 4193, RFC 6598), such as one's own GitLab.
    #[must_use]
    pub fn with_private_networks(self) -> Self {
        Self { client: self.client.reaching(Networks::PrivateToo), ..self }
    }

    /// Returns the same, waiting as long as this for a document.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { client: self.client.waiting(timeout), ..self }
    }

    fn issuer(&self, url: &str) -> Arc<Issuer> {
        if let Some(issuer) = self.known.get(url) {
            return issuer;
        }
        let fresh = Arc::new(Issuer::new(url));
        let found = self.known.get_or_insert_with(url, || Ok::<_, ()>(Arc::clone(&fresh)));
        found.unwrap_or(fresh)
    }
}

#[async_trait]
impl Identities for Issuers {
    async fn verify(&self, issuer: &str, token: &str) -> Result<Identity, IdentityInvalid> {
        // A token that no key can make right is no reason to ask anybody.
        let header = Header::read(token).ok_or(IdentityInvalid::Signature)?;
        let keys = self.issuer(issuer).keys(&self.client, &*self.clock, &header).await.map_err(|why| {
            IdentityInvalid::Unreachable { issuer: issuer.to_owned(), why: why.to_string() }
        })?;
        let claims = keys.verify(&header, token).ok_or(IdentityInvalid::Signature)?;
        token::identity(claims, issuer).ok_or(IdentityInvalid::Signature)
    }
}
