//! The two documents of an issuer: what it says of itself (OIDC Discovery 1.0), and its keys.

use serde::Deserialize;

use crate::client::{Client, Failure};
use crate::keys::KeySet;
use crate::url::Url;

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

/// Fetches the issuer's keys.
pub(crate) async fn key_set(client: &Client, issuer: &str) -> Result<KeySet, Failure> {
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    let url = Url::parse(&format!("{base}/.well-known/openid-configuration"))?;
    let document: Document = serde_json::from_slice(&client.get(&url).await?)?;
    // Otherwise one who may publish a document under this URL could speak for another (section 4.3).
    if document.issuer != issuer {
        return Err(Failure::OtherIssuer(document.issuer));
    }
    let keys = url.follow(&document.jwks_uri)?;
    Ok(KeySet::parse(&client.get(&keys).await?)?)
}
