//! A client that goes away in the middle of a body, which no HTTP library does on purpose.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use test_support::require;

use crate::client::Registry;

/// Sends a PATCH to `location` that announces `announced_bytes` and ends after `sent`, and waits until the
/// registry has noticed; returns `false` where the registry speaks TLS, which this client does not.
#[must_use]
pub(crate) fn broken_off_patch(
    registry: &Registry,
    location: &str,
    announced_bytes: usize,
    sent: &[u8],
) -> bool {
    let Some(host) = registry.base().strip_prefix("http://") else {
        require::skip("broken_off_patch", "plain-http", "the registry is reached over TLS");
        return false;
    };
    let target = location.strip_prefix(registry.base()).unwrap_or(location);
    let mut socket = TcpStream::connect(host).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(socket, "PATCH {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {announced_bytes}\r\n\r\n")
        .unwrap();
    socket.write_all(sent).unwrap();
    socket.shutdown(Shutdown::Write).unwrap();
    // The registry closes its side when it is done with the request; whether it answers first is its affair.
    let _answer = socket.read_to_end(&mut Vec::new());
    true
}
