//! The docker daemon: the one that answers, or else one that the test starts.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use test_support::daemon::Daemon;
use test_support::require;

use crate::contract::{Client, IndexClient, client_tests};
use crate::images::{layers, layout_of};
use crate::tool::{self, Failure};

client_tests! { Docker:
    pushes_and_pulls_back_the_same_image,
    sends_no_layer_that_is_already_there,
    mounts_layers_into_another_repository,
    pushes_an_index_and_pulls_back_each_platform,
    an_artifact_refers_to_what_was_pushed,
    finds_nothing_where_a_tag_or_a_manifest_was_deleted,
    finishes_a_push_that_a_kill_interrupted,
    finishes_a_push_that_a_shutdown_interrupted,
}

/// A docker daemon; what identifies an image is its id, the digest of its configuration.
pub(crate) struct Docker {
    host: Option<String>,
    daemon: Option<Daemon>,
    folder: TempDir,
    loaded: Vec<String>,
}

impl Docker {
    /// Starts a daemon that needs no network of its own and leaves the machine's alone.
    fn start_daemon() -> Result<Self, String> {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        let host = format!("unix://{}", path("socket").display());
        let mut command = Command::new("dockerd");
        command.args(["--iptables=false", "--ip-masq=false", "--host", &host]);
        // Without a bridge, the daemon would delete the one that another daemon uses.
        if !Path::new("/sys/class/net/docker0").exists() {
            command.args(["--bridge", "none"]);
        }
        command.arg("--data-root").arg(path("root")).arg("--exec-root").arg(path("exec"));
        command.arg("--pidfile").arg(path("pid"));
        let daemon = Daemon::start(&mut command, &path("log"), || answers(Some(&host)))?;
        Ok(Self { host: Some(host), daemon: Some(daemon), folder, loaded: Vec::new() })
    }

    /// Returns the command line client of this daemon.
    pub(crate) fn command(&self) -> Command {
        docker(self.host.as_deref())
    }

    fn docker(&self, arguments: &[&str]) -> Result<String, Failure> {
        tool::run(self.command().args(arguments))
    }

    /// Builds `image` on a first layer that no other image has, so that none in a shared daemon lends it layers.
    fn build(&self, image: &str, architecture: &str) -> String {
        let context = TempDir::new_in(self.folder.path()).unwrap();
        let mut dockerfile = "FROM scratch\nCOPY unique /\n".to_owned();
        fs::write(context.path().join("unique"), format!("{:?}", context.path())).unwrap();
        for layer in layers(image) {
            let file = layer.replace(':', "-");
            fs::copy(layout_of(image).blob(&layer), context.path().join(&file)).unwrap();
            writeln!(dockerfile, "ADD {file} /").unwrap();
        }
        fs::write(context.path().join("Dockerfile"), dockerfile + "CMD [\"/none\"]\n").unwrap();
        let platform = format!("linux/{architecture}");
        let context = context.path().to_str().unwrap();
        self.docker(&["build", "--quiet", "--platform", &platform, context]).unwrap()
    }

    fn archive(&self, id: &str) -> String {
        self.folder.path().join(id.replace(':', "-")).display().to_string()
    }

    /// Removes the images of this test from the daemon, with all their names.
    fn remove_images(&self) {
        for id in &self.loaded {
            if self.docker(&["image", "inspect", id]).is_ok() {
                self.docker(&["image", "rm", "--force", id]).unwrap();
            }
        }
    }

    fn push_id(&self, id: &str, reference: &str) -> Result<(), Failure> {
        if self.docker(&["image", "inspect", id]).is_err() {
            self.docker(&["load", "--input", &self.archive(id)])?;
        }
        self.docker(&["tag", id, reference])?;
        self.docker(&["push", reference]).map(drop)
    }

    fn pull_into_clean_storage(&self, reference: &str, options: &[&str]) -> Result<String, Failure> {
        self.remove_images();
        self.docker(&[&["pull", "--quiet"], options, &[reference]].concat())?;
        self.docker(&["image", "inspect", "--format", "{{.Id}}", reference])
    }

    fn load_for(&mut self, architecture: &str, image: &str) -> String {
        let id = self.build(image, architecture);
        self.docker(&["save", "--output", &self.archive(&id), &id]).unwrap();
        self.loaded.push(id.clone());
        id
    }
}

impl Client for Docker {
    const MOUNTS: bool = true;

    fn start(test: &str) -> Option<Self> {
        require::tool(test, "docker")?;
        if answers(None) {
            let folder = TempDir::new().unwrap();
            return Some(Self { host: None, daemon: None, folder, loaded: Vec::new() });
        }
        require::tool(test, "dockerd")?;
        Self::start_daemon().map_err(|reason| require::skip(test, "dockerd", &reason)).ok()
    }

    fn load(&mut self, image: &str) -> String {
        self.load_for("amd64", image)
    }

    fn push(&self, _image: &str, reference: &str) -> Result<(), Failure> {
        self.push_id(self.loaded.last().unwrap(), reference)
    }

    fn pull(&self, reference: &str) -> Result<String, Failure> {
        self.pull_into_clean_storage(reference, &[])
    }
}

impl IndexClient for Docker {
    fn push_index(&mut self, reference: &str) -> (String, String) {
        let ids = (self.load_for("amd64", "small"), self.load_for("arm64", "small-arm64"));
        let [amd64, arm64] = ["-amd64", "-arm64"].map(|suffix| format!("{reference}{suffix}"));
        self.push_id(&ids.0, &amd64).unwrap();
        self.push_id(&ids.1, &arm64).unwrap();
        self.docker(&["manifest", "create", "--insecure", reference, &amd64, &arm64]).unwrap();
        self.docker(&["manifest", "push", "--insecure", "--purge", reference]).unwrap();
        ids
    }

    fn pull_platform(&self, reference: &str, architecture: &str) -> Result<String, Failure> {
        self.pull_into_clean_storage(reference, &["--platform", &format!("linux/{architecture}")])
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        if self.host.is_none() {
            // A daemon that is not ours is left as it was.
            self.remove_images();
            return;
        }
        self.daemon = None;
        // Where mounts are private, as in a container, it leaves its folder mounted on itself.
        let _mostly_not_mounted = Command::new("umount").arg(self.folder.path().join("root")).output();
    }
}

fn answers(host: Option<&str>) -> bool {
    tool::run(docker(host).args(["version", "--format", "{{.Server.Version}}"])).is_ok()
}

fn docker(host: Option<&str>) -> Command {
    let mut command = tool::command("docker");
    // The builder that needs no plugin.
    command.env("DOCKER_BUILDKIT", "0");
    if let Some(host) = host {
        command.env("DOCKER_HOST", host);
    }
    command
}
