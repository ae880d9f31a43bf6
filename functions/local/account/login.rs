//! `slipway login` and `slipway logout`.

use anyhow::{Context, Result};
use clap::Args;
use http::Uri;

use crate::client::endpoint::endpoint;
use crate::credentials::Credentials;
use crate::output::print_line;
use crate::password::PasswordOptions;
use crate::remote::{Remote, key_of};

/// What `login` understands.
#[derive(Debug, Args)]
pub(crate) struct LoginOptions {
    /// The registry, such as registry.example.com or localhost:5000 [default: the one in `SLIPWAY_REGISTRY`]
    #[arg(value_name = "REGISTRY")]
    registry: Option<String>,
    /// Who you are; ACCOUNT+ROBOT for a robot
    #[arg(long, short, value_name = "NAME")]
    username: Option<String>,
    #[command(flatten)]
    password: PasswordOptions,
}

/// What `logout` understands.
#[derive(Debug, Args)]
pub(crate) struct LogoutOptions {
    /// The registry [default: the one in `SLIPWAY_REGISTRY`]
    #[arg(value_name = "REGISTRY")]
    registry: Option<String>,
}

impl LoginOptions {
    /// Tries the credentials, and keeps them where docker finds them too.
    pub(crate) async fn run(self, usual: Option<String>) -> Result<()> {
        let address = address(self.registry.or(usual))?;
        let registry = key_of(&address)?;
        // Whatever is wrong with the place for them is said before anybody types a password.
        let mut credentials = Credentials::of_user()?;
        let user = self.username.map_or_else(|| self.password.user("Name: "), Ok)?;
        let password = self.password.known(&format!("Password of {user}: "))?;
        match Remote::new_unknown(address)?.login(&user, &password).await? {
            Some(credential) => {
                let place = credentials.store(&registry, &credential)?;
                print_line(&format!("logged in to {registry} as {user}; the credentials are in {place}"))
            }
            None => print_line(&format!("{registry} is open to everybody: there is nobody to log in as")),
        }
    }
}

impl LogoutOptions {
    /// Forgets the credentials.
    pub(crate) fn run(self, usual: Option<String>) -> Result<()> {
        let registry = key_of(&address(self.registry.or(usual))?)?;
        match Credentials::of_user()?.erase(&registry)? {
            true => print_line(&format!("logged out from {registry}")),
            false => print_line(&format!("nobody was logged in to {registry}")),
        }
    }
}

fn address(text: Option<String>) -> Result<Uri> {
    let text = text.context("which registry? For example: slipway login registry.example.com")?;
    endpoint(&text).with_context(|| text.clone())
}
