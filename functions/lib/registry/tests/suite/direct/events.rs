//! The store tells that a direct upload has arrived: it becomes a blob, once.

use oci::UploadId;

use super::world;
use crate::client::{blob, committing, upload_id};
use crate::content::Content;
use crate::world::World;

#[tokio::test]
async fn what_arrived_is_a_blob_with_the_digest_and_size_of_its_bytes() {
    let ((world, client), layer) = (world(), Content::blob("layer"));
    let id = world.send_direct(&client, "app", &layer).await;
    client.head(&blob("app", &layer.digest)).await.expect(404);
    let adopted = client.adopt(&id).await.unwrap().unwrap();
    assert_eq!((adopted.digest.to_string(), adopted.size_bytes), (layer.digest.clone(), 5));
    let head = client.head(&blob("app", &layer.digest)).await.expect(200);
    assert_eq!(head.header("content-length"), "5");
    assert_eq!(world.read_blob(&client, "app", &layer.digest).await, layer.bytes);
    client.head(&blob("other", &layer.digest)).await.expect(404);
    world.fsck().await;
    assert_eq!(world.garbage().await, <[String; 0]>::default());
}

#[tokio::test]
async fn an_event_that_comes_again_changes_nothing() {
    let ((world, client), layer) = (world(), Content::blob("layer"));
    let id = world.send_direct(&client, "app", &layer).await;
    client.adopt(&id).await.unwrap().unwrap();
    let before = world.all_items().await;
    assert_eq!(client.adopt(&id).await.unwrap(), None);
    assert_eq!(world.client().adopt(&id).await.unwrap(), None);
    assert_eq!(world.all_items().await, before);
}

#[tokio::test]
async fn an_event_before_the_bytes_or_of_nobodys_upload_does_nothing() {
    let ((world, client), layer) = (world(), Content::blob("layer"));
    let id = upload_id(&client.begin("app").await);
    assert_eq!(client.adopt(&id).await.unwrap(), None);
    world.objects.receive(id.clone(), layer.bytes.clone());
    assert!(client.adopt(&id).await.unwrap().is_some());
    let stranger: UploadId = "nobodys-upload".parse().unwrap();
    world.objects.receive(stranger.clone(), layer.bytes.clone());
    assert_eq!(client.adopt(&stranger).await.unwrap(), None);
    world.fsck().await;
}

#[tokio::test]
async fn bytes_that_change_after_the_adoption_change_nothing() {
    let ((world, client), layer) = (world(), Content::blob("layer"));
    let id = world.send_direct(&client, "app", &layer).await;
    client.adopt(&id).await.unwrap().unwrap();
    world.objects.receive(id.clone(), "other bytes".into());
    assert_eq!(client.adopt(&id).await.unwrap(), None);
    assert_eq!(world.read_blob(&client, "app", &layer.digest).await, layer.bytes);
    client.head(&blob("app", &Content::blob("other bytes").digest)).await.expect(404);
    world.fsck().await;
}

#[tokio::test]
async fn bytes_that_change_before_the_adoption_are_what_they_are_then() {
    let ((world, client), layer) = (world(), Content::blob("layer"));
    let id = world.send_direct(&client, "app", &Content::blob("other bytes")).await;
    world.objects.receive(id.clone(), layer.bytes.clone());
    assert_eq!(client.adopt(&id).await.unwrap().unwrap().digest.as_str(), layer.digest);
    world.fsck().await;
}

#[tokio::test]
async fn nothing_at_all_is_a_blob_too() {
    let ((world, client), empty) = (world(), Content::blob(""));
    let id = world.send_direct(&client, "app", &empty).await;
    assert_eq!(client.adopt(&id).await.unwrap().unwrap().size_bytes, 0);
    world.objects.receive(id.clone(), "other bytes".into());
    assert_eq!(client.adopt(&id).await.unwrap(), None, "it is over, although it has no bytes");
    assert_eq!(world.read_blob(&client, "app", &empty.digest).await, "");
    world.fsck().await;
}

#[tokio::test]
async fn an_upload_that_was_never_offered_directly_is_not_taken_over() {
    let (world, layer) = (World::direct(), Content::blob("layer"));
    let client = world.client();
    let id = world.send_direct(&client, "app", &layer).await;
    assert_eq!(client.adopt(&id).await.unwrap(), None);
    client.head(&blob("app", &layer.digest)).await.expect(404);
}

#[tokio::test]
async fn a_blob_that_is_there_already_stays_the_one_object() {
    for repository in ["app", "other"] {
        let ((world, client), layer) = (world(), Content::blob("layer"));
        client.push_blob(repository, &layer).await.expect(201);
        let id = world.send_direct(&client, "app", &layer).await;
        client.adopt(&id).await.unwrap().unwrap();
        assert_eq!(world.stored().await["object"], 1);
        assert_eq!(world.read_blob(&client, "app", &layer.digest).await, layer.bytes);
        assert_eq!(world.garbage().await, <[String; 0]>::default());
        world.fsck().await;
    }
}

#[tokio::test]
async fn after_the_adoption_the_session_takes_nothing_more_but_its_own_commit() {
    let ((world, client), layer) = (world(), Content::blob("layer"));
    let location = client.begin("app").await;
    world.objects.receive(upload_id(&location), layer.bytes.clone());
    client.adopt(&upload_id(&location)).await.unwrap().unwrap();
    client.patch(&location, "more").await.expect(404);
    client.get(&location).await.expect(404);
    client.delete(&location).await.expect(404);
    let other = Content::blob("other bytes");
    client.put(&committing(&location, &other.digest), other.bytes.clone()).await.expect(404);
    let committed = client.put(&committing(&location, &layer.digest), "").await.expect(201);
    assert_eq!(committed.location(), blob("app", &layer.digest));
    world.fsck().await;
}

#[tokio::test]
async fn sessions_are_gone_from_the_list_of_open_ones_once_adopted() {
    let ((world, client), layer) = (world(), Content::blob("layer"));
    let id = world.send_direct(&client, "app", &layer).await;
    assert_eq!(world.stored().await["open_upload"], 1);
    client.adopt(&id).await.unwrap().unwrap();
    assert_eq!(world.stored().await.get("open_upload"), None);
}
