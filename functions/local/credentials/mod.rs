//! Docker's credentials, so that `docker login` and `slipway login` are one: its configuration file and its helpers.

mod file;
mod helper;

use std::path::PathBuf;

use anyhow::{Context, Result};
use registry::access::Secret;

use file::ConfigFile;
use helper::Helper;

/// What shows a registry who somebody is.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// A name, and the password or token for it.
    Password {
        /// The name.
        user: String,
        /// The password or token.
        secret: Secret,
    },
    /// What a login was given in place of the password; docker calls it identity token.
    Identity {
        /// The name, if it is known; the token is good without.
        user: String,
        /// The token.
        token: Secret,
    },
}

/// The credentials of a user of this machine.
pub(crate) struct Credentials {
    file: ConfigFile,
}

impl Credentials {
    /// Reads `config.json` in `$DOCKER_CONFIG`, or in `.docker` in the home folder.
    pub(crate) fn of_user() -> Result<Self> {
        let folder = std::env::var_os("DOCKER_CONFIG").filter(|folder| !folder.is_empty());
        let folder = match folder {
            Some(folder) => PathBuf::from(folder),
            None => etcetera::home_dir().context("set DOCKER_CONFIG")?.join(".docker"),
        };
        Ok(Self { file: ConfigFile::read(&folder.join("config.json"))? })
    }

    /// Returns what is kept for a registry.
    pub(crate) fn get(&self, registry: &str) -> Result<Option<Credential>> {
        match self.helper(registry) {
            Some(helper) => helper.get(registry),
            None => self.file.get(registry),
        }
    }

    /// Keeps it. Returns where, for people.
    pub(crate) fn store(&mut self, registry: &str, credential: &Credential) -> Result<String> {
        match self.helper(registry) {
            Some(helper) => {
                helper.store(registry, credential)?;
                self.file.note(registry)?;
                Ok(helper.to_string())
            }
            None => {
                self.file.store(registry, credential)?;
                Ok(self.file.to_string())
            }
        }
    }

    /// Forgets it. Returns whether there was something.
    pub(crate) fn erase(&mut self, registry: &str) -> Result<bool> {
        let was_in_helper = match self.helper(registry) {
            Some(helper) => helper.erase(registry)?,
            None => false,
        };
        Ok(self.file.erase(registry)? || was_in_helper)
    }

    fn helper(&self, registry: &str) -> Option<Helper> {
        self.file.helper(registry).map(Helper::new)
    }
}
