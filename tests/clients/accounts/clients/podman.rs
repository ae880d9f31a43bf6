//! podman: `podman login`.

use std::process::Command;

use tempfile::TempDir;

use super::{IMAGE, run_with_secret};
use crate::accounts::story::Account;
use crate::containers::Containers;
use crate::contract::Client;
use crate::podman::Podman;
use crate::tool::{self, Failure};

/// podman, with a file for credentials.
pub(in crate::accounts) struct PodmanLogin {
    containers: Containers<Podman>,
    folder: TempDir,
    id: String,
}

impl PodmanLogin {
    fn command(&self, storage: &Containers<Podman>, arguments: &[&str]) -> Command {
        let mut command = storage.command(arguments);
        command.env("REGISTRY_AUTH_FILE", self.folder.path().join("auth.json"));
        command
    }
}

impl Account for PodmanLogin {
    const NAME: &str = "podman";
    const LOGIN: &str = "`podman login`";

    fn start(test: &str) -> Option<Self> {
        let mut containers = Containers::<Podman>::start(test)?;
        let id = containers.load(IMAGE);
        Some(Self { containers, folder: TempDir::new().unwrap(), id })
    }

    fn log_in(&mut self, host: &str, user: &str, secret: &str) -> Result<(), Failure> {
        let login = ["login", "--tls-verify=false", "--username", user, "--password-stdin", host];
        run_with_secret(&mut self.command(&self.containers, &login), secret)
    }

    fn log_out(&mut self, host: &str) {
        // Whoever was refused is not logged in, and podman says so.
        let _perhaps_nobody = tool::run(&mut self.command(&self.containers, &["logout", host]));
    }

    fn push(&self, reference: &str) -> Result<(), Failure> {
        let target = format!("docker://{reference}");
        let push = ["push", "--tls-verify=false", &self.id, &target];
        tool::run(&mut self.command(&self.containers, &push)).map(drop)
    }

    fn pull(&self, reference: &str) -> Result<(), Failure> {
        let clean = self.containers.emptied();
        let pull = ["pull", "--tls-verify=false", reference];
        tool::run(&mut self.command(&clean, &pull)).map(drop)
    }
}
