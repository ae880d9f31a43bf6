//! skopeo: copies between a registry and OCI layouts, without storage of its own.

use std::process::Command;

use tempfile::TempDir;
use test_support::images::Layout;
use test_support::require;

use crate::contract::{Client, IndexClient, client_tests, start_server};
use crate::images::{ARTIFACT_TYPE, IMAGES, layout_of, oci_name};
use crate::registry::Registry;
use crate::tool::{self, Failure};

client_tests! { Skopeo:
    pushes_and_pulls_back_the_same_image,
    sends_no_layer_that_is_already_there,
    mounts_layers_into_another_repository,
    pushes_an_index_and_pulls_back_each_platform,
    an_artifact_refers_to_what_was_pushed,
    finds_nothing_where_a_tag_or_a_manifest_was_deleted,
    finishes_a_push_that_a_kill_interrupted,
    finishes_a_push_that_a_shutdown_interrupted,
}

#[test]
fn deletes_by_tag_and_by_digest() {
    let Some(client) = Skopeo::start("skopeo::deletes_by_tag_and_by_digest") else { return };
    let server = start_server();
    let app = format!("{}/team/app", server.address());
    for image in ["small", "small-arm64"] {
        client.push(image, &format!("{app}:{image}")).unwrap();
    }
    client.delete(&format!("{app}:small")).unwrap();
    client.pull(&format!("{app}:small")).unwrap_err();
    assert_eq!(Registry::of(&server).tags("team/app"), ["small-arm64"]);

    let by_digest = format!("{app}@{}", IMAGES.digest("small-arm64"));
    client.delete(&by_digest).unwrap();
    client.pull(&by_digest).unwrap_err();
    assert!(Registry::of(&server).tags("team/app").is_empty());
}

#[test]
fn pushes_an_artifact_with_a_subject() {
    let Some(client) = Skopeo::start("skopeo::pushes_an_artifact_with_a_subject") else { return };
    let server = start_server();
    let app = format!("{}/team/app", server.address());
    client.push("small", &format!("{app}:small")).unwrap();
    client.push("artifact", &format!("{app}:note")).unwrap();
    let referrers = Registry::of(&server).referrers("team/app", &IMAGES.digest("small"));
    assert_eq!(referrers, [(IMAGES.digest("artifact"), ARTIFACT_TYPE.to_owned())]);
}

/// The program `skopeo`; what identifies an image is the digest of its manifest.
pub(crate) struct Skopeo {
    program: std::path::PathBuf,
}

impl Skopeo {
    fn copy(&self) -> Command {
        let mut command = tool::command(&self.program);
        command.args(["--insecure-policy", "copy", "--preserve-digests"]);
        command.args(["--src-tls-verify=false", "--dest-tls-verify=false"]);
        command
    }

    fn delete(&self, reference: &str) -> Result<String, Failure> {
        let reference = format!("docker://{reference}");
        tool::run(tool::command(&self.program).args(["delete", "--tls-verify=false", &reference]))
    }
}

impl Client for Skopeo {
    const MOUNTS: bool = true;

    fn start(test: &str) -> Option<Self> {
        Some(Self { program: require::tool(test, "skopeo")? })
    }

    fn load(&mut self, image: &str) -> String {
        layout_of(image).digest(image)
    }

    fn push(&self, image: &str, reference: &str) -> Result<(), Failure> {
        let source = oci_name(image);
        tool::run(self.copy().args([source, format!("docker://{reference}")])).map(drop)
    }

    fn pull(&self, reference: &str) -> Result<String, Failure> {
        let clean = TempDir::new().unwrap();
        let target = format!("oci:{}:pulled", clean.path().display());
        tool::run(self.copy().args([format!("docker://{reference}"), target]))?;
        Ok(Layout::open(clean.path()).digest("pulled"))
    }
}

impl IndexClient for Skopeo {
    fn push_index(&mut self, reference: &str) -> (String, String) {
        let target = format!("docker://{reference}");
        tool::run(self.copy().args(["--all", &oci_name("multi"), &target])).unwrap();
        (IMAGES.digest("small"), IMAGES.digest("small-arm64"))
    }

    fn pull_platform(&self, reference: &str, architecture: &str) -> Result<String, Failure> {
        let clean = TempDir::new().unwrap();
        let target = format!("oci:{}:pulled", clean.path().display());
        let mut command = tool::command(&self.program);
        command.args(["--insecure-policy", "--override-arch", architecture, "copy", "--preserve-digests"]);
        command.args(["--src-tls-verify=false", &format!("docker://{reference}"), &target]);
        tool::run(&mut command)?;
        Ok(Layout::open(clean.path()).digest("pulled"))
    }
}
