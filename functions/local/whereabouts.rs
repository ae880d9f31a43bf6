//! Which registry a command asks: the one that is named, the usual one, or that of the data folder.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::account::RegistryOption;
use crate::cli::Options;
use crate::client::endpoint::endpoint;
use crate::connection::Connection;

/// Where registries are.
pub(crate) struct Whereabouts {
    /// The data folder.
    pub(crate) data: PathBuf,
    /// The registry that is asked unless another is named.
    pub(crate) usual: Option<String>,
}

impl Whereabouts {
    /// Returns the registry of the environment, unless the command line names a data folder.
    pub(crate) fn usual_registry(
        options: &Options,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Option<String> {
        registry_of(environment).filter(|_| options.data.is_none())
    }

    /// Returns whether the environment names a registry.
    pub(crate) fn names_registry(environment: impl Fn(&str) -> Option<String>) -> bool {
        registry_of(environment).is_some()
    }

    /// Goes to the registry.
    pub(crate) async fn connect(&self, named: &RegistryOption) -> Result<Connection> {
        match self.remote(named)? {
            Some(remote) => Ok(remote),
            None => Connection::open(&self.data).await,
        }
    }

    /// Goes to the registry, and makes one in the data folder if there is none.
    pub(crate) async fn connect_or_make(&self, named: &RegistryOption) -> Result<Connection> {
        match self.remote(named)? {
            Some(remote) => Ok(remote),
            None => Connection::open_or_make(&self.data).await,
        }
    }

    fn remote(&self, named: &RegistryOption) -> Result<Option<Connection>> {
        let Some(text) = named.registry.as_ref().or(self.usual.as_ref()) else { return Ok(None) };
        let address = endpoint(text).with_context(|| format!("the registry {text:?}"))?;
        Connection::remote(address).map(Some)
    }
}

fn registry_of(environment: impl Fn(&str) -> Option<String>) -> Option<String> {
    environment("SLIPWAY_REGISTRY").filter(|registry| !registry.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_folder_on_the_command_line_goes_before_the_registry_of_the_environment() {
        let usual =
            |options: &Options, value: &str| Whereabouts::usual_registry(options, |_| Some(value.to_owned()));
        assert_eq!(usual(&Options::default(), "r.example").as_deref(), Some("r.example"));
        assert_eq!(usual(&Options::default(), ""), None);
        let options = Options { data: Some("/data".into()), ..Options::default() };
        assert_eq!(usual(&options, "r.example"), None);
    }
}
