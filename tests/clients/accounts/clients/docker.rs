//! docker: `docker login`, with credentials in a folder that is named, or in the home folder.

use std::process::Command;

use tempfile::TempDir;

use super::{IMAGE, run_with_secret};
use crate::accounts::story::Account;
use crate::contract::Client;
use crate::docker::Docker;
use crate::images::{layers, layout_of};
use crate::tool::{self, Failure};

/// With a folder for credentials of its own.
pub(in crate::accounts) struct DockerConfig(DockerLogin);

/// With the folder in the home folder.
pub(in crate::accounts) struct DockerHome(DockerLogin);

struct DockerLogin {
    docker: Docker,
    folder: TempDir,
    /// The variable that names the folder.
    variable: &'static str,
    image: String,
}

impl DockerLogin {
    fn start(test: &str, variable: &'static str) -> Option<Self> {
        let docker = Docker::start(test)?;
        let folder = TempDir::new().unwrap();
        let mut login = Self { docker, folder, variable, image: String::new() };
        let layer = layout_of(IMAGE).blob(&layers(IMAGE)[0]);
        let unique = login.folder.path().file_name().unwrap().to_str().unwrap().trim_matches('.');
        // The label keeps this image apart from all others of a shared daemon, and the name keeps it there.
        let (label, name) = (format!("LABEL unique={unique}"), format!("slipway-accounts:{unique}"));
        login.image = login.run(&["import", "--change", &label, layer.to_str().unwrap(), &name]).unwrap();
        Some(login)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.docker.command();
        command.env_remove("DOCKER_CONFIG").env(self.variable, self.folder.path()).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<String, Failure> {
        tool::run(&mut self.command(arguments))
    }

    fn log_in(&mut self, host: &str, user: &str, secret: &str) -> Result<(), Failure> {
        let mut command = self.command(&["login", "--username", user, "--password-stdin", host]);
        run_with_secret(&mut command, secret)
    }

    fn log_out(&mut self, host: &str) {
        self.run(&["logout", host]).unwrap();
    }

    fn push(&self, reference: &str) -> Result<(), Failure> {
        self.run(&["tag", &self.image, reference])?;
        self.run(&["push", reference]).map(drop)
    }

    /// The image itself stays, so that it can be pushed again; only its manifest has to come.
    fn pull(&self, reference: &str) -> Result<(), Failure> {
        // It may have no such name yet.
        let _perhaps_gone = self.run(&["image", "rm", reference]);
        self.run(&["pull", "--quiet", reference]).map(drop)
    }
}

impl Drop for DockerLogin {
    fn drop(&mut self) {
        // A daemon that is not ours is left as it was.
        let _perhaps_gone = self.run(&["image", "rm", "--force", &self.image]);
    }
}

macro_rules! account {
    ($client:ident, $variable:literal, $login:literal) => {
        impl Account for $client {
            const NAME: &str = "docker";
            const LOGIN: &str = $login;

            fn start(test: &str) -> Option<Self> {
                DockerLogin::start(test, $variable).map(Self)
            }

            fn log_in(&mut self, host: &str, user: &str, secret: &str) -> Result<(), Failure> {
                self.0.log_in(host, user, secret)
            }

            fn log_out(&mut self, host: &str) {
                self.0.log_out(host);
            }

            fn push(&self, reference: &str) -> Result<(), Failure> {
                self.0.push(reference)
            }

            fn pull(&self, reference: &str) -> Result<(), Failure> {
                self.0.pull(reference)
            }
        }
    };
}

account!(DockerConfig, "DOCKER_CONFIG", "`docker login`, with `DOCKER_CONFIG` set");
account!(DockerHome, "HOME", "`docker login`, into the home folder");
