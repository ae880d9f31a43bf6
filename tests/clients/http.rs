//! Plain HTTP: what a client could do after a restart, though none of the others does: go on with an upload.

use std::io::Write;
use std::net::TcpStream;

use reqwest::Method;
use test_support::content::{noise, sha256};
use test_support::server::Server;

use crate::contract::{start_server, wait_for_layer_bytes};
use crate::registry::{Registry, path_of};

const LAYER_BYTES: usize = 32 << 20;
const HALF: usize = LAYER_BYTES / 2;

#[test]
fn an_acknowledged_chunk_outlives_a_kill() {
    let mut server = start_server();
    let layer = noise(1, LAYER_BYTES);
    let registry = Registry::of(&server);
    let location = start_upload(&registry);
    let range = format!("0-{}", HALF - 1);
    let answer =
        registry.send(Method::PATCH, &location, &[("Content-Range", &range)], layer[..HALF].to_vec());
    assert_eq!(answer.status(), 202);
    server.kill();
    server.restart();
    let (location, offset) = status(&registry, &path_of(&answer));
    assert_eq!(offset, HALF);
    finish(&registry, &location, &layer, offset);
}

#[test]
fn an_upload_goes_on_after_a_kill_in_the_middle_of_a_chunk() {
    an_upload_goes_on_after(Server::kill);
}

#[test]
fn an_upload_goes_on_after_a_shutdown_in_the_middle_of_a_chunk() {
    an_upload_goes_on_after(|server| assert!(server.stop(), "SIGTERM is a clean end"));
}

fn an_upload_goes_on_after(end: impl Fn(&mut Server)) {
    let mut server = start_server();
    let layer = noise(2, LAYER_BYTES);
    let registry = Registry::of(&server);
    let location = start_upload(&registry);
    let mut connection = TcpStream::connect(server.address()).unwrap();
    let host = server.address();
    write!(connection, "PATCH {location} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {LAYER_BYTES}\r\n\r\n")
        .unwrap();
    connection.write_all(&layer[..HALF]).unwrap();
    wait_for_layer_bytes(server.pid(), || false);
    end(&mut server);
    server.restart();
    let (location, offset) = status(&registry, &location);
    assert!(offset <= HALF, "{offset} bytes are there, but only {HALF} were sent");
    finish(&registry, &location, &layer, offset);
}

fn start_upload(registry: &Registry) -> String {
    let answer = registry.send(Method::POST, "/v2/team/app/blobs/uploads/", &[], Vec::new());
    assert_eq!(answer.status(), 202);
    path_of(&answer)
}

/// Returns where the upload goes on: at which path, and after how many bytes.
fn status(registry: &Registry, location: &str) -> (String, usize) {
    let answer = registry.send(Method::GET, location, &[], Vec::new());
    assert_eq!(answer.status(), 204);
    let range = answer.headers()["Range"].to_str().unwrap();
    let last: usize = range.strip_prefix("0-").unwrap().parse().unwrap();
    // `0-0` is what an empty upload says.
    (path_of(&answer), if last == 0 { 0 } else { last + 1 })
}

/// Sends the rest of the layer and closes the upload.
fn finish(registry: &Registry, location: &str, layer: &[u8], offset: usize) {
    let mut location = location.to_owned();
    if offset < layer.len() {
        let range = format!("{offset}-{}", layer.len() - 1);
        let rest = layer[offset..].to_vec();
        let answer = registry.send(Method::PATCH, &location, &[("Content-Range", &range)], rest);
        assert_eq!(answer.status(), 202, "{}", answer.text().unwrap());
        location = path_of(&answer);
    }
    let digest = sha256(layer);
    let separator = if location.contains('?') { '&' } else { '?' };
    let answer =
        registry.send(Method::PUT, &format!("{location}{separator}digest={digest}"), &[], Vec::new());
    assert_eq!(answer.status(), 201, "{}", answer.text().unwrap());
    let blob = registry.send(Method::GET, &format!("/v2/team/app/blobs/{digest}"), &[], Vec::new());
    assert_eq!(sha256(&blob.bytes().unwrap()), digest);
}
