//! The Python package `oras`, from the environment that `tests/setup.sh` prepares.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use test_support::content::sha256;
use test_support::require;

use crate::contract::{Client, client_tests, start_server};
use crate::images::{layers, layout_of};
use crate::registry::Registry;
use crate::tool::{self, Failure};

client_tests! { Oras:
    pushes_and_pulls_back_the_same_image,
    sends_no_layer_that_is_already_there,
    mounts_layers_into_another_repository,
    an_artifact_refers_to_what_was_pushed,
    finds_nothing_where_a_tag_or_a_manifest_was_deleted,
    finishes_a_push_that_a_kill_interrupted,
    finishes_a_push_that_a_shutdown_interrupted,
}

#[test]
fn pushes_in_chunks() {
    let Some(client) = Oras::start("oras::pushes_in_chunks") else { return };
    let server = start_server();
    let reference = format!("{}/team/app:chunks", server.address());
    client.run("push-in-chunks", &reference, &files("large")).unwrap();
    assert_eq!(client.pull(&reference).unwrap(), identity(layers("large")));
}

#[test]
fn attaches_an_artifact_and_deletes_a_tag() {
    let Some(client) = Oras::start("oras::attaches_an_artifact_and_deletes_a_tag") else { return };
    let server = start_server();
    let registry = Registry::of(&server);
    let app = format!("{}/team/app", server.address());
    client.push("small", &format!("{app}:1")).unwrap();
    let subject = registry.digest("team/app", "1");
    let [note, of] = [format!("{app}:note"), format!("{app}:1")];
    client.run("attach", &note, &[vec![of], files("small-arm64")].concat()).unwrap();
    let referrers = registry.referrers("team/app", &subject);
    assert_eq!(referrers.len(), 1);
    assert_eq!(referrers[0].0, registry.digest("team/app", "note"));

    assert_eq!(client.run("tags", &app, &[]).unwrap(), "1\nnote");
    client.run("delete", &app, &["note".to_owned()]).unwrap();
    assert_eq!(client.run("tags", &app, &[]).unwrap(), "1");
    assert_eq!(registry.referrers("team/app", &subject), []);
}

/// The package; what identifies an image is the digests of its layers.
pub(crate) struct Oras {
    python: PathBuf,
}

impl Oras {
    fn run(&self, action: &str, reference: &str, arguments: &[String]) -> Result<String, Failure> {
        let mut command = tool::command(&self.python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/use_oras.py"));
        tool::run(command.args([action, reference]).args(arguments).env("NO_PROXY", "127.0.0.1"))
    }
}

impl Client for Oras {
    const MOUNTS: bool = false;

    fn start(test: &str) -> Option<Self> {
        Some(Self { python: python(test)? })
    }

    fn load(&mut self, image: &str) -> String {
        identity(layers(image))
    }

    fn push(&self, image: &str, reference: &str) -> Result<(), Failure> {
        self.run("push", reference, &files(image)).map(drop)
    }

    fn pull(&self, reference: &str) -> Result<String, Failure> {
        let clean = TempDir::new().unwrap();
        self.run("pull", reference, &[clean.path().display().to_string()])?;
        let files = fs::read_dir(clean.path()).unwrap();
        Ok(identity(files.map(|file| sha256(&fs::read(file.unwrap().path()).unwrap())).collect()))
    }
}

/// Returns the interpreter that has the package, or prints that `test` is skipped.
pub(crate) fn python(test: &str) -> Option<PathBuf> {
    let python = tool::installed("venv/bin/python");
    if !python.exists() {
        require::skip(test, "oras", "tests/setup.sh has not installed it");
        return None;
    }
    Some(python)
}

fn files(image: &str) -> Vec<String> {
    layers(image).iter().map(|layer| layout_of(image).blob(layer).display().to_string()).collect()
}

fn identity(mut digests: Vec<String>) -> String {
    digests.sort();
    digests.join(" ")
}
