//! How often the stores are asked: exactly as often as they are now, so that more or less is noticed.

use registry::testing::Call::{CopyUpload, ItemsGet, ItemsQuery, ItemsTransact, ObjectDelete};

use super::{send_blobs, world};
use crate::client::{blob, upload_id};
use crate::content::{Content, Image};
use crate::probe::Calls;
use crate::world::World;

#[tokio::test]
async fn an_offer_is_one_item_write_as_without() {
    let (world, client) = world();
    client.begin("app").await;
    assert_eq!(world.probe.calls(), [ItemsTransact]);
}

#[tokio::test]
async fn a_get_of_a_blob_is_one_item_read_and_no_object() {
    let ((world, client), layer) = (world(), Content::blob("layer"));
    client.push_blob("app", &layer).await.expect(201);
    world.probe.reset();
    client.get(&blob("app", &layer.digest)).await.expect(307);
    assert_eq!(world.probe.calls(), [ItemsGet]);
}

#[tokio::test]
async fn an_adoption_is_four_item_calls_and_the_copy() {
    let ((world, client), layer) = (world(), Content::blob("layer"));
    let id = world.send_direct(&client, "app", &layer).await;
    world.probe.reset();
    client.adopt(&id).await.unwrap().unwrap();
    assert_eq!(world.probe.calls(), [ItemsGet, ItemsTransact, CopyUpload, ItemsGet, ItemsTransact]);
}

#[tokio::test]
async fn an_adoption_of_a_known_blob_also_deletes_the_copy() {
    let ((world, client), layer) = (world(), Content::blob("layer"));
    client.push_blob("other", &layer).await.expect(201);
    let id = world.send_direct(&client, "app", &layer).await;
    world.probe.reset();
    client.adopt(&id).await.unwrap().unwrap();
    let expected = [ItemsGet, ItemsTransact, CopyUpload, ItemsGet, ItemsTransact, ObjectDelete];
    assert_eq!(world.probe.calls(), expected);
}

#[tokio::test]
async fn an_adoption_with_nothing_to_do_is_one_item_read() {
    let ((world, client), layer) = (world(), Content::blob("layer"));
    let id = world.send_direct(&client, "app", &layer).await;
    client.adopt(&id).await.unwrap().unwrap();
    world.probe.reset();
    assert_eq!(client.adopt(&id).await.unwrap(), None);
    assert_eq!(world.probe.calls(), [ItemsGet]);
}

#[tokio::test]
async fn an_adoption_before_the_bytes_is_three_item_calls_and_the_question() {
    let (world, client) = world();
    let id = upload_id(&client.begin("app").await);
    world.probe.reset();
    assert_eq!(client.adopt(&id).await.unwrap(), None);
    assert_eq!(world.probe.calls(), [ItemsGet, ItemsTransact, CopyUpload, ItemsTransact]);
}

#[tokio::test]
async fn a_manifest_put_that_takes_over_one_blob_names_each_call() {
    let ((world, client), image) = (world(), Image::named("app"));
    client.push_blob("app", &image.config).await.expect(201);
    world.send_direct(&client, "app", &image.layer).await;
    world.probe.reset();
    client.put_manifest("app", "v1", &image.manifest).await.expect(201);
    let (prepared, looked, committed) = ([ItemsTransact], [ItemsGet], [ItemsTransact]);
    let listed = [ItemsQuery, ItemsGet];
    let adopted = [ItemsTransact, CopyUpload, ItemsGet, ItemsTransact];
    let expected =
        [&prepared[..], &looked[..], &listed[..], &adopted[..], &looked[..], &committed[..]].concat();
    assert_eq!(world.probe.calls(), expected);
}

#[tokio::test]
async fn a_manifest_put_is_three_item_calls_and_one_copy_more_for_each_blob_that_it_takes_over() {
    for blobs in [1_usize, 2, 20] {
        let ((world, client), config) = (world(), Content::blob("{}"));
        let layers: Vec<Content> =
            (1..blobs).map(|number| Content::blob(format!("layer {number}"))).collect();
        for content in layers.iter().chain([&config]) {
            world.send_direct(&client, "app", content).await;
        }
        let image = Content::image(&config, &layers.iter().collect::<Vec<_>>());
        world.probe.reset();
        client.put_manifest("app", "v1", &image).await.expect(201);
        assert_eq!(world.probe.count(), Calls { items: 6 + 3 * blobs, objects: blobs });
    }
}

/// Pushes an image of one layer directly, and counts all that is asked by whomever.
async fn whole_push(has_events: bool) -> Calls {
    let (world, image) = (World::direct(), Image::named("app"));
    let client = world.client().by_edge();
    for content in [&image.config, &image.layer] {
        client.head(&blob("app", &content.digest)).await.expect(404);
    }
    for id in send_blobs(&world, &client, "app", &image).await {
        if has_events {
            client.adopt(&id).await.unwrap().unwrap();
        }
    }
    client.put_manifest("app", "v1", &image.manifest).await.expect(201);
    world.probe.count()
}

#[tokio::test]
async fn a_whole_direct_push_of_one_layer_is_fifteen_item_calls_and_two_copies() {
    assert_eq!(whole_push(true).await, Calls { items: 15, objects: 2 });
}

#[tokio::test]
async fn a_whole_direct_push_without_events_is_one_item_call_more() {
    assert_eq!(whole_push(false).await, Calls { items: 16, objects: 2 });
}
