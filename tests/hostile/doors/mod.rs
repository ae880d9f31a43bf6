//! The ways past the functions: uploads to S3 through the edge, downloads from S3, and the events in between.
//!
//! Each test has a cloud of its own, with the edge; without the programs that needs, it is skipped.

mod addresses;
mod downloads;
mod events;
mod principals;
mod signatures;
mod uploads;

use std::path::Path;
use std::time::Duration;

use cloud::{Cloud, CloudOptions, Delivery, Programs};
use serde_json::{Value, json};
use test_support::content::sha256;
use test_support::require;

use crate::client::{Outcome, Reply, ask};
use crate::request::{AUTHORIZATION, Request};
use crate::words::Words;

/// How often something that comes by itself is looked for, ten times a second.
const LOOKS: usize = 300;

/// A deployment with its edge.
struct Door {
    cloud: Cloud,
    words: Words,
}

/// An upload that the edge was offered.
struct Offer {
    /// The URL's path.
    path: String,
    /// What signs it.
    query: String,
}

impl Door {
    /// Starts a deployment in which no event of the bucket arrives, or prints why `test` is skipped.
    fn open(test: &str) -> Option<Self> {
        Self::open_with(test, Delivery::Dropped, false)
    }

    fn open_with(test: &str, delivery: Delivery, is_forgetful: bool) -> Option<Self> {
        Self::deployed(test, delivery, &CloudOptions { is_forgetful, ..CloudOptions::default() })
    }

    fn deployed(test: &str, delivery: Delivery, options: &CloudOptions) -> Option<Self> {
        let built = Path::new(env!("CARGO_BIN_EXE_slipway")).parent().unwrap();
        let programs = match Programs::find(built) {
            Ok(programs) => programs,
            Err(missing) => {
                require::skip(test, missing.feature, &missing.reason);
                return None;
            }
        };
        let cloud = Cloud::start(&programs, options).unwrap();
        cloud.s3().deliver(delivery);
        let mut words = Words::default();
        words.set("host", &cloud.address());
        words.set(AUTHORIZATION, &cloud.authorization().unwrap());
        Some(Self { cloud, words })
    }

    /// Opens an upload in a repository.
    fn begin(&self, repository: &str) -> Offer {
        let begin = Request::new(format!("POST /v2/{repository}/blobs/uploads/"));
        let reply = self.ask(&begin);
        let (path, query) = reply.header("Location").unwrap().split_once('?').expect("a direct upload");
        Offer { path: path.to_owned(), query: query.to_owned() }
    }

    /// Sends a request to the edge.
    fn ask(&self, request: &Request) -> Reply {
        reply(ask(request, &self.words, false))
    }

    fn status(&self, line: &str) -> u16 {
        self.ask(&Request::new(line)).status
    }

    /// Sends bytes to an upload, as the bytes of `digest`, and returns the status.
    fn put(&self, offer: &Offer, digest: &str, bytes: &[u8]) -> u16 {
        let line = format!("PUT {}?{}&digest={digest}", offer.path, offer.query);
        self.ask(&Request::new(line).with_body(bytes)).status
    }

    /// Sends a request to S3 itself, by a whole URL.
    fn ask_s3(&self, method: &str, url: &str, body: &[u8]) -> Reply {
        let address = self.cloud.s3().address().to_string();
        let path = url.trim_start_matches(&self.cloud.s3().endpoint());
        let mut words = Words::default();
        words.set("host", &address);
        let outcome = ask(&Request::new(format!("{method} {path}")).with_body(body), &words, false);
        reply(outcome)
    }

    /// Makes up for lost events, as the clock does; returns how many uploads became blobs.
    fn adopt(&self) -> u64 {
        let outcome = self.cloud.invoke("ScheduledFunction", &json!({ "job": "adopt" })).unwrap();
        assert_eq!(outcome["failed"], 0, "{outcome}");
        outcome["adopted"].as_u64().unwrap()
    }

    /// Pushes a manifest that needs `layer`, which is its config too, and returns status and body.
    fn push_manifest(&self, repository: &str, layer: &str, size_bytes: usize) -> (u16, String) {
        let descriptor = json!({ "mediaType": "application/x-layer", "digest": layer, "size": size_bytes });
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type, "config": descriptor, "layers": [descriptor],
        });
        let put = Request::new(format!("PUT /v2/{repository}/manifests/v1"));
        let put = put.with_header(format!("Content-Type: {media_type}")).with_body(manifest.to_string());
        let reply = self.ask(&put);
        (reply.status, String::from_utf8_lossy(&reply.body).into_owned())
    }

    /// Returns the bytes of a blob, or the status that there is in place of them.
    fn pull(&self, repository: &str, digest: &str) -> Result<Vec<u8>, u16> {
        let reply = self.ask(&Request::new(format!("GET /v2/{repository}/blobs/{digest}")));
        if reply.status == 200 { Ok(reply.body) } else { Err(reply.status) }
    }

    /// Waits until something is so that comes by itself.
    fn wait_until(&self, what: &str, is_so: impl Fn(&Cloud) -> bool) {
        let is_so = (0..LOOKS).any(|_| {
            let so = is_so(&self.cloud);
            if !so {
                std::thread::sleep(Duration::from_millis(100));
            }
            so
        });
        assert!(is_so, "{what}");
    }

    /// Checks that nothing has failed and no promise is broken; returns how many items of `kind` there are.
    fn close(self, kind: &str) -> u64 {
        let report = self.cloud.fsck().unwrap();
        let findings = report["findings"].as_array().unwrap();
        let broken: Vec<&Value> = findings.iter().filter(|one| one["severity"] == "broken").collect();
        assert!(broken.is_empty(), "{broken:#?}");
        assert!(self.cloud.failures().is_empty(), "{:?}", self.cloud.failures());
        let faults = &self.cloud.edge_counts().unwrap()["functionFaults"];
        assert_eq!(faults, &json!([]), "faults of the edge's function");
        report["counts"][kind].as_u64().unwrap_or_default()
    }
}

fn reply(outcome: Outcome) -> Reply {
    match outcome {
        Outcome::Reply(reply) => reply,
        Outcome::Closed => panic!("closed without an answer"),
        Outcome::Silence => panic!("no answer in time"),
    }
}

/// Returns bytes and their digest.
fn blob(text: &str) -> (Vec<u8>, String) {
    (text.as_bytes().to_vec(), sha256(text.as_bytes()))
}
