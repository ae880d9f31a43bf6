//! The settings of a function, and the registry they make. A variable that is empty counts as unset.

use std::sync::Arc;

use aws_config::SdkConfig;
use registry::access::Identities;
use registry::http::HeadLength;
use registry::ports::{Abilities, Clock, SignedUploads, SystemClock, SystemRandom};
use registry::{Lifetimes, Registry, Stores};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::connect::secrets_client;
use crate::guard::{Guard, GuardError, Trust};
use crate::secrets::Secrets;
use crate::{Capability, Clients, DynamoDb, Presigned, S3, Settings};

/// Writes the log as lines of JSON, for as much as `SLIPWAY_LOG` says.
pub fn log() {
    let wanted = std::env::var("SLIPWAY_LOG").unwrap_or_default();
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).parse_lossy(wanted);
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
}

/// How layers too large for a function come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uploads {
    /// They do not: everything passes the function.
    Inline,
    /// By URLs that S3 checks.
    Presigned,
    /// By capabilities made with this key, which the edge checks.
    Capability(String),
}

/// What a function is told by its environment.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Where table and bucket are.
    pub settings: Settings,
    /// How large layers come in.
    pub uploads: Uploads,
    /// How a HEAD tells the length of what it asks for.
    pub head_length: HeadLength,
    /// The edge's host, as far as it is known beforehand.
    pub edge_host: Option<String>,
    /// What the edge shows, so that it is believed about whom it serves.
    pub edge_key: Option<String>,
    /// The secret that access tokens are signed with, by its name or ARN in Secrets Manager; the functions that
    /// answer clients need it.
    pub secret: Option<String>,
    /// Where Secrets Manager is, if not at AWS.
    pub secrets_endpoint: Option<String>,
}

/// The environment does not make sense.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// A variable is missing.
    #[error("the variable {0} is not set")]
    Missing(&'static str),
    /// A variable has a value that it cannot have.
    #[error("the variable {name} cannot be {value:?}")]
    Unknown {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
    },
}

impl Environment {
    /// Reads the variables of this process.
    pub fn read() -> Result<Self, EnvironmentError> {
        Self::from(|name| std::env::var(name).ok())
    }

    /// Reads variables by `get`.
    pub fn from(get: impl Fn(&str) -> Option<String>) -> Result<Self, EnvironmentError> {
        let set = |name: &str| get(name).filter(|value| !value.is_empty());
        let required = |name: &'static str| set(name).ok_or(EnvironmentError::Missing(name));
        let settings = Settings {
            table: required("SLIPWAY_TABLE")?,
            bucket: required("SLIPWAY_BUCKET")?,
            dynamodb_endpoint: set("SLIPWAY_DYNAMODB_ENDPOINT"),
            s3_endpoint: set("SLIPWAY_S3_ENDPOINT"),
            is_path_style: choice("SLIPWAY_S3_PATH_STYLE", set, &[("true", true), ("false", false)], false)?,
        };
        let uploads = match set("SLIPWAY_UPLOADS").as_deref() {
            None | Some("inline") => Uploads::Inline,
            Some("presigned") => Uploads::Presigned,
            Some("capability") => Uploads::Capability(required("SLIPWAY_CAPABILITY_KEY")?),
            Some(other) => return Err(unknown("SLIPWAY_UPLOADS", other)),
        };
        let head_lengths = [("header", HeadLength::Header), ("content", HeadLength::Content)];
        let head_length = choice("SLIPWAY_HEAD_LENGTH", set, &head_lengths, HeadLength::default())?;
        Ok(Self {
            settings,
            uploads,
            head_length,
            edge_host: set("SLIPWAY_EDGE_HOST"),
            edge_key: set("SLIPWAY_EDGE_KEY"),
            secret: set("SLIPWAY_SECRET"),
            secrets_endpoint: set("SLIPWAY_SECRETS_ENDPOINT"),
        })
    }

    /// Returns the accounts of the registry, as far as the function is trusted with them.
    ///
    /// Without the secret there is none: a registry on AWS is never open.
    pub async fn guard(
        &self,
        shared: &SdkConfig,
        registry: Registry,
        trust: Trust,
        identities: Option<Arc<dyn Identities>>,
    ) -> Result<Guard, GuardError> {
        let secret = self.secret.as_deref().ok_or(EnvironmentError::Missing("SLIPWAY_SECRET"))?;
        let client = secrets_client(shared, self.secrets_endpoint.as_deref());
        Guard::new(registry, Secrets::new(client, secret), trust, identities).await
    }

    /// Returns the stores; nothing is connected yet.
    pub fn backend(&self, shared: &SdkConfig) -> Backend {
        let Clients { dynamodb, s3 } = Clients::new(shared, &self.settings);
        Backend {
            items: DynamoDb::new(dynamodb, &self.settings.table),
            objects: S3::new(s3, &self.settings.bucket),
            uploads: self.uploads.clone(),
        }
    }
}

/// The stores of a function.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Items.
    pub items: DynamoDb,
    /// Objects.
    pub objects: S3,
    uploads: Uploads,
}

impl Backend {
    /// Returns the registry on these stores.
    pub fn registry(&self) -> Registry {
        self.registry_at(Arc::new(SystemClock))
    }

    /// Returns the registry on these stores, by another clock.
    pub fn registry_at(&self, clock: Arc<dyn Clock>) -> Registry {
        let presigned = Arc::new(Presigned::new(self.objects.clone()));
        let uploads: Option<Arc<dyn SignedUploads>> = match &self.uploads {
            Uploads::Inline => None,
            Uploads::Presigned => Some(Arc::clone(&presigned) as _),
            Uploads::Capability(key) => Some(Arc::new(Capability::new(key.as_bytes(), Arc::clone(&clock)))),
        };
        let stores = Stores {
            items: Arc::new(self.items.clone()),
            objects: Arc::new(self.objects.clone()),
            clock,
            random: Arc::new(SystemRandom),
            abilities: Abilities {
                downloads: Some(presigned),
                uploads,
                copies: Some(Arc::new(self.objects.clone())),
                trash: Some(Arc::new(self.objects.clone())),
                leaves_garbage: true,
            },
        };
        Registry::new(stores, Lifetimes::default())
    }
}

fn choice<T: Copy>(
    name: &'static str,
    set: impl Fn(&str) -> Option<String>,
    values: &[(&str, T)],
    unset: T,
) -> Result<T, EnvironmentError> {
    let Some(value) = set(name) else { return Ok(unset) };
    let known = values.iter().find(|(text, _)| *text == value);
    known.map(|(_, value)| *value).ok_or_else(|| unknown(name, &value))
}

fn unknown(name: &'static str, value: &str) -> EnvironmentError {
    EnvironmentError::Unknown { name, value: value.to_owned() }
}
