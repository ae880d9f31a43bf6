//! Asking [`Issuers`] about tokens, with a clock that stands still.

use std::sync::Arc;
use std::time::Duration;

use identities::Issuers;
use registry::access::{Identities, Identity, IdentityInvalid};
use registry::ports::Clock;
use registry::testing::SetClock;
use serde_json::{Value, json};

use crate::issuer::LocalIssuer;

/// Whoever checks tokens, and the clock it goes by.
pub(crate) struct Asker {
    pub(crate) clock: Arc<SetClock>,
    pub(crate) issuers: Arc<Issuers>,
}

impl Asker {
    /// Returns one that knows nothing yet.
    pub(crate) fn new() -> Self {
        // As long as it takes: a machine under load is no issuer that is down.
        Self::waiting(Duration::from_secs(60))
    }

    /// Returns one that waits as long as this for a document.
    pub(crate) fn waiting(timeout: Duration) -> Self {
        let clock = Arc::new(SetClock::default());
        let issuers = Arc::new(Issuers::new(Arc::clone(&clock) as _).with_timeout(timeout));
        Self { clock, issuers }
    }

    /// Returns what a token of the issuer says in a minute's life: any further claims replace or join those.
    pub(crate) fn claims(&self, issuer: &LocalIssuer, further: &Value) -> Value {
        let now = self.clock.now().as_secs();
        let mut claims = json!({
            "iss": issuer.url, "aud": "registry.test", "sub": "somebody", "jti": "1",
            "iat": now, "nbf": now - 5, "exp": now + 300,
        });
        let further = further.as_object().unwrap().clone();
        claims.as_object_mut().unwrap().extend(further);
        claims
    }

    /// Checks the token.
    pub(crate) async fn verify(
        &self,
        issuer: &LocalIssuer,
        token: &str,
    ) -> Result<Identity, IdentityInvalid> {
        self.issuers.verify(&issuer.url, token).await
    }

    /// Fails unless the token is refused because of what it is.
    #[track_caller]
    pub(crate) fn assert_unsigned(result: Result<Identity, IdentityInvalid>, what: &str) {
        match result {
            Err(IdentityInvalid::Signature) => {}
            other => panic!("{what}: {other:?}"),
        }
    }

    /// Fails unless nobody could tell; returns why.
    #[track_caller]
    pub(crate) fn assert_unreachable(result: Result<Identity, IdentityInvalid>, what: &str) -> String {
        match result {
            Err(IdentityInvalid::Unreachable { why, .. }) => why,
            other => panic!("{what}: {other:?}"),
        }
    }
}
