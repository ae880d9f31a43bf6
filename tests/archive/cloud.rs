//! The same commands against the deployed topology.

use std::path::Path;
use std::process::{Command, Stdio};

use cloud::{Cloud, CloudOptions, Programs};
use tempfile::TempDir;
use test_support::require;
use test_support::server::Server;

use crate::binary;
use crate::client::{Image, assert_pulls, does, push};

fn deploy(test: &str) -> Option<Cloud> {
    match Programs::find(binary().parent().unwrap()) {
        Ok(programs) => Some(Cloud::start(&programs, &CloudOptions::default()).unwrap()),
        Err(missing) => {
            require::skip(test, missing.feature, &missing.reason);
            None
        }
    }
}

fn log_in(home: &Path, address: &str, password: &str) {
    use std::io::Write;
    let mut login = Command::new(binary());
    login.args(["login", address, "-u", "admin", "--password-stdin"]).env("DOCKER_CONFIG", home);
    let mut child = login.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn repositories_go_from_one_machine_to_the_cloud_and_back() {
    let Some(cloud) = deploy("archive::cloud") else { return };
    let (home, archive, back) = (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let (source, target) = (Server::start(binary()), Server::start(binary()));
    // The second layer is too long for a function.
    let (small, large) = (Image::new(1, 1000), Image::new(2, 12 << 20));
    push(&source, "admin/app", "small", &small);
    push(&source, "admin/app", "large", &large);
    push(&source, "admin/web", "large", &large);
    let (there, address) = (archive.path().to_str().unwrap(), cloud.address());
    does(home.path(), &["export", "--to", there, "--registry", source.address()]);
    log_in(home.path(), &address, cloud.first_password());
    does(home.path(), &["import", "--from", there, "--registry", &address]);
    let again = does(home.path(), &["import", "--from", there, "--registry", &address]);
    assert!(again.contains("imported 0 blobs, 0 B;"), "{again}");

    let here = back.path().to_str().unwrap();
    does(home.path(), &["export", "--to", here, "--registry", &address]);
    does(home.path(), &["import", "--from", here, "--registry", target.address()]);
    assert_pulls(&target, "admin/app", "small", &small);
    assert_pulls(&target, "admin/web", "large", &large);
}
