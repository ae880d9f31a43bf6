//! Plan B with real clients (`Uploads=capability`): the edge checks a capability and signs for S3 itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cloud::{Cloud, CloudOptions, Credential, capability};
use reqwest::blocking::{Client as Http, Response};
use test_support::content::{noise, sha256};

use super::{Family, Way, assert_bytes_went_their_way, deploy};
use crate::contract::Client;
use crate::ctr::Containerd;
use crate::images::CLOUD_IMAGES;
use crate::oras::Oras;

fn start(test: &str) -> Option<Cloud> {
    let credential = Credential::Injected;
    deploy(test, &CloudOptions { has_capability: true, credential, ..CloudOptions::default() })
}

/// Small and large layers go past the functions, and come back the same.
fn pushes_and_pulls<C: Client>(test: &str) {
    let Some(mut client) = C::start(test) else { return };
    let Some(cloud) = start(test) else { return };
    let layers = [CLOUD_IMAGES[0], CLOUD_IMAGES[2], CLOUD_IMAGES[3]];
    for (image, _) in layers {
        let loaded = client.load(image);
        let reference = format!("{}/team/{}:1", cloud.address(), image.to_lowercase());
        client.push(image, &reference).unwrap();
        assert_eq!(client.pull(&reference).unwrap(), loaded, "{image}");
    }
    assert_bytes_went_their_way(&cloud, Family::Put, Way::Edge, &layers.map(|(_, bytes)| bytes));
    let sent = cloud.edge_counts().unwrap()["origins"]["s3"]["bytesUp"].as_u64().unwrap();
    assert!(sent > 106_000_000, "only {sent} bytes went from the edge to S3");
}

#[test]
fn containerd_pushes_and_pulls() {
    pushes_and_pulls::<Containerd>("cloud::capability::containerd");
}

#[test]
fn oras_pushes_and_pulls() {
    pushes_and_pulls::<Oras>("cloud::capability::oras");
}

/// An upload that the registry has offered.
struct Offer {
    address: String,
    path: String,
    query: String,
    id: String,
}

impl Offer {
    fn new(http: &Http, cloud: &Cloud) -> Self {
        let address = cloud.address();
        let begun = http.post(format!("http://{address}/v2/team/app/blobs/uploads/")).send().unwrap();
        let location = begun.headers()["location"].to_str().unwrap().to_owned();
        let (path, query) = location.split_once('?').unwrap();
        let id = path.rsplit_once('/').unwrap().1.to_owned();
        Self { address, path: path.to_owned(), query: query.to_owned(), id }
    }

    /// Sends a layer that no function could take, with `query` in place of the offered one.
    fn put(&self, http: &Http, query: &str, layer: &[u8]) -> Response {
        let url = format!("http://{}{}?{query}&digest={}", self.address, self.path, sha256(layer));
        http.put(url).body(layer.to_vec()).send().unwrap()
    }
}

#[test]
fn a_wrong_or_expired_capability_is_refused() {
    let Some(cloud) = start("cloud::capability::refusals") else { return };
    let http = Http::builder().no_proxy().build().unwrap();
    let layer = noise(1, 5_000_000);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let soon = (now + Duration::from_secs(600)).as_secs();
    let [mine, other] = [Offer::new(&http, &cloud), Offer::new(&http, &cloud)];
    let (expires, cap) = mine.query.split_once("&cap=").unwrap();
    let reversed: String = cap.chars().rev().collect();
    for (what, query) in [
        ("expired", capability::query(&mine.id, now.as_secs() - 1)),
        ("of another upload", other.query.clone()),
        ("prolonged", format!("exp={soon}1&cap={cap}")),
        ("changed", format!("{expires}&cap={reversed}")),
        ("cut", format!("{expires}&cap={}", &cap[..cap.len() - 1])),
        ("absent", format!("{expires}&cap=")),
    ] {
        let refused = mine.put(&http, &query, &layer);
        assert_eq!(refused.status(), 403, "{what}: {query}");
        let said = refused.text().unwrap();
        assert!(said.contains("DENIED"), "{what}: {said}");
    }
    let sent = &cloud.edge_counts().unwrap()["origins"]["s3"]["requests"];
    assert_eq!(sent, 0, "something of this reached S3");

    // The same with time left is taken: the first was refused for its time alone.
    assert_eq!(mine.put(&http, &capability::query(&mine.id, soon), &layer).status(), 201);
    assert_eq!(other.put(&http, &other.query, &layer).status(), 201);
}
