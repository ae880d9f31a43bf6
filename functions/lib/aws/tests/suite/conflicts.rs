//! A completion that S3 refuses for good, because it met another write of its object: the client begins anew.

use bytes::Bytes;
use http::Method;
use s3_standin::Fault;

use crate::client::{Client, Reply, assert_sound, digest, image, manifest};
use crate::world::World;

const COMPLETE: &str = "CompleteMultipartUpload";

/// How many completions there may be of one request: those of some seconds, not of all its time.
const FEW: std::ops::RangeInclusive<u64> = 5..=20;

/// Sends a layer of several parts; returns the path of its commit.
async fn sent(client: &Client, layer: &Bytes) -> String {
    let begun = client.post("/v2/app/blobs/uploads/").await.expect(202);
    let patched = client.send(Method::PATCH, begun.location(), layer.clone()).await.expect(202);
    format!("{}?digest={}", patched.location(), digest(layer))
}

async fn commit(world: &World, client: &Client, path: &str) -> Reply {
    world.s3.calls().reset();
    let reply = client.put(path, &Bytes::new()).await;
    let completions = world.s3.calls().count(COMPLETE);
    assert!(FEW.contains(&completions), "{completions} completions");
    reply
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_completion_meets_another_write_for_good_is_over() {
    let world = World::hasty().await;
    let (client, layer) = (Client::new(&world), Bytes::from(vec![7; 6 << 20]));
    let path = sent(&client, &layer).await;
    world.s3.faults().plan_for_good(COMPLETE, Fault::Conflict);
    for _ in 0..2 {
        let refused = commit(&world, &client, &path).await.expect(404);
        assert!(String::from_utf8_lossy(&refused.body).contains("BLOB_UPLOAD_UNKNOWN"), "{refused:?}");
    }
    world.s3.faults().clear();
    let config = Bytes::from("{}");
    client.push_blob(&layer).await;
    client.push_blob(&config).await;
    client.put(&manifest("v1"), &image(&config, &[&layer])).await.expect(201);
    assert_sound(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completion_that_meets_another_write_for_good_is_done_if_the_object_is_there() {
    let world = World::hasty().await;
    let (client, layer) = (Client::new(&world), Bytes::from(vec![7; 6 << 20]));
    let path = sent(&client, &layer).await;
    world.s3.faults().plan(COMPLETE, 1, Fault::AppliedThenLost);
    world.s3.faults().plan_for_good(COMPLETE, Fault::Conflict);
    commit(&world, &client, &path).await.expect(201);
    assert_eq!(client.read_blob(&layer).await, layer);
    assert_sound(&world).await;
}
