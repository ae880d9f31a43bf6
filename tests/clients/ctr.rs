//! containerd, asked through its command line `ctr`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use test_support::daemon::Daemon;
use test_support::images::Layout;
use test_support::require;

use crate::contract::{Client, IndexClient, bytes_written_by, client_tests, start_server};
use crate::images::{ARTIFACT_TYPE, IMAGES, layers, layout_of};
use crate::registry::Registry;
use crate::tool::{self, Failure};

client_tests! { Containerd:
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
fn asks_to_mount_what_it_pulled() {
    let Some(client) = Containerd::start("ctr::asks_to_mount_what_it_pulled") else { return };
    let server = start_server();
    let [app, other] = ["team/app", "other/app"].map(|name| format!("{}/{name}:1", server.address()));
    client.import();
    client.push("small", &app).unwrap();
    let puller = client.with_empty_storage();
    puller.pull_here(&app, &[]).unwrap();
    puller.ctr(&["images", "tag", &app, &other]).unwrap();
    let before = bytes_written_by(server.pid());
    puller.ctr(&["images", "push", "--plain-http", &other]).unwrap();
    assert!(bytes_written_by(server.pid()) - before < 1 << 20, "a layer was sent, not mounted");
    Registry::of(&server).assert_whole("other/app", "1");
}

#[test]
fn pushes_an_artifact_with_a_subject() {
    let Some(client) = Containerd::start("ctr::pushes_an_artifact_with_a_subject") else { return };
    let server = start_server();
    client.import();
    for image in ["small", "artifact"] {
        client.push(image, &format!("{}/team/app:{image}", server.address())).unwrap();
    }
    let referrers = Registry::of(&server).referrers("team/app", &IMAGES.digest("small"));
    assert_eq!(referrers, [(IMAGES.digest("artifact"), ARTIFACT_TYPE.to_owned())]);
}

/// What is not needed here, and what would need kernel modules or folders of the machine.
const CONFIGURATION: &str = r#"
version = 2
disabled_plugins = [
    "io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs",
    "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.zfs",
]
"#;

/// A containerd of its own; what identifies an image is the digest of its manifest.
pub(crate) struct Containerd {
    ctr: PathBuf,
    _daemon: Daemon,
    folder: TempDir,
}

impl Containerd {
    /// Returns another one, which has nothing.
    pub(crate) fn with_empty_storage(&self) -> Self {
        Self::start_daemon(self.ctr.clone()).unwrap()
    }

    fn start_daemon(ctr: PathBuf) -> Result<Self, String> {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("config.toml"), CONFIGURATION).unwrap();
        let mut command = Command::new("containerd");
        command.arg("--config").arg(path("config.toml")).arg("--root").arg(path("root"));
        command.arg("--state").arg(path("state")).arg("--address").arg(path("socket"));
        let is_ready = || {
            let mut version = Command::new(&ctr);
            tool::run(version.arg("--address").arg(path("socket")).arg("version")).is_ok()
        };
        let daemon = Daemon::start(&mut command, &path("log"), is_ready)?;
        Ok(Self { ctr, _daemon: daemon, folder })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tool::command(&self.ctr);
        command.arg("--address").arg(self.folder.path().join("socket")).args(arguments);
        command
    }

    /// Asks it by its command line.
    pub(crate) fn ctr(&self, arguments: &[&str]) -> Result<String, Failure> {
        tool::run(&mut self.command(arguments))
    }

    /// Takes all usual images into the content store, under `local:<name>`.
    fn import(&self) {
        self.import_layout(&IMAGES);
    }

    fn import_layout(&self, layout: &Layout) {
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(layout.folder()).args(["-cf", "-", "."]);
        let mut tar = tar.stdout(Stdio::piped()).spawn().unwrap();
        let mut import = self.command(&["images", "import", "--no-unpack", "--all-platforms"]);
        import.args(["--base-name", "local", "-"]).stdin(tar.stdout.take().unwrap());
        tool::run(&mut import).unwrap();
        assert!(tar.wait().unwrap().success());
    }

    /// Pulls `reference` and returns the digest that it stands for.
    pub(crate) fn pull_here(&self, reference: &str, options: &[&str]) -> Result<String, Failure> {
        let pull = ["images", "pull", "--plain-http", "--snapshotter", "native"];
        self.ctr(&[&pull, options, &[reference]].concat())?;
        let images = self.ctr(&["images", "list", &format!("name=={reference}")])?;
        let digest = images.split_whitespace().find(|word| word.starts_with("sha256:"));
        Ok(digest.unwrap().to_owned())
    }
}

impl Client for Containerd {
    // Only what it pulled before, see above.
    const MOUNTS: bool = false;

    fn start(test: &str) -> Option<Self> {
        let ctr = require::tool(test, "ctr")?;
        require::tool(test, "containerd")?;
        Self::start_daemon(ctr).map_err(|reason| require::skip(test, "ctr", &reason)).ok()
    }

    fn load(&mut self, image: &str) -> String {
        let layout = layout_of(image);
        self.import_layout(layout);
        layout.digest(image)
    }

    fn push(&self, image: &str, reference: &str) -> Result<(), Failure> {
        self.ctr(&["images", "push", "--plain-http", reference, &format!("local:{image}")]).map(drop)
    }

    fn pull(&self, reference: &str) -> Result<String, Failure> {
        self.with_empty_storage().pull_here(reference, &[])
    }
}

impl IndexClient for Containerd {
    fn push_index(&mut self, reference: &str) -> (String, String) {
        self.import();
        self.push("multi", reference).unwrap();
        (IMAGES.digest("small"), IMAGES.digest("small-arm64"))
    }

    fn pull_platform(&self, reference: &str, architecture: &str) -> Result<String, Failure> {
        let clean = self.with_empty_storage();
        let platform = format!("linux/{architecture}");
        let index = clean.pull_here(reference, &["--platform", &platform])?;
        assert_eq!(index, IMAGES.digest("multi"));
        // The index is the same for both; which platform came with it shows in the layers.
        let content = clean.ctr(&["content", "list", "--quiet"])?;
        let is_here = |image: &&str| layers(image).iter().all(|layer| content.contains(layer));
        let pulled: Vec<&str> = ["small", "small-arm64"].into_iter().filter(is_here).collect();
        Ok(IMAGES.digest(&pulled.concat()))
    }
}
