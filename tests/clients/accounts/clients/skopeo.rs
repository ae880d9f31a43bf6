//! skopeo: `skopeo login`, and credentials on the command line.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use test_support::require;

use super::{IMAGE, run_with_secret};
use crate::accounts::story::Account;
use crate::images::oci_name;
use crate::tool::{self, Failure};

struct Skopeo {
    program: PathBuf,
    folder: TempDir,
}

impl Skopeo {
    fn start(test: &str) -> Option<Self> {
        Some(Self { program: require::tool(test, "skopeo")?, folder: TempDir::new().unwrap() })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tool::command(&self.program);
        command.env("REGISTRY_AUTH_FILE", self.folder.path().join("auth.json")).args(arguments);
        command
    }

    fn push(&self, reference: &str, options: &[&str]) -> Result<(), Failure> {
        let target = format!("docker://{reference}");
        let copy = ["--insecure-policy", "copy", "--dest-tls-verify=false"];
        tool::run(self.command(&copy).args(options).args([&oci_name(IMAGE), &target])).map(drop)
    }

    fn pull(&self, reference: &str, options: &[&str]) -> Result<(), Failure> {
        let clean = TempDir::new().unwrap();
        let (source, target) =
            (format!("docker://{reference}"), format!("oci:{}:pulled", clean.path().display()));
        let copy = ["--insecure-policy", "copy", "--src-tls-verify=false"];
        tool::run(self.command(&copy).args(options).args([&source, &target])).map(drop)
    }
}

/// With a file for credentials.
pub(in crate::accounts) struct SkopeoLogin(Skopeo);

impl Account for SkopeoLogin {
    const NAME: &str = "skopeo";
    const LOGIN: &str = "`skopeo login`";

    fn start(test: &str) -> Option<Self> {
        Skopeo::start(test).map(Self)
    }

    fn log_in(&mut self, host: &str, user: &str, secret: &str) -> Result<(), Failure> {
        let login = ["login", "--tls-verify=false", "--username", user, "--password-stdin", host];
        run_with_secret(&mut self.0.command(&login), secret)
    }

    fn log_out(&mut self, host: &str) {
        // Whoever was refused is not logged in, and skopeo says so.
        let _perhaps_nobody = tool::run(&mut self.0.command(&["logout", host]));
    }

    fn push(&self, reference: &str) -> Result<(), Failure> {
        self.0.push(reference, &[])
    }

    fn pull(&self, reference: &str) -> Result<(), Failure> {
        self.0.pull(reference, &[])
    }
}

/// With `--src-creds` and `--dest-creds`.
pub(in crate::accounts) struct SkopeoCredentials {
    skopeo: Skopeo,
    credentials: Option<String>,
}

impl SkopeoCredentials {
    fn options<'a>(&'a self, option: &'a str) -> Vec<&'a str> {
        self.credentials.iter().flat_map(|credentials| [option, credentials]).collect()
    }
}

impl Account for SkopeoCredentials {
    const NAME: &str = "skopeo, with credentials in each call";
    const LOGIN: &str = "`--src-creds` and `--dest-creds`";

    fn start(test: &str) -> Option<Self> {
        Some(Self { skopeo: Skopeo::start(test)?, credentials: None })
    }

    fn log_in(&mut self, _host: &str, user: &str, secret: &str) -> Result<(), Failure> {
        self.credentials = Some(format!("{user}:{secret}"));
        Ok(())
    }

    fn log_out(&mut self, _host: &str) {
        self.credentials = None;
    }

    fn push(&self, reference: &str) -> Result<(), Failure> {
        self.skopeo.push(reference, &self.options("--dest-creds"))
    }

    fn pull(&self, reference: &str) -> Result<(), Failure> {
        self.skopeo.pull(reference, &self.options("--src-creds"))
    }
}
