//! Real clients against the deployed topology: what works, and what fails with which message, by client, way in and
//! size of the layer. The tables in `docs/clients.md` are made from the same one. Clients are logged in by the
//! stand-ins here; `accounts` has the logins.

mod capability;
mod counted;
mod huge;
mod tokens;

use std::fmt::Write as _;
use std::path::Path;

use cloud::{Cloud, CloudOptions, Credential, Programs};
use test_support::require;

use crate::containers::Containers;
use crate::contract::Client;
use crate::ctr::Containerd;
use crate::docker::Docker;
use crate::images::{CLOUD_IMAGES, HUGE};
use crate::oci_client::OciClient;
use crate::oras::Oras;
use crate::page;
use crate::podman::Podman;
use crate::skopeo::Skopeo;
use crate::tool::Failure;

/// How a client sends a layer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    /// One PUT of known length.
    Put,
    /// One PATCH after the other, of 4 MiB each.
    Chunks,
    /// One PATCH of known length.
    Patch,
    /// One PATCH of a length that nobody knows.
    Stream,
}

/// The way to the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Edge,
    EdgeAndRelay,
    Api,
}

const WAYS: [Way; 3] = [Way::Edge, Way::EdgeAndRelay, Way::Api];

impl Way {
    /// Returns what the page calls it.
    fn name(self) -> &'static str {
        match self {
            Way::Edge => "the edge (as deployed by default)",
            Way::EdgeAndRelay => "the edge with the relay",
            Way::Api => "the API without the edge",
        }
    }
}

/// What the page calls a client, and how it sends a layer.
type Row = (&'static str, Family);

const CONTAINERD: Row = ("containerd (`ctr`)", Family::Put);
const ORAS: Row = ("oras (Python)", Family::Put);
const OCI_CLIENT: Row = ("oci-client (Rust)", Family::Chunks);
const SKOPEO: Row = ("skopeo, from an OCI layout", Family::Patch);
const DOCKER: Row = ("docker, classic image store", Family::Stream);
const PODMAN: Row = ("podman", Family::Stream);

const CLIENTS: [Row; 6] = [CONTAINERD, ORAS, OCI_CLIENT, SKOPEO, DOCKER, PODMAN];

/// What the edge says to a layer that is too large for a function.
const EDGE_SAYS: &str = "this registry takes layers above 4 MiB";

/// What API Gateway says.
const GATEWAY_SAYS: &str = "Too Large";

/// A body of this many bytes still fits into the event of a function.
const FUNCTION_BYTES: usize = 4_400_000;

/// The edge sends known lengths up to here to the API.
const INLINE_BYTES: usize = 4 << 20;

/// Returns what a push is refused with, if it is.
fn refusal(family: Family, way: Way, layer_bytes: usize) -> Option<&'static str> {
    match (family, way) {
        (Family::Chunks, _) | (_, Way::EdgeAndRelay) | (Family::Put, Way::Edge) => None,
        (Family::Patch, Way::Edge) => (layer_bytes > INLINE_BYTES).then_some(EDGE_SAYS),
        (Family::Stream, Way::Edge) | (_, Way::Api) => (layer_bytes > FUNCTION_BYTES).then_some(GATEWAY_SAYS),
    }
}

fn start(test: &str, way: Way) -> Option<Cloud> {
    let options = CloudOptions {
        has_edge: way != Way::Api,
        has_relay: way == Way::EdgeAndRelay,
        credential: Credential::Injected,
        ..CloudOptions::default()
    };
    deploy(test, &options)
}

/// Starts the cloud, or prints why not.
pub(crate) fn deploy(test: &str, options: &CloudOptions) -> Option<Cloud> {
    let built = Path::new(env!("CARGO_BIN_EXE_slipway")).parent().unwrap();
    let programs = match Programs::find(built) {
        Ok(programs) => programs,
        Err(missing) => {
            require::skip(test, missing.feature, &missing.reason);
            return None;
        }
    };
    Some(Cloud::start(&programs, options).unwrap())
}

/// Pushes a layer of each size by each way; what is taken comes back the same, what is refused leaves nothing.
fn pushes_what_the_table_says<C: Client>(test: &str, row: Row) {
    let Some(mut client) = C::start(test) else { return };
    for way in WAYS {
        let Some(cloud) = start(test, way) else { return };
        for (image, layer_bytes) in &CLOUD_IMAGES {
            let loaded = client.load(image);
            pushes_one(&client, &cloud, (row, way), (image, *layer_bytes), &loaded);
        }
        assert_bytes_went_their_way(&cloud, row.1, way, &CLOUD_IMAGES.map(|(_, bytes)| bytes));
        assert_nothing_is_broken(&cloud);
    }
}

/// Pushes the image that is `loaded`, and pulls it again unless it is refused. The page says the same of it.
fn pushes_one(
    client: &impl Client,
    cloud: &Cloud,
    ((name, family), way): (Row, Way),
    (image, layer_bytes): (&str, usize),
    loaded: &str,
) {
    let reference = format!("{}/sizes/{}:1", cloud.address(), image.to_lowercase());
    let expected = refusal(family, way, layer_bytes);
    let seen = match client.push(image, &reference) {
        Ok(()) => {
            assert_eq!(client.pull(&reference).unwrap(), loaded, "{image} by {way:?}");
            None
        }
        Err(Failure(said)) => {
            match [EDGE_SAYS, GATEWAY_SAYS].into_iter().find(|message| said.contains(message)) {
                // It saw no message, which says nothing about the one that there was.
                None if is_cut(&said) && expected.is_some() => expected,
                None => panic!("{image} by {way:?} fails: {said}"),
                message => message,
            }
        }
    };
    assert_eq!(seen, expected, "{image} by {way:?}");
    page::observed(way.name(), name, &size(layer_bytes), cell(seen));
}

fn assert_nothing_is_broken(cloud: &Cloud) {
    let report = cloud.fsck().unwrap();
    let broken = report["findings"].as_array().unwrap().iter().filter(|one| one["severity"] == "broken");
    assert_eq!(broken.count(), 0, "{report:#}");
}

/// Whether the client was still sending when the refusal came, and only saw the connection end.
fn is_cut(said: &str) -> bool {
    ["broken pipe", "Broken pipe", "connection reset", "Connection reset", "Connection aborted"]
        .iter()
        .any(|word| said.contains(word))
}

/// Layers that go past the functions, or are refused before them, are not seen by them: configurations and manifests
/// are a few kilobytes.
fn assert_bytes_went_their_way(cloud: &Cloud, family: Family, way: Way, layers: &[usize]) {
    let through_functions = cloud.function("ApiWriteFunction").bytes().request;
    let seen: usize = layers.iter().filter(|bytes| is_seen_by_functions(family, way, **bytes)).sum();
    let expected = seen as u64..seen as u64 * 3 / 2 + 100_000;
    assert!(
        expected.contains(&through_functions),
        "{through_functions} bytes passed the functions, not {seen}"
    );
    let read = cloud.function("ApiReadFunction").bytes().response;
    assert!(read < 1_000_000, "{read} bytes were read through the functions: blobs come from the bucket");
    if let Some(violations) = cloud.edge_counts().unwrap()["guardViolations"].as_array() {
        assert!(violations.is_empty(), "S3 would refuse {violations:?}");
    }
}

/// Returns whether the bytes of such a layer pass a function.
fn is_seen_by_functions(family: Family, way: Way, layer_bytes: usize) -> bool {
    match (family, way) {
        (_, Way::EdgeAndRelay) | (Family::Put, Way::Edge) => false,
        _ => refusal(family, way, layer_bytes).is_none(),
    }
}

#[test]
fn containerd_pushes_what_the_table_says() {
    pushes_what_the_table_says::<Containerd>("cloud::containerd", CONTAINERD);
}

#[test]
fn oras_pushes_what_the_table_says() {
    pushes_what_the_table_says::<Oras>("cloud::oras", ORAS);
}

#[test]
fn the_oci_client_pushes_what_the_table_says() {
    pushes_what_the_table_says::<OciClient>("cloud::oci_client", OCI_CLIENT);
}

#[test]
fn skopeo_pushes_what_the_table_says() {
    pushes_what_the_table_says::<Skopeo>("cloud::skopeo", SKOPEO);
}

#[test]
fn docker_pushes_what_the_table_says() {
    pushes_what_the_table_says::<Docker>("cloud::docker", DOCKER);
}

#[test]
fn podman_pushes_what_the_table_says() {
    pushes_what_the_table_says::<Containers<Podman>>("cloud::podman", PODMAN);
}

#[test]
fn a_registry_that_remembers_nothing_between_requests_works_all_the_same() {
    let test = "cloud::forgetful";
    let Some(mut client) = Skopeo::start(test) else { return };
    let Some(cloud) = start(test, Way::Edge) else { return };
    for name in ["ApiReadFunction", "ApiWriteFunction", "EventsFunction"] {
        cloud.function(name).restart_always(true);
    }
    let loaded = client.load("MB1");
    let reference = format!("{}/team/app:1", cloud.address());
    client.push("MB1", &reference).unwrap();
    assert_eq!(client.pull(&reference).unwrap(), loaded);
    let function = cloud.function("ApiWriteFunction");
    assert!(function.processes_started() >= function.invocations());
}

#[test]
fn a_push_is_told_on_the_event_bus_and_leaves_the_outbox() {
    let test = "cloud::bus";
    let Some(mut client) = Skopeo::start(test) else { return };
    let Some(cloud) = start(test, Way::Edge) else { return };
    client.load("MB1");
    client.push("MB1", &format!("{}/team/app:1", cloud.address())).unwrap();
    let told = (0..300).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        cloud.bus_entries().first().cloned()
    });
    let told = told.expect("an event");
    assert_eq!((&told["Source"], &told["DetailType"]), (&"slipway".into(), &"Manifest Pushed".into()));
    assert!(told["Detail"].as_str().unwrap().contains("team/app"), "{told}");
}

/// Returns the page's tables, with cells that were observed: `of` has them by way, client and size.
///
/// What few runs try, the layer of 1 GiB, is as [`refusal`] has it.
pub(crate) fn table(of: impl Fn(&str, &str, &str) -> String) -> String {
    let mut table = String::new();
    let sizes: Vec<String> = CLOUD_IMAGES.iter().chain([&HUGE]).map(|(_, bytes)| size(*bytes)).collect();
    for way in WAYS {
        let rule = "---|".repeat(sizes.len() + 1);
        writeln!(table, "Through {}:\n\n| client | {} |\n|{rule}", way.name(), sizes.join(" | ")).unwrap();
        for (client, family) in CLIENTS {
            let observed = CLOUD_IMAGES.map(|(_, bytes)| of(way.name(), client, &size(bytes)));
            let huge = cell(refusal(family, way, HUGE.1));
            writeln!(table, "| {client} | {} | {huge} |", observed.join(" | ")).unwrap();
        }
        table.push('\n');
    }
    table
}

fn cell(refusal: Option<&str>) -> &'static str {
    match refusal {
        None => "works",
        Some(EDGE_SAYS) => "refused, with the remedy",
        Some(_) => "413 of API Gateway",
    }
}

fn size(bytes: usize) -> String {
    if bytes == HUGE.1 { "1 GiB".to_owned() } else { format!("{:.1} MB", bytes as f64 / 1e6) }
}
