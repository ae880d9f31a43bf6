//! Faults whose harm shows only in what the client does next.

use registry::ports::StoreErrorKind;

use crate::client::{Client, blob, committing, manifest};
use crate::content::Content;
use crate::probe::Fault;
use crate::world::World;

/// Begins an upload of these bytes whose commit fails at its very last call, and returns its location.
async fn commit_refused(world: &World, client: &Client, chunk: &str, last_chunk: &str) -> String {
    let location = client.begin("app").await;
    client.patch(&location, chunk.to_owned()).await.expect(202);
    let whole = Content::blob([chunk, last_chunk].concat());
    let commit_calls = {
        let rehearsal = World::new();
        let client = rehearsal.client();
        let location = client.begin("app").await;
        client.patch(&location, chunk.to_owned()).await.expect(202);
        rehearsal.probe.reset();
        client.put(&committing(&location, &whole.digest), last_chunk.to_owned()).await.expect(201);
        rehearsal.probe.calls().len()
    };
    world.probe.plan(commit_calls - 1, Fault::Refused(StoreErrorKind::Throttled));
    client.put(&committing(&location, &whole.digest), last_chunk.to_owned()).await.expect(429);
    world.probe.reset();
    location
}

/// Fails unless the blob, if the repository has it, has its own bytes.
async fn assert_honest(world: &World, client: &Client, content: &Content) {
    let reply = client.get(&blob("app", &content.digest)).await;
    assert!(reply.status.as_u16() == 404 || reply.body == content.bytes, "{reply:#?}");
    world.fsck().await;
}

#[tokio::test]
async fn an_upload_that_goes_on_after_a_refused_commit_gets_no_wrong_bytes() {
    let world = World::new();
    let client = world.client();
    let location = commit_refused(&world, &client, "ab", "").await;
    client.patch(&location, "cd").await;
    let longer = Content::blob("abcd");
    client.put(&committing(&location, &longer.digest), "").await;
    assert_honest(&world, &client, &longer).await;
}

#[tokio::test]
async fn another_last_chunk_after_a_refused_commit_gets_no_wrong_bytes() {
    let world = World::new();
    let client = world.client();
    let location = commit_refused(&world, &client, "ab", "c").await;
    let other = Content::blob("abd");
    client.put(&committing(&location, &other.digest), "d").await;
    assert_honest(&world, &client, &other).await;
}

/// A deletion dies at some call; an index that is pushed then dies too, and leaves its edge; the deletion is repeated.
async fn deleted_in_two_goes(tags: usize, layers: usize, dies_at: usize) -> u16 {
    let world = World::new();
    let (client, config) = (world.client(), Content::blob("{}"));
    let layers: Vec<Content> = (0..layers).map(|number| Content::blob(format!("layer {number}"))).collect();
    for blob in layers.iter().chain([&config]) {
        client.push_blob("app", blob).await.expect(201);
    }
    let image = Content::image(&config, &layers.iter().collect::<Vec<_>>());
    for number in 0..tags {
        client.put_manifest("app", &format!("v{number}"), &image).await.expect(201);
    }
    let path = manifest("app", &image.digest);
    world.probe.plan(dies_at, Fault::Killed);
    let died = client.delete(&path).await.status.as_u16();
    world.probe.plan(1, Fault::Killed);
    world.client().put_manifest("app", "all", &Content::index(&[&image])).await.expect(503);
    world.probe.reset();
    let deleted = world.client().delete(&path).await;
    world.fsck().await;
    let is_there = world.client().get(&path).await.status.as_u16() == 200;
    assert_eq!(is_there, deleted.status.as_u16() == 405, "{deleted:#?}");
    died
}

#[tokio::test]
async fn a_deletion_taken_up_again_brings_no_half_deleted_manifest_back() {
    for (tags, layers) in [(1, 1), (24, 1), (80, 1), (1, 60), (24, 60)] {
        let mut dies_at = 0;
        while deleted_in_two_goes(tags, layers, dies_at).await == 503 {
            dies_at += 1;
        }
        assert!(dies_at >= 4, "a deletion makes at least as many calls");
    }
}
