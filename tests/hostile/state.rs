//! What clients must see after the corpus as before it.

use crate::baseline::call;
use crate::request::Request;
use crate::words::Words;

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
