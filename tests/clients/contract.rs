//! What every client must be able to do.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use test_support::server::Server;

use crate::images::{ARTIFACT_TYPE, IMAGES, LARGE_LAYER_BYTES};
use crate::registry::Registry;
use crate::tool::Failure;

/// No request writes this much unless it carries a layer.
const NO_LAYER_BYTES: u64 = 1 << 20;

/// When a server has written this much, the large layer is on its way: the others are smaller.
const LAYER_HAS_BEGUN: u64 = 8 << 20;

/// A client with storage of its own.
///
/// Images are the ones of `IMAGES`, by name; a reference is `<address>/<repository>:<tag>` or `…@<digest>`.
pub(crate) trait Client: Sized + Sync {
    /// Whether the client asks by itself to mount layers that it knows in another repository.
    const MOUNTS: bool;

    /// Returns the client with empty storage; prints that `test` is skipped where it is not installed.
    fn start(test: &str) -> Option<Self>;

    /// Takes `image` into the storage, so that it can be pushed; returns what identifies its content.
    fn load(&mut self, image: &str) -> String;

    /// Pushes `image` to `reference`.
    fn push(&self, image: &str, reference: &str) -> Result<(), Failure>;

    /// Pulls `reference` into clean storage; returns what identifies its content there.
    fn pull(&self, reference: &str) -> Result<String, Failure>;
}

/// A client that pushes an image for several platforms.
pub(crate) trait IndexClient: Client {
    /// Pushes the two small images as one index to `reference`; returns what identifies (amd64, arm64).
    fn push_index(&mut self, reference: &str) -> (String, String);

    /// Pulls what `reference` holds for `architecture` into clean storage.
    fn pull_platform(&self, reference: &str, architecture: &str) -> Result<String, Failure>;
}

/// Turns functions of this module into tests of a client.
macro_rules! client_tests {
    ($client:ty: $($name:ident),+ $(,)?) => {$(
        #[test]
        fn $name() {
            crate::contract::$name::<$client>(concat!(module_path!(), "::", stringify!($name)));
        }
    )+};
}
pub(crate) use client_tests;

pub(crate) fn pushes_and_pulls_back_the_same_image<C: Client>(test: &str) {
    let Some(mut client) = C::start(test) else { return };
    let server = start_server();
    let loaded = client.load("large");
    let reference = format!("{}/team/app:large", server.address());
    client.push("large", &reference).unwrap();
    assert_eq!(client.pull(&reference).unwrap(), loaded);
    Registry::of(&server).assert_whole("team/app", "large");
}

pub(crate) fn sends_no_layer_that_is_already_there<C: Client>(test: &str) {
    let Some(mut client) = C::start(test) else { return };
    let server = start_server();
    let loaded = client.load("small");
    let [first, second] = ["first", "second"].map(|tag| format!("{}/team/app:{tag}", server.address()));
    client.push("small", &first).unwrap();
    let before = bytes_written_by(server.pid());
    client.push("small", &first).unwrap();
    client.push("small", &second).unwrap();
    assert!(bytes_written_by(server.pid()) - before < NO_LAYER_BYTES, "a layer was sent again");

    let registry = Registry::of(&server);
    assert_eq!(registry.tags("team/app"), ["first", "second"]);
    assert_eq!(registry.digest("team/app", "first"), registry.digest("team/app", "second"));
    assert_eq!(client.pull(&second).unwrap(), loaded);
}

pub(crate) fn mounts_layers_into_another_repository<C: Client>(test: &str) {
    let Some(mut client) = C::start(test) else { return };
    let server = start_server();
    let registry = Registry::of(&server);
    let loaded = client.load("small");
    client.push("small", &format!("{}/team/app:1", server.address())).unwrap();
    let before = bytes_written_by(server.pid());
    if !C::MOUNTS {
        registry.mount("team/app", "1", "other/app");
    }
    let reference = format!("{}/other/app:1", server.address());
    client.push("small", &reference).unwrap();
    assert!(bytes_written_by(server.pid()) - before < NO_LAYER_BYTES, "a layer was sent, not mounted");
    assert_eq!(client.pull(&reference).unwrap(), loaded);
    registry.assert_whole("other/app", "1");
}

pub(crate) fn pushes_an_index_and_pulls_back_each_platform<C: IndexClient>(test: &str) {
    let Some(mut client) = C::start(test) else { return };
    let server = start_server();
    let reference = format!("{}/team/app:multi", server.address());
    let (amd64, arm64) = client.push_index(&reference);
    assert_ne!(amd64, arm64);
    assert_eq!(client.pull_platform(&reference, "amd64").unwrap(), amd64);
    assert_eq!(client.pull_platform(&reference, "arm64").unwrap(), arm64);
    let registry = Registry::of(&server);
    assert_eq!(registry.manifest("team/app", "multi")["manifests"].as_array().unwrap().len(), 2);
    registry.assert_whole("team/app", "multi");
}

pub(crate) fn an_artifact_refers_to_what_was_pushed<C: Client>(test: &str) {
    let Some(mut client) = C::start(test) else { return };
    let server = start_server();
    let registry = Registry::of(&server);
    let loaded = client.load("small");
    let reference = format!("{}/team/app:1", server.address());
    client.push("small", &reference).unwrap();
    let subject = registry.digest("team/app", "1");
    assert_eq!(registry.referrers("team/app", &subject), []);
    let artifact = registry.push_referrer("team/app", &subject, ARTIFACT_TYPE);
    assert_eq!(registry.referrers("team/app", &subject), [(artifact, ARTIFACT_TYPE.to_owned())]);
    assert_eq!(client.pull(&reference).unwrap(), loaded);
}

pub(crate) fn finds_nothing_where_a_tag_or_a_manifest_was_deleted<C: Client>(test: &str) {
    let Some(mut client) = C::start(test) else { return };
    let server = start_server();
    let registry = Registry::of(&server);
    let loaded = client.load("small");
    let [first, second] = ["first", "second"].map(|tag| format!("{}/team/app:{tag}", server.address()));
    client.push("small", &first).unwrap();
    client.push("small", &second).unwrap();
    let digest = registry.digest("team/app", "first");

    registry.delete("team/app", "first");
    client.pull(&first).unwrap_err();
    assert_eq!(client.pull(&second).unwrap(), loaded);

    registry.delete("team/app", &digest);
    client.pull(&second).unwrap_err();
    client.push("small", &second).unwrap();
    assert_eq!(client.pull(&second).unwrap(), loaded);
}

pub(crate) fn finishes_a_push_that_a_kill_interrupted<C: Client>(test: &str) {
    finishes_an_interrupted_push::<C>(test, Server::kill);
}

pub(crate) fn finishes_a_push_that_a_shutdown_interrupted<C: Client>(test: &str) {
    finishes_an_interrupted_push::<C>(test, |server| assert!(server.stop(), "SIGTERM is a clean end"));
}

fn finishes_an_interrupted_push<C: Client>(test: &str, end: impl Fn(&mut Server)) {
    let Some(mut client) = C::start(test) else { return };
    let loaded = client.load("large");
    for _ in 0..5 {
        let mut server = start_server();
        let reference = format!("{}/team/app:large", server.address());
        if !push_with_an_interruption(&client, &reference, &mut server, &end) {
            continue;
        }
        assert_eq!(client.pull(&reference).unwrap(), loaded);
        Registry::of(&server).assert_whole("team/app", "large");
        return;
    }
    panic!("the layer was always through before the server could be ended");
}

/// Ends the server within the large layer and starts it again; the client then finishes the push, by trying
/// again itself or because it is asked a second time. Returns false when the layer was quicker.
fn push_with_an_interruption<C: Client>(
    client: &C,
    reference: &str,
    server: &mut Server,
    end: &impl Fn(&mut Server),
) -> bool {
    std::thread::scope(|scope| {
        let push = scope.spawn(|| client.push("large", reference));
        let written = wait_for_layer_bytes(server.pid(), || push.is_finished());
        end(server);
        server.restart();
        let is_within_layer = (LAYER_HAS_BEGUN..LARGE_LAYER_BYTES as u64).contains(&written);
        match push.join().unwrap() {
            Err(_) if is_within_layer => client.push("large", reference).unwrap(),
            finished => finished.unwrap(),
        }
        is_within_layer
    })
}

/// Waits until the process `pid` has written part of a large layer, or `is_over`; returns how much it has written.
pub(crate) fn wait_for_layer_bytes(pid: u32, is_over: impl Fn() -> bool) -> u64 {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let written = bytes_written_by(pid);
        if written >= LAYER_HAS_BEGUN || is_over() {
            return written;
        }
        assert!(Instant::now() < deadline, "no layer arrives; {written} bytes were written");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Returns how many bytes the process has written to files so far.
pub(crate) fn bytes_written_by(pid: u32) -> u64 {
    let counters = fs::read_to_string(format!("/proc/{pid}/io")).unwrap();
    let written = counters.lines().find_map(|line| line.strip_prefix("wchar: "));
    written.unwrap().parse().unwrap()
}

/// Starts an empty registry.
pub(crate) fn start_server() -> Server {
    let _built_before_the_clock_runs = IMAGES.folder();
    Server::start(Path::new(env!("CARGO_BIN_EXE_slipway")))
}
