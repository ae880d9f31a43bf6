//! Docker's `config.json`. What it holds for others stays as it is.

use std::fmt;
use std::fs::DirBuilder;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use registry::access::Secret;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tempfile::NamedTempFile;

use super::Credential;

const AUTHS: &str = "auths";

/// The file, read.
pub(super) struct ConfigFile {
    path: PathBuf,
    entries: Map<String, Value>,
}

impl ConfigFile {
    /// Reads the file; one that is not there holds nothing.
    pub(super) fn read(path: &Path) -> Result<Self> {
        // A link stays one, and what it leads to is replaced.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            text => text.with_context(|| path.display().to_string())?,
        };
        let entries = match text.trim() {
            "" => Map::new(),
            json => serde_json::from_str(json).with_context(|| path.display().to_string())?,
        };
        Ok(Self { path, entries })
    }

    /// Returns the name of the helper that keeps the registry's credentials.
    pub(super) fn helper(&self, registry: &str) -> Option<&str> {
        let own = self.entries.get("credHelpers").and_then(|helpers| helpers.get(registry));
        let helper = own.or_else(|| self.entries.get("credsStore"))?.as_str()?;
        Some(helper).filter(|helper| !helper.is_empty())
    }

    /// Returns what the file itself holds for a registry.
    pub(super) fn get(&self, registry: &str) -> Result<Option<Credential>> {
        let Some(auths) = self.entries.get(AUTHS).and_then(Value::as_object) else { return Ok(None) };
        let older = || auths.iter().find(|(key, _)| host_of(key) == registry).map(|(_, entry)| entry);
        let Some(entry) = auths.get(registry).or_else(older) else { return Ok(None) };
        let text = |field: &str| entry[field].as_str().filter(|text| !text.is_empty());
        let named = match text("auth") {
            Some(auth) => Some(decoded(auth).with_context(|| format!("{registry} in {self}"))?),
            None => {
                text("username").zip(text("password")).map(|(user, secret)| (user.to_owned(), secret.into()))
            }
        };
        Ok(match text("identitytoken") {
            Some(token) => {
                let user = named.map(|(user, _)| user).unwrap_or_default();
                Some(Credential::Identity { user, token: token.into() })
            }
            None => named.map(|(user, secret)| Credential::Password { user, secret }),
        })
    }

    /// Keeps credentials in the file.
    pub(super) fn store(&mut self, registry: &str, credential: &Credential) -> Result<()> {
        let auth = |user: &str, secret: &str| BASE64_STANDARD.encode(format!("{user}:{secret}"));
        let entry = match credential {
            Credential::Password { user, secret } => json!({ "auth": auth(user, secret.expose_secret()) }),
            // Skopeo and podman do not look at a token without a name.
            Credential::Identity { user, token } => {
                json!({ "auth": auth(user, ""), "identitytoken": token.expose_secret() })
            }
        };
        self.put(registry, entry)
    }

    /// Notes that a helper keeps them, as docker does.
    pub(super) fn note(&mut self, registry: &str) -> Result<()> {
        self.put(registry, json!({}))
    }

    fn put(&mut self, registry: &str, entry: Value) -> Result<()> {
        let auths = self.entries.entry(AUTHS).or_insert_with(|| json!({}));
        let auths = auths.as_object_mut().with_context(|| format!("auths in {}", self.path.display()))?;
        auths.retain(|key, _| host_of(key) != registry);
        auths.insert(registry.to_owned(), entry);
        self.write()
    }

    /// Forgets them. Returns whether there were some.
    pub(super) fn erase(&mut self, registry: &str) -> Result<bool> {
        let Some(auths) = self.entries.get_mut(AUTHS).and_then(Value::as_object_mut) else {
            return Ok(false);
        };
        let count = auths.len();
        auths.retain(|key, _| host_of(key) != registry);
        if auths.len() == count {
            return Ok(false);
        }
        self.write()?;
        Ok(true)
    }

    /// Replaces the file at once, for its owner alone.
    fn write(&self) -> Result<()> {
        let written = || -> Result<()> {
            let folder = self.path.parent().context("no folder")?;
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let mut file = NamedTempFile::new_in(folder)?;
            let tabs = serde_json::ser::PrettyFormatter::with_indent(b"\t");
            self.entries.serialize(&mut serde_json::Serializer::with_formatter(&mut file, tabs))?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            Ok(())
        };
        written().with_context(|| self.to_string())
    }
}

impl fmt::Display for ConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())
    }
}

/// Returns the host of a key: older versions of docker wrote whole addresses.
fn host_of(key: &str) -> &str {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

fn decoded(auth: &str) -> Result<(String, Secret)> {
    let text = String::from_utf8(BASE64_STANDARD.decode(auth).unwrap_or_default()).unwrap_or_default();
    let (user, secret) = text.split_once(':').context("its auth is not the base64 of name:password")?;
    // Docker fills up some of them.
    Ok((user.to_owned(), secret.trim_end_matches('\0').into()))
}

#[cfg(test)]
mod tests;
