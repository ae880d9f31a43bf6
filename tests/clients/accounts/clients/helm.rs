//! Helm: `helm registry login`, and charts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use test_support::require;

use super::run_with_secret;
use crate::accounts::story::Account;
use crate::tool::{self, Failure};

/// Helm, with a home of its own.
pub(in crate::accounts) struct Helm {
    program: PathBuf,
    home: TempDir,
}

impl Helm {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tool::command(&self.program);
        // What it keeps of repositories and caches is not the user's either.
        let credentials = self.home.path().join("config.json");
        command.env("HOME", self.home.path()).env("HELM_REGISTRY_CONFIG", credentials).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<String, Failure> {
        tool::run(&mut self.command(arguments))
    }

    /// Makes a chart; its name and version become the last part of the repository's name, and the tag.
    fn chart(&self, name: &str, version: &str, folder: &Path) -> String {
        let metadata = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
        fs::write(folder.join("Chart.yaml"), metadata).unwrap();
        let folder = folder.to_str().unwrap();
        self.run(&["package", folder, "--destination", folder]).unwrap();
        format!("{folder}/{name}-{version}.tgz")
    }
}

impl Account for Helm {
    const NAME: &str = "Helm";
    const LOGIN: &str = "`helm registry login`";

    fn start(test: &str) -> Option<Self> {
        let installed = tool::installed("helm");
        let program = if installed.exists() { installed } else { require::tool(test, "helm")? };
        Some(Self { program, home: TempDir::new().unwrap() })
    }

    fn log_in(&mut self, host: &str, user: &str, secret: &str) -> Result<(), Failure> {
        let login = ["registry", "login", "--plain-http", "--username", user, "--password-stdin", host];
        run_with_secret(&mut self.command(&login), secret)
    }

    fn log_out(&mut self, host: &str) {
        self.run(&["registry", "logout", host]).unwrap();
    }

    fn push(&self, reference: &str) -> Result<(), Failure> {
        let (repository, version) = reference.rsplit_once(':').unwrap();
        let (namespace, name) = repository.rsplit_once('/').unwrap();
        let folder = TempDir::new().unwrap();
        let chart = self.chart(name, version, folder.path());
        self.run(&["push", "--plain-http", &chart, &format!("oci://{namespace}")]).map(drop)
    }

    fn pull(&self, reference: &str) -> Result<(), Failure> {
        let (repository, version) = reference.rsplit_once(':').unwrap();
        let clean = TempDir::new().unwrap();
        let folder = clean.path().to_str().unwrap();
        let source = format!("oci://{repository}");
        self.run(&["pull", "--plain-http", &source, "--version", version, "--destination", folder])?;
        let pulled = fs::read_dir(folder).unwrap().count();
        assert_eq!(pulled, 1, "the chart");
        Ok(())
    }
}
