//! Where settings come from: the command line, then the environment, then the file, then the defaults.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use etcetera::BaseStrategy;
use serde::Deserialize;

use crate::cli::{Options, ServeOptions};
use crate::collection_settings::CollectionSettings;
use crate::serve_settings::ServeSettings;
use crate::times::Written;

/// Everything that can be set.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) data: PathBuf,
    pub(crate) log: String,
    pub(crate) serve: ServeSettings,
    pub(crate) collection: CollectionSettings,
}

/// The configuration file; its keys are the long options.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct File {
    pub(crate) data: Option<PathBuf>,
    pub(crate) listen: Option<String>,
    pub(crate) log: Option<String>,
    pub(crate) auth: Option<bool>,
    pub(crate) admin_password_file: Option<PathBuf>,
    pub(crate) open: Option<bool>,
    pub(crate) tls_cert: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) url: Option<String>,
    pub(crate) trust_proxy: Option<bool>,
    pub(crate) private_issuers: Option<bool>,
    pub(crate) organisations: Option<String>,
    pub(crate) gc_every: Option<Written>,
    pub(crate) gc_untagged: Option<Written>,
    pub(crate) gc_history: Option<Written>,
    pub(crate) gc_trash: Option<Written>,
}

/// Where settings come from beside the command line.
pub(crate) struct Sources<'a> {
    pub(crate) environment: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) file: File,
}

impl Sources<'_> {
    /// Returns a variable that is set to something.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name).filter(|value| !value.is_empty())
    }

    /// Returns a variable that is yes or no.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>> {
        match self.variable(name).as_deref() {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(other) => Err(anyhow::anyhow!("{name}: {other:?} is neither true nor false")),
        }
    }
}

impl Settings {
    /// Puts the settings together; `environment` looks a variable up.
    pub(crate) fn new(
        options: Options,
        serve: &ServeOptions,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let mut sources = Sources { environment: &environment, file: File::default() };
        if let Some(path) = options.config.or_else(|| sources.variable("SLIPWAY_CONFIG").map(PathBuf::from)) {
            sources.file = read_file(&path)?;
        }
        let data = options.data.or_else(|| sources.variable("SLIPWAY_DATA").map(PathBuf::from));
        let data = data.or_else(|| sources.file.data.clone());
        let log =
            options.log.or_else(|| sources.variable("SLIPWAY_LOG")).or_else(|| sources.file.log.clone());
        Ok(Self {
            data: data.map_or_else(default_data, Ok)?,
            log: log.unwrap_or_else(|| "info".to_owned()),
            serve: ServeSettings::new(serve, &sources)?,
            collection: CollectionSettings::new(&serve.collection, &sources)?,
        })
    }
}

fn read_file(path: &Path) -> Result<File> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("configuration file {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("configuration file {}", path.display()))
}

fn default_data() -> Result<PathBuf> {
    let folders =
        etcetera::choose_base_strategy().context("no home folder: say where to store with --data")?;
    Ok(folders.data_dir().join("slipway"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(listen: Option<&str>, environment: &[(&str, &str)]) -> Result<Settings> {
        let listen = listen.map(|address| address.parse().unwrap());
        let serve = ServeOptions { listen, ..ServeOptions::default() };
        Settings::new(Options::default(), &serve, |name| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_command_line_wins_over_the_environment() {
        let environment = [("SLIPWAY_LISTEN", "127.0.0.1:2"), ("SLIPWAY_DATA", "/data")];
        let settings = settings(Some("127.0.0.1:1"), &environment).unwrap();
        assert_eq!(settings.serve.listen.port(), 1);
        assert_eq!(settings.data, PathBuf::from("/data"));
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let settings = settings(None, &[("SLIPWAY_LISTEN", ""), ("SLIPWAY_LOG", ""), ("SLIPWAY_CONFIG", "")]);
        let settings = settings.unwrap();
        assert_eq!(settings.serve.listen, "127.0.0.1:5000".parse().unwrap());
        assert_eq!(settings.log, "info");
    }

    #[test]
    fn the_file_is_read_and_a_misspelt_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slipway.toml");
        std::fs::write(&path, "data = \"/from/file\"\nlog = \"debug\"\n").unwrap();
        let variable = [("SLIPWAY_CONFIG", path.to_str().unwrap()), ("SLIPWAY_LOG", "warn")];
        let from_file = settings(None, &variable).unwrap();
        assert_eq!((from_file.data, from_file.log), (PathBuf::from("/from/file"), "warn".to_owned()));
        std::fs::write(&path, "dta = \"/from/file\"\n").unwrap();
        assert!(settings(None, &variable).is_err());
    }

    #[test]
    fn a_bad_address_says_where_it_came_from() {
        let error = settings(None, &[("SLIPWAY_LISTEN", "here")]).unwrap_err();
        assert!(format!("{error:#}").contains("SLIPWAY_LISTEN"));
    }
}
