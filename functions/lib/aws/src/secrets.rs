//! The secret of a registry in Secrets Manager.
//!
//! CloudFormation makes it when the stack is made: random letters and digits. The first of them are the password that
//! the first administrator begins with; the access tokens' key is made of the rest. A new value rotates the key, and
//! what was signed with the one before is good until it ends.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use registry::access::{KeyRing, Secret};
use registry::ports::StoreError;

use crate::error::store_error;

/// How many characters are the first password: 142 bits.
const PASSWORD_CHARS: usize = 24;

/// How many characters there have to be at least: 43 of them are 256 bits.
const SECRET_MIN_CHARS: usize = PASSWORD_CHARS + 43;

/// What the registry is called in its tokens. Each has its own keys, so that no token of another is good here.
const SERVICE: &str = "slipway";

/// The stage of the value before the last rotation; Secrets Manager keeps it.
const PREVIOUS: &str = "AWSPREVIOUS";

/// The secret is not there, or none.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is too short to be one.
    #[error("the secret has {0} characters, but at least {SECRET_MIN_CHARS} are needed")]
    Short(usize),
}

/// What the secret says.
pub(crate) struct Revealed {
    pub(crate) first_password: Secret,
    pub(crate) keys: KeyRing,
}

/// Where the secret is.
#[derive(Clone, Debug)]
pub(crate) struct Secrets {
    client: Client,
    id: String,
}

impl Secrets {
    pub(crate) fn new(client: Client, id: &str) -> Self {
        Self { client, id: id.to_owned() }
    }

    /// Reads the secret, and its last value if there was one.
    pub(crate) async fn reveal(&self) -> Result<Revealed, SecretError> {
        let newest = self.read(None).await?.unwrap_or_default();
        let previous = self.read(Some(PREVIOUS)).await?;
        if newest.len() < SECRET_MIN_CHARS || !newest.is_ascii() {
            return Err(SecretError::Short(newest.len()));
        }
        let (password, key) = newest.split_at(PASSWORD_CHARS);
        let older: Vec<&[u8]> =
            previous.iter().filter_map(|text| text.as_bytes().get(PASSWORD_CHARS..)).collect();
        Ok(Revealed { first_password: password.into(), keys: KeyRing::new(SERVICE, key.as_bytes(), &older) })
    }

    async fn read(&self, stage: Option<&str>) -> Result<Option<String>, SecretError> {
        let get = self.client.get_secret_value().secret_id(&self.id);
        match get.set_version_stage(stage.map(str::to_owned)).send().await {
            Ok(answer) => Ok(answer.secret_string),
            // Until the first rotation there is no value before.
            Err(error) if stage.is_some() && error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(store_error("the secret", error).into()),
        }
    }
}
