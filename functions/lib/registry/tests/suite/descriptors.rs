//! What a manifest says of contents that the registry has is true.

use std::collections::BTreeMap;

use oci::{Algorithm, Digest};
use serde_json::{Value, json};

use crate::client::{Client, manifest};
use crate::content::{Content, Image};
use crate::world::World;

/// Returns the manifest with this in place of what it has there.
fn with(content: &Content, pointer: &str, value: Value) -> Content {
    let mut manifest: Value = serde_json::from_slice(&content.bytes).unwrap();
    *manifest.pointer_mut(pointer).unwrap() = value;
    content.replaced(manifest.to_string())
}

/// Returns how much of what is stored. What a refused push wanted is looked at again, so the queue may have grown.
async fn stored(world: &World) -> BTreeMap<&'static str, u64> {
    let mut stored = world.stored().await;
    stored.remove("suspect");
    stored
}

async fn refuse(client: &Client, lying: &Content, message: &str) {
    let reply = client.put_manifest("app", "other", lying).await.expect(400);
    assert!(reply.text().contains("MANIFEST_INVALID") && reply.text().contains(message), "{reply:?}");
    client.get(&manifest("app", &lying.digest)).await.expect(404);
}

#[tokio::test]
async fn a_manifest_that_lies_about_a_size_is_refused_and_leaves_nothing() {
    let (world, image) = (World::new(), Image::named("a"));
    let client = world.client();
    client.push_image("app", "latest", &image).await;
    let stored = stored(&world).await;
    let size = image.layer.bytes.len();
    for (pointer, content) in [("/config/size", &image.config), ("/layers/0/size", &image.layer)] {
        let message = format!("{} as 1000000 bytes, but it is {} bytes", content.digest, content.bytes.len());
        refuse(&client, &with(&image.manifest, pointer, json!(1_000_000)), &message).await;
    }
    let index = Content::index(&[&image.manifest]);
    let message = format!("but it is {} bytes", image.manifest.bytes.len());
    refuse(&client, &with(&index, "/manifests/0/size", json!(size)), &message).await;
    let docker = "application/vnd.docker.distribution.manifest.v2+json";
    let message = format!("as {docker}, but it is {}", image.manifest.media_type);
    refuse(&client, &with(&index, "/manifests/0/mediaType", json!(docker)), &message).await;
    let twice = Content::index(&[&image.manifest, &image.manifest]);
    let message = format!("manifests[1].mediaType: {docker} for {}", image.manifest.digest);
    refuse(&client, &with(&twice, "/manifests/1/mediaType", json!(docker)), &message).await;
    assert_eq!(self::stored(&world).await, stored);
    client.put_manifest("app", "index", &index).await.expect(201);
    world.fsck().await;
}

#[tokio::test]
async fn of_very_many_missing_digests_a_thousand_are_named() {
    let (world, image) = (World::new(), Image::named("a"));
    let client = world.client();
    client.push_image("app", "latest", &image).await;
    let layers = (0..1200).map(|number: u32| {
        let digest = Digest::of(Algorithm::Sha256, &number.to_be_bytes());
        json!({ "mediaType": "application/octet-stream", "digest": digest.as_str(), "size": 4 })
    });
    let many = with(&image.manifest, "/layers", layers.collect());
    let reply = client.put_manifest("app", "many", &many).await.expect(400);
    let answer: Value = serde_json::from_slice(&reply.body).unwrap();
    let errors = answer["errors"].as_array().unwrap();
    assert!(errors.iter().all(|error| error["code"] == "MANIFEST_BLOB_UNKNOWN"));
    assert_eq!(errors.iter().filter(|error| error["detail"]["digest"].is_string()).count(), 1000);
    assert_eq!(errors.last().unwrap()["message"], "200 more are unknown to repository app");
}
