//! Where settings come from: the command line, then the environment, then the file, then the defaults.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use etcetera::BaseStrategy;
use serde::Deserialize;

use crate::cli::{Options, ServeOptions, listen_address};

/// Everything that can be set.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) data: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) log: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data: Option<PathBuf>,
    listen: Option<String>,
    log: Option<String>,
}

impl Settings {
    /// Puts the settings together; `environment` looks a variable up.
    pub(crate) fn new(
        options: Options,
        serve: &ServeOptions,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let file = match options.config.or_else(|| variable("SLIPWAY_CONFIG").map(PathBuf::from)) {
            Some(path) => read_file(&path)?,
            None => File::default(),
        };
        let listen = match (serve.listen, variable("SLIPWAY_LISTEN")) {
            (Some(address), _) => Some(address),
            (None, Some(text)) => Some(address("SLIPWAY_LISTEN", &text)?),
            (None, None) => {
                file.listen.map(|text| address("listen in the configuration file", &text)).transpose()?
            }
        };
        let data = options.data.or_else(|| variable("SLIPWAY_DATA").map(PathBuf::from)).or(file.data);
        Ok(Self {
            data: data.map_or_else(default_data, Ok)?,
            listen: listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 5000))),
            log: options
                .log
                .or_else(|| variable("SLIPWAY_LOG"))
                .or(file.log)
                .unwrap_or_else(|| "info".to_owned()),
        })
    }
}

fn address(source: &str, text: &str) -> Result<SocketAddr> {
    listen_address(text).map_err(|error| anyhow::anyhow!("{source}: {error}"))
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
        let serve = ServeOptions { listen: listen.map(|address| address.parse().unwrap()) };
        Settings::new(Options::default(), &serve, |name| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_command_line_wins_over_the_environment() {
        let environment = [("SLIPWAY_LISTEN", "127.0.0.1:2"), ("SLIPWAY_DATA", "/data")];
        let settings = settings(Some("127.0.0.1:1"), &environment).unwrap();
        assert_eq!(settings.listen.port(), 1);
        assert_eq!(settings.data, PathBuf::from("/data"));
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let settings = settings(None, &[("SLIPWAY_LISTEN", ""), ("SLIPWAY_LOG", ""), ("SLIPWAY_CONFIG", "")]);
        let settings = settings.unwrap();
        assert_eq!(settings.listen, "127.0.0.1:5000".parse().unwrap());
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
