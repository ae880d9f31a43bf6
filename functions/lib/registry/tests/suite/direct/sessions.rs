//! A session that was offered directly is one like any other, until its bytes have come past the registry.

use std::time::Duration;

use registry::testing::Call::ObjectDelete;

use super::{send_blobs, world};
use crate::client::{Client, blob, committing, upload_id};
use crate::content::{Content, Image};
use crate::world::World;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Fails if the upload is taken over by an event or by a manifest that needs the layer.
async fn assert_left_alone(world: &World, client: &Client, location: &str, image: &Image) {
    client.push_blob("app", &image.config).await.expect(201);
    assert_eq!(client.adopt(&upload_id(location)).await.unwrap(), None);
    client.put_manifest("app", "v1", &image.manifest).await.expect(400);
    client.head(&blob("app", &image.layer.digest)).await.expect(404);
    world.fsck().await;
}

#[tokio::test]
async fn chunks_are_taken_by_the_registry_where_a_direct_upload_was_offered() {
    let ((world, client), layer) = (world(), Content::blob("layer"));
    let offered = client.begin("app").await;
    let location = client.patch(&offered, "lay").await.expect(202).location();
    client.patch_at(&location, "3-3", "e").await.expect(202);
    client.put(&committing(&location, &layer.digest), "r").await.expect(201);
    assert_eq!(world.read_blob(&client, "app", &layer.digest).await, layer.bytes);
    world.fsck().await;
}

#[tokio::test]
async fn a_whole_put_is_taken_by_the_registry_with_the_signed_query_or_without() {
    for is_signed in [true, false] {
        let ((world, client), layer) = (world(), Content::blob("layer"));
        let offered = client.begin("app").await;
        let location = if is_signed { &offered } else { offered.split('?').next().unwrap() };
        client.put(&committing(location, &layer.digest), layer.bytes.clone()).await.expect(201);
        assert_eq!(world.read_blob(&client, "app", &layer.digest).await, layer.bytes);
        world.fsck().await;
    }
}

#[tokio::test]
async fn an_empty_blob_is_committed_by_an_empty_put() {
    let ((world, client), empty) = (world(), Content::blob(""));
    let location = client.begin("app").await;
    client.put(&committing(&location, &empty.digest), "").await.expect(201);
    assert_eq!(world.read_blob(&client, "app", &empty.digest).await, "");
    world.fsck().await;
}

#[tokio::test]
async fn bytes_at_the_store_are_not_taken_once_the_registry_has_some_itself() {
    let ((world, client), image) = (world(), Image::named("app"));
    let location = client.begin("app").await;
    client.patch(&location, "something").await.expect(202);
    world.objects.receive(upload_id(&location), image.layer.bytes.clone());
    assert_left_alone(&world, &client, &location, &image).await;
    let own = Content::blob("something");
    client.put(&committing(&location, &own.digest), "").await.expect(201);
}

#[tokio::test]
async fn an_empty_chunk_does_not_stand_in_the_way() {
    let ((world, client), layer) = (world(), Content::blob("layer"));
    let location = client.begin("app").await;
    client.patch(&location, "").await.expect(202);
    world.objects.receive(upload_id(&location), layer.bytes.clone());
    assert!(client.adopt(&upload_id(&location)).await.unwrap().is_some());
    world.fsck().await;
}

#[tokio::test]
async fn a_cancelled_upload_is_not_taken_over() {
    let ((world, client), image) = (world(), Image::named("app"));
    let location = client.begin("app").await;
    world.objects.receive(upload_id(&location), image.layer.bytes.clone());
    client.delete(&location).await.expect(204);
    assert_left_alone(&world, &client, &location, &image).await;
}

#[tokio::test]
async fn an_expired_upload_is_not_taken_over() {
    let ((world, client), image) = (world(), Image::named("app"));
    let location = client.begin("app").await;
    world.objects.receive(upload_id(&location), image.layer.bytes.clone());
    world.clock.advance(7 * DAY);
    assert_left_alone(&world, &client, &location, &image).await;
}

#[tokio::test]
async fn until_it_expires_an_upload_is_taken_over() {
    let ((world, client), layer) = (world(), Content::blob("layer"));
    let id = world.send_direct(&client, "app", &layer).await;
    world.clock.advance(7 * DAY - Duration::from_millis(1));
    assert!(client.adopt(&id).await.unwrap().is_some());
}

#[tokio::test]
async fn bytes_that_were_received_do_not_make_an_empty_commit_true() {
    let ((world, client), layer) = (world(), Content::blob("layer"));
    let location = client.begin("app").await;
    world.objects.receive(upload_id(&location), layer.bytes.clone());
    client.put(&committing(&location, &layer.digest), "").await.expect(400);
    assert!(client.adopt(&upload_id(&location)).await.unwrap().is_some(), "the session is still open");
}

/// Does everything that leaves an object which nobody needs; returns how many deletions were asked for.
async fn deletions(world: World) -> usize {
    let client = world.client().by_edge();
    let layer = Content::blob("layer");
    for repository in ["app", "other"] {
        let id = world.send_direct(&client, repository, &layer).await;
        client.adopt(&id).await.unwrap().unwrap();
    }
    client.push_blob("third", &layer).await.expect(201);
    let image = Image::named("app");
    let fields = serde_json::json!({ "annotations": { "long": "x".repeat(400 * 1024) } });
    let large = Content::image_with(&image.config, &[&image.layer], &fields);
    client.put_manifest("app", "large", &large).await.expect(400);
    let [config, _] = send_blobs(&world, &client, "app", &image).await;
    client.adopt(&config).await.unwrap().unwrap();
    world.fsck().await;
    world.probe.calls().iter().filter(|call| **call == ObjectDelete).count()
}

#[tokio::test]
async fn a_process_that_may_not_delete_never_tries() {
    assert_eq!(deletions(World::direct().leaving_garbage()).await, 0);
    assert_eq!(deletions(World::direct()).await, 2, "a copy too many, and a manifest that was withdrawn");
}
