//! Disks that are full.

use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::content::{noise, sha256};
use test_support::require;
use test_support::server::Server;

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
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
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
    assert_eq!(too_large.status(), 507);
    let error: serde_json::Value = serde_json::from_slice(&too_large.bytes().unwrap()).unwrap();
    assert_eq!(error["errors"][0]["code"], "INSUFFICIENT_STORAGE");
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
