//! The accounts of the cloud: the secret that they begin with, and tokens for those who cannot log in.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Result;
use aws::Trust;
use aws::environment::Environment;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use registry::access::{Access, Address, Limits, Secret, TokenWanted};
use secrets_standin::SecretsStandin;

/// The first user.
const ADMINISTRATOR: &str = "admin";

/// As in the template: so many letters and digits, the first of which are the first password.
const SECRET_CHARS: usize = 88;
const PASSWORD_CHARS: usize = 24;

/// How a test's clients come by a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credential {
    /// They log in themselves.
    #[default]
    None,
    /// Whoever shows nothing is taken for an administrator, at gateway and edge. Nobody is anonymous then.
    Injected,
}

/// The secret in its stand-in, and what it begins with.
pub(crate) struct Accounts {
    pub(crate) secrets: SecretsStandin,
    pub(crate) first_password: String,
}

impl Accounts {
    /// Makes the secret, as CloudFormation does.
    pub(crate) async fn start() -> Result<Self> {
        let secret: String = std::iter::repeat_with(fastrand::alphanumeric).take(SECRET_CHARS).collect();
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let secrets = SecretsStandin::start(anywhere, &secret).await?;
        Ok(Self { secrets, first_password: secret[..PASSWORD_CHARS].to_owned() })
    }

    /// Makes a token of the first administrator, who is made too where nobody has logged in yet.
    pub(crate) async fn personal_token(&self, environment: &BTreeMap<String, String>) -> Result<String> {
        let access = access(environment).await?;
        let password = Secret::from(self.first_password.as_str());
        let caller = access.login(ADMINISTRATOR, &password, &Address::default()).await?;
        let wanted = TokenWanted {
            robot: None,
            label: "tests".to_owned(),
            limits: Limits::None,
            life: Some(Duration::from_secs(24 * 60 * 60)),
        };
        let (_, credential) = access.token_create(&caller, &ADMINISTRATOR.parse()?, wanted).await?;
        Ok(credential.reveal().to_owned())
    }
}

/// Returns the header's value that logs this administrator's token in.
pub(crate) fn authorization(token: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{ADMINISTRATOR}:{token}")))
}

/// The accounts as a function with this environment has them.
async fn access(environment: &BTreeMap<String, String>) -> Result<Access> {
    let variable = |name: &str| environment.get(name).cloned().unwrap_or_default();
    let [id, secret] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(variable);
    let token = environment.get("AWS_SESSION_TOKEN").cloned();
    let shared = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(variable("AWS_REGION")))
        .credentials_provider(Credentials::new(id, secret, token, None, "cloud"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .load()
        .await;
    let environment = Environment::from(|name| environment.get(name).cloned())?;
    let registry = environment.backend(&shared).registry();
    Ok(environment.guard(&shared, registry, Trust::Logins, None).await?.access().clone())
}
