//! Killing, stopping and starting again.

use std::io::Read;
use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use reqwest::blocking::Body;
use test_support::content::{noise, sha256};
use test_support::server::Server;

use crate::{binary, push};

/// A body that waits for more after its first bytes, as a slow client does.
struct Slow {
    bytes: Vec<u8>,
    at: usize,
    release: mpsc::Receiver<()>,
}

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.bytes.len() {
            // Released by the end of the test.
            let _ = self.release.recv();
            return Ok(0);
        }
        let count = buffer.len().min(self.bytes.len() - self.at);
        buffer[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// Waits until the upload files in the data folder have `size_bytes` together.
fn wait_for_upload(server: &Server, size_bytes: u64) {
    for _ in 0..3000 {
        let shards = std::fs::read_dir(server.data().join("data")).unwrap();
        let files = shards.flat_map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap());
        let stored: u64 = files.filter_map(|file| Some(file.unwrap().metadata().ok()?.len())).sum();
        if stored >= size_bytes {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the bytes do not arrive");
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let mut server = Server::start(binary());
    let layer = noise(1, 3_000_000);
    let digest = push::image(&server, "team/app", "1", &layer);
    let url = push::begin(&server, "team/app");
    let more = noise(2, 500_000);
    push::patch(&url, more[..200_000].to_vec()).unwrap();

    server.kill();
    server.restart();

    assert_eq!(sha256(&push::get(&server, "/v2/team/app/manifests/1").unwrap()), digest);
    assert!(push::get(&server, &format!("/v2/team/app/blobs/{}", sha256(&layer))).unwrap() == layer);
    assert_eq!(push::offset(&url), 200_000);
    push::patch(&url, more[200_000..].to_vec()).unwrap();
    assert_eq!(push::commit(&url, &more).status(), 201);
    server.kill();
    let (code, report, _) = server.command(&["fsck", "--deep"]);
    assert_eq!(code, 0, "{report}");
}

#[test]
fn a_kill_in_the_middle_of_a_chunk_leaves_the_upload_where_it_was_acknowledged() {
    let mut server = Server::start(binary());
    let url = push::begin(&server, "team/app");
    let bytes = noise(3, 4_000_000);
    push::patch(&url, bytes[..1_000_000].to_vec()).unwrap();
    let (_release, released) = mpsc::channel();
    let slow = Slow { bytes: bytes[1_000_000..].to_vec(), at: 0, release: released };
    let sender = std::thread::spawn({
        let url = url.clone();
        move || push::patch(&url, Body::new(slow)).is_ok()
    });
    wait_for_upload(&server, 2_000_000);

    server.kill();
    drop(_release);
    assert!(!sender.join().unwrap());
    server.restart();

    assert_eq!(push::offset(&url), 1_000_000);
    push::patch(&url, bytes[1_000_000..].to_vec()).unwrap();
    assert_eq!(push::commit(&url, &bytes).status(), 201);
}

#[test]
fn a_stop_in_the_middle_of_a_chunk_keeps_what_has_arrived() {
    let mut server = Server::start(binary());
    let url = push::begin(&server, "team/app");
    let bytes = noise(4, 4_000_000);
    let (release, released) = mpsc::channel();
    let slow = Slow { bytes: bytes[..3_000_000].to_vec(), at: 0, release: released };
    let sender = std::thread::spawn({
        let url = url.clone();
        move || push::patch(&url, Body::new(slow))
    });
    wait_for_upload(&server, 2_000_000);

    assert!(server.stop(), "the server ends with success");
    drop(release);
    // The client may have read the answer, or found the connection closed.
    drop(sender.join().unwrap());
    server.restart();

    let offset = usize::try_from(push::offset(&url)).unwrap();
    assert!((2_000_000..=3_000_000).contains(&offset), "{offset} bytes are kept");
    push::patch(&url, bytes[offset..].to_vec()).unwrap();
    assert_eq!(push::commit(&url, &bytes).status(), 201);
    assert!(push::get(&server, &format!("/v2/team/app/blobs/{}", sha256(&bytes))).unwrap() == bytes);
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let server = Server::start(binary());
    let (code, _, stderr) = server.command(&["serve", "--listen", "127.0.0.1:0"]);
    assert_ne!(code, 0);
    assert!(stderr.contains("in use by another process"), "{stderr}");
}

#[test]
fn a_start_on_a_used_port_makes_no_folder() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new");
    let mut command = Command::new(binary());
    let output = command.args(["serve", "--listen", &address, "--data"]).arg(&data).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains(&format!("listen on {address}")), "{said}");
    assert!(!data.exists());
}

#[test]
fn memory_stays_flat_while_a_large_layer_goes_in_and_out() {
    const LAYER_BYTES: usize = 300_000_000;
    let server = Server::start(binary());
    let bytes = noise(5, LAYER_BYTES);
    let url = push::begin(&server, "team/app");
    let before = peak_memory_kib(&server);
    push::patch(&url, Body::new(std::io::Cursor::new(bytes.clone()))).unwrap();
    assert_eq!(push::commit(&url, &bytes).status(), 201);
    assert!(push::get(&server, &format!("/v2/team/app/blobs/{}", sha256(&bytes))).unwrap() == bytes);
    let rise_kib = peak_memory_kib(&server) - before;
    assert!(rise_kib < 48 * 1024, "memory rose by {rise_kib} KiB");
}

fn peak_memory_kib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
