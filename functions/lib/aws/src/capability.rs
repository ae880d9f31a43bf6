//! The other way to let a client upload directly: the edge checks a capability, and signs for S3 itself.
//!
//! See `docs/decisions` for when it is needed. The check is in `infra/edge/function.js`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use oci::UploadId;
use registry::ports::{Clock, SignedUploads, StoreError, StoreErrorKind};
use sha2::Sha256;

/// How long after its POST a direct upload may begin.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// Makes capabilities: `exp=<unix seconds>&cap=<base64url of HMAC-SHA256(key, "<id>:<exp>")>`.
#[derive(Clone)]
pub struct Capability {
    key: Arc<[u8]>,
    clock: Arc<dyn Clock>,
}

impl Capability {
    /// Makes capabilities with a key that the edge has too.
    pub fn new(key: &[u8], clock: Arc<dyn Clock>) -> Self {
        Self { key: key.into(), clock }
    }
}

#[async_trait]
impl SignedUploads for Capability {
    async fn signed_put(&self, id: &UploadId) -> Result<String, StoreError> {
        let expires = self.clock.now().after(LIFETIME).as_millis() / 1000;
        let unusable = |error| StoreError::caused(StoreErrorKind::Unavailable, "the capability key", error);
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).map_err(unusable)?;
        mac.update(format!("{id}:{expires}").as_bytes());
        let capability = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        Ok(format!("exp={expires}&cap={capability}"))
    }
}

#[cfg(test)]
mod tests {
    use registry::testing::SetClock;

    use super::*;

    #[tokio::test]
    async fn a_capability_names_its_end_and_is_the_hmac_of_id_and_end() {
        let clock = Arc::new(SetClock::default());
        let capability = Capability::new(b"key", Arc::clone(&clock) as _);
        let expires = clock.now().as_millis() / 1000 + 3600;
        let id: UploadId = "an-upload".parse().expect("an id");
        let query = capability.signed_put(&id).await.expect("made");

        let mut mac = Hmac::<Sha256>::new_from_slice(b"key").expect("any length");
        mac.update(format!("an-upload:{expires}").as_bytes());
        let expected = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        assert_eq!(query, format!("exp={expires}&cap={expected}"));
    }
}
