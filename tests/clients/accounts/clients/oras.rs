//! The Python package `oras`, which notes credentials in a file of Docker's format.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::{IMAGE, run_with_secret};
use crate::accounts::story::Account;
use crate::images::{layers, layout_of};
use crate::oras;
use crate::tool::{self, Failure};

/// The package, with a file for credentials.
pub(in crate::accounts) struct OrasLogin {
    python: PathBuf,
    folder: TempDir,
}

impl OrasLogin {
    /// Asks for something; the file comes first.
    pub(super) fn command(&self, action: &str, arguments: &[&str]) -> Command {
        let mut command = tool::command(&self.python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/accounts/log_in_oras.py"));
        command.arg(action).arg(self.folder.path().join("config.json")).args(arguments);
        // The usual file is another one, which is not there.
        command.env("NO_PROXY", "127.0.0.1").env("HOME", self.folder.path());
        command
    }
}

impl Account for OrasLogin {
    const NAME: &str = "oras (Python)";
    const LOGIN: &str = "a file of Docker's format; to push, with `auth_backend=\"basic\"`";

    fn start(test: &str) -> Option<Self> {
        Some(Self { python: oras::python(test)?, folder: TempDir::new().unwrap() })
    }

    fn log_in(&mut self, host: &str, user: &str, secret: &str) -> Result<(), Failure> {
        run_with_secret(&mut self.command("login", &[host, user]), secret)
    }

    fn log_out(&mut self, host: &str) {
        tool::run(&mut self.command("logout", &[host])).unwrap();
    }

    fn push(&self, reference: &str) -> Result<(), Failure> {
        let layer = layout_of(IMAGE).blob(&layers(IMAGE)[0]);
        tool::run(&mut self.command("push", &[reference, layer.to_str().unwrap()])).map(drop)
    }

    fn pull(&self, reference: &str) -> Result<(), Failure> {
        let clean = TempDir::new().unwrap();
        tool::run(&mut self.command("pull", &[reference, clean.path().to_str().unwrap()])).map(drop)
    }
}
