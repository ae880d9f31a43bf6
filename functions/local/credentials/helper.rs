//! Programs that keep credentials: `docker-credential-<name> get|store|erase`.
//!
//! See <https://github.com/docker/docker-credential-helpers>.

use std::fmt;
use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use super::Credential;
use crate::output::printable;

/// The user name that says that the secret is an identity token.
const IDENTITY: &str = "<token>";

/// What every helper says for a registry that it does not know.
const UNKNOWN: &str = "credentials not found in native keychain";

/// A program that keeps credentials.
pub(super) struct Helper {
    program: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Kept {
    username: String,
    secret: String,
}

impl Helper {
    /// Returns the program that docker's configuration calls by this name.
    pub(super) fn new(name: &str) -> Self {
        Self { program: format!("docker-credential-{name}") }
    }

    /// Returns what it keeps for a registry.
    pub(super) fn get(&self, registry: &str) -> Result<Option<Credential>> {
        let Some(answer) = self.run("get", registry.as_bytes())? else { return Ok(None) };
        // Serde would quote what it cannot read, and that may be the secret.
        let kept: Result<Kept, _> = serde_json::from_slice(&answer);
        let Ok(Kept { username, secret }) = kept else { bail!("{self} gave an answer that cannot be read") };
        Ok(match username.as_str() {
            "" => None,
            IDENTITY => Some(Credential::Identity { user: String::new(), token: secret.into() }),
            _ => Some(Credential::Password { user: username, secret: secret.into() }),
        })
    }

    /// Has it keep them.
    pub(super) fn store(&self, registry: &str, credential: &Credential) -> Result<()> {
        let (user, secret) = match credential {
            Credential::Password { user, secret } => (user.as_str(), secret),
            Credential::Identity { token, .. } => (IDENTITY, token),
        };
        let entry = json!({ "ServerURL": registry, "Username": user, "Secret": secret.expose_secret() });
        self.run("store", &serde_json::to_vec(&entry)?).map(drop)
    }

    /// Has it forget them. Returns whether it knew them.
    pub(super) fn erase(&self, registry: &str) -> Result<bool> {
        let is_known = self.run("get", registry.as_bytes())?.is_some();
        Ok(self.run("erase", registry.as_bytes())?.is_some() && is_known)
    }

    /// Returns its answer; `None` if it does not know the registry.
    fn run(&self, action: &str, input: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut command = Command::new(&self.program);
        command.arg(action).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child =
            command.spawn().with_context(|| format!("{self}, which docker's config.json names"))?;
        if let Some(mut stdin) = child.stdin.take() {
            match stdin.write_all(input) {
                // Whoever does not read says why in the answer.
                Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(error.into()),
                _ => {}
            }
        }
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        match output.status.success() {
            true => Ok(Some(output.stdout)),
            false if said.trim() == UNKNOWN => Ok(None),
            false => bail!("{self} {action}: {}", printable(said.trim())),
        }
    }
}

impl fmt::Display for Helper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.program)
    }
}
