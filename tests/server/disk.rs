//! Disks that are full, and disks that are read-only.

use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::content::{noise, sha256};
use test_support::require;
use test_support::server::Server;

use crate::process::Process;
use crate::{binary, push};

/// A small file system in memory, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Returns `None`, and says so, where this user may not mount.
    fn mount(test: &str, at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let options = format!("size={size}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(at.to_owned()));
        }
        require::skip(test, "mount", "this user may not mount a file system");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What stays mounted is in memory only.
        unmount(&self.0);
    }
}

/// A folder that lies read-only over itself until this is dropped. What a process has open it can write still.
struct ReadOnly(PathBuf);

impl ReadOnly {
    fn mount(folder: &Path) -> Self {
        let mount = |options: &[&str]| Command::new("mount").args(options).arg(folder).status().unwrap();
        assert!(mount(&["--bind", folder.to_str().unwrap()]).success());
        assert!(mount(&["-o", "remount,bind,ro"]).success());
        Self(folder.to_owned())
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        unmount(&self.0);
    }
}

fn unmount(folder: &Path) {
    let _ = Command::new("umount").arg("-l").arg(folder).status();
}

/// Fails unless the answer says that nothing can be stored.
fn assert_closed(what: &str, response: reqwest::blocking::Response) {
    assert_eq!(response.status(), 507, "{what}");
    let error: serde_json::Value = serde_json::from_slice(&response.bytes().unwrap()).unwrap();
    assert_eq!(error["errors"][0]["code"], "INSUFFICIENT_STORAGE", "{what}");
    let message = error["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("full or read-only; nothing was stored"), "{what}: {message}");
}

#[test]
fn a_full_disk_is_a_clear_error_and_the_registry_works_on_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let test = "a_full_disk_is_a_clear_error_and_the_registry_works_on_once_there_is_room";
    let Some(disk) = SmallDisk::mount(test, &folder.path().join("disk"), "160m") else { return };
    let mut server = Server::start_at(binary(), &disk.0.join("data"));
    let layer = noise(1, 1_000_000);
    push::image(&server, "team/app", "1", &layer);

    let too_large = push::blob(&server, "team/app", &noise(2, 200_000_000));
    assert_closed("a layer that does not fit", too_large);
    push::image(&server, "team/app", "2", &noise(3, 1_000_000));

    let filler = disk.0.join("filler");
    // Ends when the disk is full, which is an error of the copy.
    let _ = std::io::copy(&mut std::io::repeat(1), &mut std::fs::File::create(&filler).unwrap());
    assert_eq!(push::blob(&server, "team/app", &noise(4, 1_000)).status(), 507);
    assert!(push::get(&server, &format!("/v2/team/app/blobs/{}", sha256(&layer))).unwrap() == layer);

    std::fs::remove_file(filler).unwrap();
    push::image(&server, "team/app", "3", &noise(5, 1_000_000));
    assert!(server.stop());
    let (code, report, _) = server.command(&["fsck", "--deep"]);
    assert_eq!(code, 0, "{report}");
}

#[test]
fn a_disk_that_becomes_read_only_is_a_clear_error_and_the_registry_works_on_once_it_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let test = "a_disk_that_becomes_read_only_is_a_clear_error";
    let Some(disk) = SmallDisk::mount(test, &folder.path().join("disk"), "160m") else { return };
    let mut server = Server::start_at(binary(), &disk.0.join("data"));
    let (layer, more) = (noise(1, 1_000_000), noise(2, 500_000));
    let digest = push::image(&server, "team/app", "1", &layer);
    let manifest = push::get(&server, "/v2/team/app/manifests/1").unwrap();
    let upload = push::begin(&server, "team/app");
    push::patch(&upload, more[..200_000].to_vec()).unwrap();

    let read_only = ReadOnly::mount(server.data());
    let client = reqwest::blocking::Client::new();
    let at = |path: &str| server.url(&format!("/v2/team/app/{path}"));
    let tag =
        client.put(at("manifests/2")).header("content-type", "application/vnd.oci.image.manifest.v1+json");
    let refused = [
        ("a small layer", push::blob(&server, "team/app", &noise(3, 1_000))),
        ("a large layer", push::blob(&server, "team/app", &noise(4, 5_000_000))),
        ("an upload", client.post(at("blobs/uploads/")).send().unwrap()),
        ("a chunk", push::patch(&upload, more[200_000..].to_vec()).unwrap()),
        ("a tag", tag.body(manifest.clone()).send().unwrap()),
        ("a deletion", client.delete(at(&format!("manifests/{digest}"))).send().unwrap()),
    ];
    for (what, response) in refused {
        assert_closed(what, response);
        assert!(push::get(&server, "/v2/team/app/manifests/1").unwrap() == manifest, "after {what}");
        let pulled = push::get(&server, &format!("/v2/team/app/blobs/{}", sha256(&layer))).unwrap();
        assert!(pulled == layer, "after {what}");
    }

    drop(read_only);
    assert_eq!(push::offset(&upload), 200_000);
    push::patch(&upload, more[200_000..].to_vec()).unwrap();
    assert_eq!(push::commit(&upload, &more).status(), 201);
    push::image(&server, "team/app", "2", &noise(5, 1_000_000));
    assert!(server.stop());
    let (code, report, _) = server.command(&["fsck", "--deep"]);
    assert_eq!(code, 0, "{report}");
}

#[test]
fn a_start_on_a_read_only_disk_is_refused_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let test = "a_start_on_a_read_only_disk_is_refused_and_says_why";
    let Some(disk) = SmallDisk::mount(test, &folder.path().join("disk"), "160m") else { return };
    let (data, new) = (disk.0.join("data"), disk.0.join("new"));
    assert!(Server::start_at(binary(), &data).stop());
    let _read_only = ReadOnly::mount(&disk.0);
    for folder in [&data, &new] {
        let said = Process::refusal(folder, &[]);
        let line = format!("slipway: data folder {}: ", folder.display());
        assert!(said.contains(&line) && said.contains("Read-only file system"), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    for command in ["fsck", "gc"] {
        let mut running = Command::new(binary());
        let output = running.args([command, "--data"]).arg(&data).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.contains("Read-only file system")), (Some(1), true), "{said}");
    }
}
