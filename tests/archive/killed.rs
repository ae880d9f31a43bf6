//! Copies that are killed at any moment, and run again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use test_support::server::Server;

use crate::binary;
use crate::client::does;
use crate::stock::Stock;

/// How many times a copy is killed, each time later.
const MOMENTS: u32 = 10;

/// At least so many of them have to come before the copy has ended.
const KILLS: u32 = 3;

const LAYER_BYTES: usize = 3_000_000;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Returns every file of a folder with its bytes.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => files.extend(tree(&path)),
            false => drop(files.insert(path.clone(), std::fs::read(path).unwrap())),
        }
    }
    files
}

/// Fails unless both folders have the same files with the same bytes.
fn assert_same(folder: &Path, other: &Path, moment: u32) {
    let [left, right] = [folder, other].map(|folder| {
        let named =
            |(path, bytes): (PathBuf, Vec<u8>)| (path.strip_prefix(folder).unwrap().to_owned(), bytes);
        tree(folder).into_iter().map(named).collect::<BTreeMap<_, _>>()
    });
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>(), "moment {moment}");
    assert!(left == right, "moment {moment}: other bytes");
}

/// Runs a command and kills it after a while; returns whether it was still running.
fn killed_after(life: Duration, home: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new(binary());
    command.args(arguments).env("DOCKER_CONFIG", home).env_remove("SLIPWAY_REGISTRY");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(life);
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

/// Runs a command to its end; returns how long that took.
fn timed(home: &Path, arguments: &[&str]) -> Duration {
    let begun = Instant::now();
    does(home, arguments);
    begun.elapsed()
}

#[test]
fn an_export_that_was_killed_is_completed_by_the_next_one() {
    let (stock, home, whole) =
        (Stock::with_layers_of(LAYER_BYTES), TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = Server::start(binary());
    stock.fill(&source);
    let address = source.address();
    let life = timed(home.path(), &["export", "--to", text(whole.path()), "--registry", address]);
    let mut kills = 0;
    for moment in 0..MOMENTS {
        let archive = TempDir::new().unwrap();
        let arguments = ["export", "--to", text(archive.path()), "--registry", address];
        kills += u32::from(killed_after(life * moment / MOMENTS, home.path(), &arguments));
        does(home.path(), &arguments);
        assert_same(archive.path(), whole.path(), moment);
    }
    assert!(kills >= KILLS, "{kills} of {MOMENTS} were killed");
}

#[test]
fn an_import_that_was_killed_is_completed_by_the_next_one() {
    let (stock, home, archive) =
        (Stock::with_layers_of(LAYER_BYTES), TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = Server::start(binary());
    stock.fill(&source);
    let from = text(archive.path());
    does(home.path(), &["export", "--to", from, "--registry", source.address()]);
    let first = Server::start(binary());
    let life = timed(home.path(), &["import", "--from", from, "--registry", first.address()]);
    let mut kills = 0;
    for moment in 0..MOMENTS {
        let (mut target, back) = (Server::start(binary()), TempDir::new().unwrap());
        let address = target.address().to_owned();
        let arguments = ["import", "--from", from, "--registry", &address];
        kills += u32::from(killed_after(life * moment / MOMENTS, home.path(), &arguments));
        does(home.path(), &arguments);
        stock.assert_in(&target);
        does(home.path(), &["export", "--to", text(back.path()), "--registry", target.address()]);
        assert_same(back.path(), archive.path(), moment);
        assert!(target.stop());
        let (code, report, _) = target.command(&["fsck", "--deep"]);
        assert_eq!(code, 0, "moment {moment}: {report}");
    }
    assert!(kills >= KILLS, "{kills} of {MOMENTS} were killed");
}
