//! The commands about accounts, credentials and settings, against real registries.

mod credentials;
mod documents;
mod logins;
mod messages;
mod pipes;
mod progress;
mod refusals;
mod resources;
mod terminal;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::SLIPWAY;
use crate::process::Process;

/// A password that nobody guesses.
const PASSWORD: &str = "correct horse battery";

/// Somebody at a command line, with credentials of their own.
struct Person {
    home: TempDir,
    /// What follows every command.
    target: Vec<String>,
    environment: Vec<(&'static str, String)>,
}

impl Person {
    /// Somebody who names a registry, or a data folder, after every command.
    fn new(target: &[&str]) -> Self {
        let target = target.iter().map(|part| (*part).to_owned()).collect();
        Self { home: tempfile::tempdir().unwrap(), target, environment: Vec::new() }
    }

    /// Somebody who is logged in to a registry.
    fn logged_in(server: &Process, user: &str, password: &str) -> Self {
        let person = Self::new(&["--registry", &server.address]);
        person.log_in(&server.address, user, password);
        person
    }

    fn log_in(&self, registry: &str, user: &str, password: &str) -> String {
        let mut command = self.bare(&["login", registry, "-u", user, "--password-stdin"]);
        said(finish(&mut command, password))
    }

    /// Where docker's `config.json` of this person is.
    fn config(&self) -> PathBuf {
        self.home.path().join("config.json")
    }

    fn config_json(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.config()).unwrap()).unwrap()
    }

    /// A command without the target.
    fn bare(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(SLIPWAY);
        command.args(arguments).env("DOCKER_CONFIG", self.home.path()).env_remove("SLIPWAY_REGISTRY");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare(arguments);
        command.args(&self.target);
        command
    }

    /// Runs a command that has to be done; returns what it prints.
    fn does(&self, arguments: &[&str]) -> String {
        said(finish(&mut self.command(arguments), ""))
    }

    /// Runs one that reads a password.
    fn does_with(&self, arguments: &[&str], input: &str) -> String {
        said(finish(&mut self.command(&[arguments, &["--password-stdin"]].concat()), input))
    }

    /// Runs one that prints JSON.
    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.does(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// Runs a command that has to be refused; returns why it was.
    fn is_refused(&self, arguments: &[&str]) -> String {
        refusal(finish(&mut self.command(arguments), ""))
    }
}

/// What came of a command.
struct Finished {
    arguments: String,
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn finish(command: &mut Command, input: &str) -> Finished {
    let arguments = format!("{:?}", command.get_args().collect::<Vec<_>>());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Who is refused before it reads has closed its end.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Finished {
        arguments,
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

fn said(finished: Finished) -> String {
    let Finished { arguments, code, stdout, stderr } = finished;
    assert_eq!(code, Some(0), "{arguments}: {stderr}");
    stdout
}

fn refusal(finished: Finished) -> String {
    let Finished { arguments, code, stdout, stderr } = finished;
    assert_eq!(code, Some(1), "{arguments} was not refused: {stdout}{stderr}");
    assert_eq!(stdout, "", "{arguments}");
    assert_eq!(stderr.lines().count(), 1, "{arguments}: {stderr}");
    stderr
}

/// Pushes an image without layers to an open registry.
fn push_image(server: &Process, name: &str, tag: &str) {
    let client = reqwest::blocking::Client::new();
    let config = test_support::content::sha256(b"{}");
    let blob = client.post(server.url(&format!("/v2/{name}/blobs/uploads/?digest={config}"))).body("{}");
    assert_eq!(blob.send().unwrap().status(), 201);
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2 },
        "layers": [],
        "annotations": { "tag": tag },
    });
    let put = client.put(server.url(&format!("/v2/{name}/manifests/{tag}")));
    let put = put.header("content-type", "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(put.body(manifest.to_string()).send().unwrap().status(), 201);
}

/// Starts a registry with the administrator `admin`; returns the password too.
fn closed(data: &Path) -> (Process, String) {
    let server = Process::start(data, &["--auth"]);
    let password = server.password().unwrap().to_owned();
    (server, password)
}
