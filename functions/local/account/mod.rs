//! Accounts, credentials and settings: one file for each resource, with its commands and what they do.

pub(crate) mod audit;
pub(crate) mod login;
pub(crate) mod organisations;
pub(crate) mod repositories;
mod scope;
pub(crate) mod teams;
pub(crate) mod tokens;
pub(crate) mod trusts;
pub(crate) mod users;

use anyhow::Result;
use clap::{Args, Subcommand};
use registry::access::AccountName;
use registry::records::Visibility;

use crate::api::Api;

/// Which registry a command asks.
#[derive(Debug, Default, Args)]
pub(crate) struct RegistryOption {
    /// Registry to ask, such as registry.example.com; `slipway login` comes first
    /// [default: that of `SLIPWAY_REGISTRY`, or the one in the data folder]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) registry: Option<String>,
}

/// Commands that a registry answers.
#[derive(Debug, Args)]
pub(crate) struct Asking<C: Subcommand> {
    #[command(flatten)]
    pub(crate) registry: RegistryOption,
    /// Print JSON, for programs
    #[arg(long = "json", global = true)]
    pub(crate) is_json: bool,
    #[command(subcommand)]
    pub(crate) command: C,
}

/// Whose a token or rule is.
#[derive(Debug, Args)]
pub(crate) struct OwnerOption {
    /// User or organisation whose it is [default: the user who is logged in]
    #[arg(long, value_name = "NAME")]
    account: Option<AccountName>,
}

impl OwnerOption {
    /// Returns the name of the account.
    pub(crate) async fn name(&self, api: &Api) -> Result<String> {
        match &self.account {
            Some(account) => Ok(account.to_string()),
            None => api.me("--account NAME").await,
        }
    }
}

/// Reads `public` or `private`.
pub(crate) fn visibility(text: &str) -> Result<Visibility, String> {
    match text {
        "public" => Ok(Visibility::Public),
        "private" => Ok(Visibility::Private),
        _ => Err("it is public or private".to_owned()),
    }
}
