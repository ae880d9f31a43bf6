//! The accounts of a registry on AWS, and the keys that its functions share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, header};
use registry::Registry;
use registry::access::{Access, AccessOptions, Identities};
use tokio::sync::Mutex;

use crate::environment::EnvironmentError;
use crate::secrets::{SecretError, Secrets};

/// How long after a look for new keys the next one waits. Anybody can show a token of an unknown key.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// How long the deletion of a repository takes at most: an answer has to be there after 27 s.
const DELETES_WITHIN: Duration = Duration::from_secs(20);

/// What a function is trusted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// To write nothing of accounts but the count of failed logins.
    Reading,
    /// To write what accounts may.
    Rights,
    /// To make tokens, and the first administrator.
    Logins,
}

/// A function cannot know whom to let in, and lets in nobody.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// It is not told where the secret is.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// The secret cannot be used.
    #[error("the registry's secret cannot be used")]
    Secret(#[from] SecretError),
}

/// The accounts of a registry, with keys that are looked up anew when they were rotated. Cloning it is cheap.
#[derive(Clone)]
pub struct Guard {
    access: Access,
    secrets: Secrets,
    looked: Arc<Mutex<Instant>>,
}

impl Guard {
    pub(crate) async fn new(
        registry: Registry,
        secrets: Secrets,
        trust: Trust,
        identities: Option<Arc<dyn Identities>>,
    ) -> Result<Self, GuardError> {
        let revealed = secrets.reveal().await?;
        let options = AccessOptions {
            is_open_without_accounts: false,
            first_password: Some(revealed.first_password).filter(|_| trust == Trust::Logins),
            organisations_are_for_administrators: false,
            notes_use: trust != Trust::Reading,
            deletes_within: Some(DELETES_WITHIN),
        };
        let identities = identities.filter(|_| trust == Trust::Logins);
        let access = Access::new(registry, revealed.keys, options, identities);
        Ok(Self { access, secrets, looked: Arc::new(Mutex::new(Instant::now())) })
    }

    /// Returns the accounts.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Looks for new keys if the request's token is signed with an unknown one.
    pub async fn learn_key_of(&self, headers: &HeaderMap) {
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = shown
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        if token.is_none_or(|(_, token)| self.access.knows_key_of(token)) {
            return;
        }
        let mut looked = self.looked.lock().await;
        if looked.elapsed() < LOOK_EVERY {
            return;
        }
        *looked = Instant::now();
        match self.secrets.reveal().await {
            Ok(revealed) => self.access.set_keys(revealed.keys),
            Err(error) => tracing::warn!(error = %error, "new keys could not be looked for"),
        }
    }
}
