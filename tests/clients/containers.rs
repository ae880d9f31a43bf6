//! podman and buildah: two programs on one kind of storage, with nearly the same commands.

use std::marker::PhantomData;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use test_support::require;

use crate::contract::{Client, IndexClient};
use crate::images::oci_name;
use crate::tool::{self, Failure};

/// A program that keeps images in such storage.
pub(crate) trait Program: Sync {
    /// Its name.
    const NAME: &str;
    /// What it needs beside the options for the storage.
    const OPTIONS: &[&str] = &[];
}

/// A program with storage that nothing else uses; what identifies an image is its id there, the digest of its
/// configuration.
pub(crate) struct Containers<P> {
    program: PathBuf,
    storage: TempDir,
    loaded: String,
    _program: PhantomData<P>,
}

impl<P: Program> Containers<P> {
    fn with_empty_storage(program: PathBuf) -> Self {
        Self { program, storage: TempDir::new().unwrap(), loaded: String::new(), _program: PhantomData }
    }

    /// Returns the program as it works on this storage.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tool::command(&self.program);
        let storage = self.storage.path();
        command.arg("--root").arg(storage.join("root")).arg("--runroot").arg(storage.join("run"));
        command.args(["--storage-driver", "vfs"]).args(P::OPTIONS).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<String, Failure> {
        tool::run(&mut self.command(arguments))
    }

    /// Returns the same program with storage of its own.
    pub(crate) fn emptied(&self) -> Self {
        Self::with_empty_storage(self.program.clone())
    }

    /// Pulls `source` with `options`; returns the id.
    fn pull_here(&self, source: &str, options: &[&str]) -> Result<String, Failure> {
        let printed = self.run(&[&["pull", "--tls-verify=false"], options, &[source]].concat())?;
        Ok(printed.lines().last().unwrap().to_owned())
    }

    fn pull_into_clean_storage(&self, reference: &str, options: &[&str]) -> Result<String, Failure> {
        let clean = self.emptied();
        clean.pull_here(&format!("docker://{reference}"), options)
    }
}

impl<P: Program> Client for Containers<P> {
    const MOUNTS: bool = true;

    fn start(test: &str) -> Option<Self> {
        Some(Self::with_empty_storage(require::tool(test, P::NAME)?))
    }

    fn load(&mut self, image: &str) -> String {
        self.loaded = self.pull_here(&oci_name(image), &[]).unwrap();
        self.loaded.clone()
    }

    fn push(&self, _image: &str, reference: &str) -> Result<(), Failure> {
        let target = format!("docker://{reference}");
        self.run(&["push", "--tls-verify=false", &self.loaded, &target]).map(drop)
    }

    fn pull(&self, reference: &str) -> Result<String, Failure> {
        self.pull_into_clean_storage(reference, &[])
    }
}

impl<P: Program> IndexClient for Containers<P> {
    fn push_index(&mut self, reference: &str) -> (String, String) {
        let ids = (self.load("small"), self.load("small-arm64"));
        self.run(&["manifest", "create", "multi"]).unwrap();
        for image in ["small", "small-arm64"] {
            self.run(&["manifest", "add", "multi", &oci_name(image)]).unwrap();
        }
        let target = format!("docker://{reference}");
        self.run(&["manifest", "push", "--all", "--tls-verify=false", "multi", &target]).unwrap();
        ids
    }

    fn pull_platform(&self, reference: &str, architecture: &str) -> Result<String, Failure> {
        self.pull_into_clean_storage(reference, &["--arch", architecture])
    }
}
