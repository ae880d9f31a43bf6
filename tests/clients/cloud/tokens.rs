//! The longest session tokens that were seen, in URLs with real clients. (Every other cloud has one of the usual length.)

use cloud::{CloudOptions, Credential, session_token};
use reqwest::blocking::Client as Http;
use test_support::content::{noise, sha256};

use super::{Family, Way, assert_bytes_went_their_way, assert_nothing_is_broken, deploy};
use crate::contract::Client;
use crate::ctr::Containerd;
use crate::images::CLOUD_IMAGES;
use crate::oras::Oras;

fn options(chars: usize) -> CloudOptions {
    let credential = Credential::Injected;
    CloudOptions { session_token: session_token(chars), credential, ..CloudOptions::default() }
}

fn pushes_and_pulls<C: Client>(test: &str) {
    let Some(mut client) = C::start(test) else { return };
    let Some(cloud) = deploy(test, &options(5_753)) else { return };
    let (image, layer_bytes) = CLOUD_IMAGES[2];
    let loaded = client.load(image);
    let reference = format!("{}/team/{}:1", cloud.address(), image.to_lowercase());
    client.push(image, &reference).unwrap();
    assert_eq!(client.pull(&reference).unwrap(), loaded, "{image}");
    assert_bytes_went_their_way(&cloud, Family::Put, Way::Edge, &[layer_bytes]);
    assert_nothing_is_broken(&cloud);
}

#[test]
fn containerd_pushes_and_pulls() {
    pushes_and_pulls::<Containerd>("cloud::tokens::containerd");
}

#[test]
fn oras_pushes_and_pulls() {
    pushes_and_pulls::<Oras>("cloud::tokens::oras");
}

/// A client that sends chunks gives the whole location back, to API Gateway, beside its own token.
#[test]
fn a_chunk_gives_a_long_location_back_to_the_gateway() {
    let Some(cloud) = deploy("cloud::tokens::chunks", &options(5_753)) else { return };
    let (http, layer) = (Http::builder().no_proxy().build().unwrap(), noise(1, 1000));
    let url = |path: &str| format!("http://{}{path}", cloud.address());
    let begun = http.post(url("/v2/team/app/blobs/uploads/")).send().unwrap();
    let location = begun.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.len() > 6_000, "{location}");
    let bearer = format!("a-token {}", "x".repeat(1_200));
    let patch =
        http.patch(url(&location)).header("x-like-a-token", bearer).body(layer.clone()).send().unwrap();
    assert_eq!(patch.status(), 202);
    let end = http.put(url(&format!("{location}&digest={}", sha256(&layer)))).send().unwrap();
    assert_eq!(end.status(), 201);
    let much = "x".repeat(10_240 - location.len());
    let refused = http.patch(url(&location)).header("x-too-much", much).body(layer).send().unwrap();
    assert_eq!(refused.status(), 431, "the gateway says that it is too long");
}
