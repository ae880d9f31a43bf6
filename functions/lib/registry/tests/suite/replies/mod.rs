//! Whole answers, byte for byte, and what they leave in storage.

mod blobs;
mod deletes;
mod lists;
mod manifests;
mod uploads;

use std::collections::BTreeMap;

use crate::client::{Client, Reply};
use crate::content::{Content, Image};
use crate::world::World;

/// What a client is advised when an upload begins.
const CHUNK_MIN: (&str, &str) = ("oci-chunk-min-length", "1048576");

/// Fails unless the answer is this: status, the headers beside those that every answer has, body.
#[track_caller]
fn assert_reply(reply: &Reply, status: u16, headers: &[(&str, &str)], body: &str) {
    let mut lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    lines.sort();
    assert_eq!(reply.own_text(), format!("{status}\n{}\n{body}", lines.concat()));
}

/// Fails unless the answer is this error.
#[track_caller]
fn assert_error(reply: &Reply, status: u16, headers: &[(&str, &str)], code: &str, message: &str) {
    let body = format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#);
    let headers: Vec<_> = headers.iter().copied().chain([("content-type", "application/json")]).collect();
    assert_reply(reply, status, &headers, &body);
}

fn stored(counts: &[(&'static str, u64)]) -> BTreeMap<&'static str, u64> {
    counts.iter().copied().collect()
}

async fn pushed() -> (World, Client, Image) {
    let (world, image) = (World::new(), Image::named("app"));
    let client = world.client();
    client.push_image("app", "v1", &image).await.expect(201);
    (world, client, image)
}

fn etag(content: &Content) -> String {
    format!("\"{}\"", content.digest)
}
