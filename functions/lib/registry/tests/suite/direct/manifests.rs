//! A manifest names blobs that nobody has told the registry of: it looks for them itself.

use registry::records::SuspectRecord;
use serde_json::Value;

use super::{change_upload, send_blobs, world};
use crate::client::{Client, Reply, blob, manifest};
use crate::content::{Content, Image};
use crate::world::World;

/// Fails unless the whole image can be pulled.
async fn assert_pulls(world: &World, client: &Client, repository: &str, image: &Image) {
    let reply = client.get(&manifest(repository, &image.manifest.digest)).await.expect(200);
    assert_eq!(reply.body, image.manifest.bytes);
    for content in [&image.config, &image.layer] {
        assert_eq!(world.read_blob(client, repository, &content.digest).await, content.bytes);
    }
    world.fsck().await;
}

/// Fails unless exactly these blobs are named as missing.
#[track_caller]
fn assert_missing(reply: Reply, contents: &[&Content]) {
    let body: Value = serde_json::from_slice(&reply.expect(400).body).unwrap();
    let missing: Vec<(&str, &str)> = body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["code"].as_str().unwrap(), error["detail"]["digest"].as_str().unwrap()))
        .collect();
    let expected: Vec<_> =
        contents.iter().map(|content| ("MANIFEST_BLOB_UNKNOWN", content.digest.as_str())).collect();
    assert_eq!(missing, expected);
}

#[tokio::test]
async fn config_and_layer_are_taken_over_without_any_event() {
    let ((world, client), image) = (world(), Image::named("app"));
    send_blobs(&world, &client, "app", &image).await;
    client.put_manifest("app", "v1", &image.manifest).await.expect(201);
    assert_pulls(&world, &client, "app", &image).await;
    assert_eq!(world.garbage().await, <[String; 0]>::default());
}

#[tokio::test]
async fn an_event_may_come_before_after_twice_or_never() {
    for (before, after) in [(0, 0), (1, 0), (0, 1), (2, 0), (0, 2), (1, 1)] {
        let ((world, client), image) = (world(), Image::named("app"));
        let ids = send_blobs(&world, &client, "app", &image).await;
        for id in ids.iter().cycle().take(ids.len() * before) {
            world.client().adopt(id).await.unwrap();
        }
        client.put_manifest("app", "v1", &image.manifest).await.expect(201);
        for id in ids.iter().cycle().take(ids.len() * after) {
            assert_eq!(world.client().adopt(id).await.unwrap(), None);
        }
        assert_pulls(&world, &client, "app", &image).await;
        assert_eq!(world.stored().await["object"], 2);
    }
}

#[tokio::test]
async fn bytes_of_another_digest_are_not_what_is_named_and_nothing_is_lost() {
    let ((world, client), image) = (world(), Image::named("app"));
    let wrong = Content::blob("not the layer");
    world.send_direct(&client, "app", &image.config).await;
    world.send_direct(&client, "app", &wrong).await;
    assert_missing(client.put_manifest("app", "v1", &image.manifest).await, &[&image.layer]);
    client.get(&manifest("app", "v1")).await.expect(404);
    client.head(&blob("app", &image.layer.digest)).await.expect(404);
    assert_eq!(world.read_blob(&client, "app", &wrong.digest).await, wrong.bytes);
    assert_eq!(world.read_blob(&client, "app", &image.config.digest).await, image.config.bytes);
    world.send_direct(&client, "app", &image.layer).await;
    client.put_manifest("app", "v1", &image.manifest).await.expect(201);
    assert_pulls(&world, &client, "app", &image).await;
}

#[tokio::test]
async fn what_has_not_arrived_is_missing_and_can_be_sent_still() {
    let ((world, client), image) = (world(), Image::named("app"));
    world.send_direct(&client, "app", &image.config).await;
    let late = crate::client::upload_id(&client.begin("app").await);
    assert_missing(client.put_manifest("app", "v1", &image.manifest).await, &[&image.layer]);
    world.objects.receive(late, image.layer.bytes.clone());
    client.put_manifest("app", "v1", &image.manifest).await.expect(201);
    assert_pulls(&world, &client, "app", &image).await;
}

#[tokio::test]
async fn what_has_not_arrived_leaves_nothing_but_its_session() {
    let ((world, client), image) = (world(), Image::named("app"));
    send_blobs(&world, &client, "app", &image).await;
    for _ in 0..3 {
        client.begin("app").await;
    }
    client.put_manifest("app", "v1", &image.manifest).await.expect(201);
    let other = Image::named("other");
    assert_missing(client.put_manifest("app", "v2", &other.manifest).await, &[&other.config, &other.layer]);
    let items = world.all_items().await;
    let is_copy = |suspect: &&SuspectRecord| matches!(suspect, SuspectRecord::Adoption { .. });
    let copies: Vec<_> = items.iter().filter_map(|item| item.record.as_suspect()).filter(is_copy).collect();
    assert!(copies.is_empty(), "{copies:#?}");
    assert_eq!(world.stored().await["open_upload"], 3);
}

#[tokio::test]
async fn uploads_of_another_repository_are_not_taken_over_here_or_there() {
    let ((world, client), image) = (world(), Image::named("app"));
    send_blobs(&world, &client, "other", &image).await;
    let reply = client.put_manifest("app", "v1", &image.manifest).await;
    assert_missing(reply, &[&image.config, &image.layer]);
    client.head(&blob("other", &image.layer.digest)).await.expect(404);
    client.put_manifest("other", "v1", &image.manifest).await.expect(201);
    client.head(&blob("app", &image.layer.digest)).await.expect(404);
    world.fsck().await;
}

#[tokio::test]
async fn uploads_of_another_principal_are_left_to_them() {
    let ((world, client), image) = (world(), Image::named("app"));
    let [config, layer] = send_blobs(&world, &client, "app", &image).await;
    change_upload(&world, &layer, |upload| upload.principal = "somebody else".to_owned()).await;
    assert_missing(client.put_manifest("app", "v1", &image.manifest).await, &[&image.layer]);
    assert_eq!(client.adopt(&config).await.unwrap(), None, "this one was one's own");
    assert!(client.adopt(&layer).await.unwrap().is_some(), "theirs waits for its event");
    world.fsck().await;
}

#[tokio::test]
async fn more_open_uploads_than_one_page_are_all_looked_at() {
    let ((world, client), image) = (world(), Image::named("app"));
    for _ in 0..250 {
        client.begin("app").await;
    }
    for _ in 0..3 {
        send_blobs(&world, &client, "app", &image).await;
    }
    client.put_manifest("app", "v1", &image.manifest).await.expect(201);
    assert_pulls(&world, &client, "app", &image).await;
    assert_eq!(world.stored().await["open_upload"], 250, "those of which nothing has come stay open");
}

#[tokio::test]
async fn a_manifest_whose_blobs_are_there_looks_at_no_upload() {
    let ((world, client), image) = (world(), Image::named("app"));
    client.push_blob("app", &image.config).await.expect(201);
    client.push_blob("app", &image.layer).await.expect(201);
    let waiting = world.send_direct(&client, "app", &Content::blob("another layer")).await;
    client.put_manifest("app", "v1", &image.manifest).await.expect(201);
    assert!(client.adopt(&waiting).await.unwrap().is_some(), "it was still to be taken over");
}

#[tokio::test]
async fn without_copies_what_is_missing_is_missing() {
    let (world, image) = (World::new(), Image::named("app"));
    let client = world.client().by_edge();
    send_blobs(&world, &client, "app", &image).await;
    let reply = client.put_manifest("app", "v1", &image.manifest).await;
    assert_missing(reply, &[&image.config, &image.layer]);
}
