//! What must be the same after the corpus as before it: what clients see, and what fsck counts.

use std::collections::BTreeMap;

use serde_json::Value;
use test_support::server::Server;

use crate::baseline::call;
use crate::request::Request;
use crate::words::Words;

/// What comes and goes with the upload sessions of the corpus itself.
const TRANSIENT_KINDS: [&str; 3] = ["upload", "open_upload", "suspect"];

/// Everything that a client can see of the baseline.
const VIEWS: [&str; 15] = [
    "GET /v2/_catalog",
    "GET /v2/<name>/tags/list",
    "GET /v2/<other>/tags/list",
    "GET /v2/<name>/manifests/latest",
    "GET /v2/<name>/manifests/v1",
    "GET /v2/<name>/manifests/index",
    "GET /v2/<name>/manifests/<child>",
    "GET /v2/<name>/manifests/<referrer>",
    "GET /v2/<other>/manifests/latest",
    "GET /v2/<name>/referrers/<image>",
    "GET /v2/<name>/referrers/<absent>",
    "GET /v2/<name>/blobs/<config>",
    "GET /v2/<name>/blobs/<layer>",
    "GET /v2/<other>/blobs/<secret>",
    "GET /v2/",
];

/// Returns what a client sees: the body of each view, and how far the open uploads are.
pub(crate) fn seen_by_clients(words: &Words) -> Vec<(String, Vec<u8>)> {
    let bodies = VIEWS.iter().map(|line| ((*line).to_owned(), call(words, &Request::new(*line), 200).body));
    let uploads = ["GET <open>", "GET <foreign>"].iter().map(|line| {
        let reply = call(words, &Request::new(*line), 204);
        ((*line).to_owned(), reply.header("Range").unwrap().as_bytes().to_vec())
    });
    bodies.chain(uploads).collect()
}

/// What fsck says: its exit code, its findings, and how many items of each lasting kind there are.
pub(crate) type Report = (i32, Value, BTreeMap<String, u64>);

/// Checks the stopped `server` with fsck, which reads every stored byte.
pub(crate) fn found_by_fsck(server: &Server) -> Report {
    let (code, stdout, stderr) = server.command(&["fsck", "--deep", "--json"]);
    let report: Value =
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
    let counts = report["counts"].as_object().unwrap().iter();
    let lasting = counts.filter(|(kind, _)| !TRANSIENT_KINDS.contains(&kind.as_str()));
    let counts = lasting.map(|(kind, count)| (kind.clone(), count.as_u64().unwrap())).collect();
    (code, report["findings"].clone(), counts)
}
