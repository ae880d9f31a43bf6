//! The clients, each with what it pushes.

pub(super) mod containerd;
pub(super) mod docker;
pub(super) mod helm;
pub(super) mod oci_client;
pub(super) mod oras;
pub(super) mod podman;
pub(super) mod skopeo;

use std::fs::File;
use std::io::Write;
use std::process::Command;

use tempfile::NamedTempFile;

use crate::images::TINY;
use crate::tool::{self, Failure};

/// The image that is pushed.
const IMAGE: &str = TINY.0;

/// Runs a command that reads a secret from its standard input.
fn run_with_secret(command: &mut Command, secret: &str) -> Result<(), Failure> {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(secret.as_bytes()).unwrap();
    tool::run(command.stdin(File::open(file.path()).unwrap())).map(drop)
}
