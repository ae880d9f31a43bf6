//! Blobs, links and manifests that were finished.

use std::time::Duration;

use registry::jobs::garbage_collection::Kind;
use registry::testing::Call::ObjectDelete;

use super::{DAY, HOUR, LONG_HOURS, gone};
use crate::client::{blob, manifest, mounting};
use crate::content::{Content, Image};
use crate::world::World;

const A_MOMENT: Duration = Duration::from_millis(1);

#[tokio::test]
async fn a_blob_that_no_manifest_needs_goes_when_its_lease_is_over() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let client = world.client();
    client.push_blob("app", &layer).await.expect(201);
    world.clock.advance(DAY - A_MOMENT);
    assert_eq!(world.collect().await.gone, []);
    client.get(&blob("app", &layer.digest)).await.expect(200);
    world.clock.advance(A_MOMENT);
    let report = world.collect().await;
    assert_eq!((gone(&report, Kind::Link), gone(&report, Kind::Blob), report.gone.len()), (1, 1, 2));
    assert_eq!(report.gone_bytes(), layer.bytes.len() as u64);
    client.get(&blob("app", &layer.digest)).await.expect(404);
    client.push_blob("app", &layer).await.expect(201);
    client.get(&blob("app", &layer.digest)).await.expect(200);
    world.fsck().await;
}

#[tokio::test]
async fn the_object_of_a_blob_that_went_stays_an_hour_for_those_who_read_it() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    world.client().push_blob("app", &layer).await.expect(201);
    world.clock.advance(DAY);
    assert_eq!(world.collect().await.objects_deleted, 0);
    world.clock.advance(HOUR - A_MOMENT);
    assert_eq!(world.collect().await.objects_deleted, 0);
    assert_eq!(world.stored().await["object"], 1);
    world.clock.advance(A_MOMENT);
    let report = world.collect().await;
    assert_eq!((report.objects_deleted, report.freed_bytes), (1, layer.bytes.len() as u64));
    assert_eq!(world.stored().await.get("object"), None);
    world.clock.advance(7 * DAY);
    world.collect().await;
    world.assert_clean().await;
    assert_eq!(world.stored().await.len(), 0, "nothing at all is left");
}

#[tokio::test]
async fn what_a_manifest_needs_stays_however_old_it_is() {
    let (world, image) = (World::new(), Image::named("app"));
    let client = world.client();
    client.push_image("app", "v1", &image).await.expect(201);
    client.put_manifest("app", "all", &Content::index(&[&image.manifest])).await.expect(201);
    client.delete(&manifest("app", "v1")).await.expect(202);
    let report = world.collect_for(LONG_HOURS).await;
    assert_eq!(gone(&report, Kind::Blob) + gone(&report, Kind::Link) + gone(&report, Kind::Manifest), 0);
    for content in [&image.config, &image.layer] {
        assert_eq!(client.get(&blob("app", &content.digest)).await.expect(200).body, content.bytes);
    }
    world.assert_clean().await;
}

#[tokio::test]
async fn a_deleted_image_goes_but_not_what_another_one_shares_with_it() {
    let (world, config, base) = (World::new(), Content::blob("{}"), Content::blob("base"));
    let (client, top) = (world.client(), Content::blob("top"));
    for content in [&config, &base, &top] {
        client.push_blob("app", content).await.expect(201);
    }
    let (below, whole) = (Content::image(&config, &[&base]), Content::image(&config, &[&base, &top]));
    client.put_manifest("app", "below", &below).await.expect(201);
    client.put_manifest("app", "whole", &whole).await.expect(201);
    client.delete(&manifest("app", &whole.digest)).await.expect(202);
    let report = world.collect_for(30).await;
    assert_eq!((gone(&report, Kind::Link), gone(&report, Kind::Blob)), (1, 1));
    client.get(&blob("app", &top.digest)).await.expect(404);
    client.get(&blob("app", &base.digest)).await.expect(200);
    world.collect_for(LONG_HOURS).await;
    world.assert_clean().await;
    assert_eq!(world.stored().await["object"], 2);
}

#[tokio::test]
async fn a_blob_of_several_repositories_goes_with_the_last_of_them() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let client = world.client();
    client.push_blob("app", &layer).await.expect(201);
    client.post(&mounting("other", &layer.digest, "app"), "").await.expect(201);
    client.delete(&blob("app", &layer.digest)).await.expect(202);
    assert_eq!(world.collect().await.gone, []);
    assert_eq!(client.get(&blob("other", &layer.digest)).await.expect(200).body, layer.bytes);
    world.clock.advance(DAY);
    let report = world.collect().await;
    assert_eq!((gone(&report, Kind::Link), gone(&report, Kind::Blob)), (1, 1));
    client.get(&blob("other", &layer.digest)).await.expect(404);
}

#[tokio::test]
async fn a_head_holds_a_blob_for_another_half_day_at_least() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let client = world.client();
    client.push_blob("app", &layer).await.expect(201);
    for _ in 0..10 {
        world.clock.advance(12 * HOUR - A_MOMENT);
        world.collect().await;
        client.head(&blob("app", &layer.digest)).await.expect(200);
    }
    world.clock.advance(DAY);
    world.collect().await;
    client.head(&blob("app", &layer.digest)).await.expect(404);
}

#[tokio::test]
async fn a_deleted_repository_leaves_nothing() {
    let (world, image) = (World::new(), Image::named("app"));
    let client = world.client();
    client.push_image("app", "v1", &image).await.expect(201);
    client.delete(&manifest("app", &image.manifest.digest)).await.expect(202);
    world.collect_for(LONG_HOURS).await;
    world.assert_clean().await;
    let stored = world.stored().await;
    let kinds: Vec<&str> = stored.keys().copied().collect();
    assert_eq!(kinds, ["catalog", "event", "history", "repository"]);
}

#[tokio::test]
async fn nothing_is_asked_of_the_objects_while_nothing_is_garbage() {
    let (world, image) = (World::new(), Image::named("app"));
    world.client().push_image("app", "v1", &image).await.expect(201);
    world.probe.reset();
    world.collect_for(48).await;
    assert!(!world.probe.calls().contains(&ObjectDelete));
}

#[tokio::test]
async fn a_refused_move_of_an_immutable_tag_takes_nothing_away() {
    let world = World::new();
    let client = world.client();
    let (old, config) = (Image::named("old"), Content::blob("{}"));
    client.push_image("app", "v1", &old).await.expect(201);
    let fields = serde_json::json!({ "annotations": { "long": "x".repeat(400 * 1024) } });
    let large = Content::image_with(&config, &[], &fields);
    client.push_blob("app", &config).await.expect(201);
    client.put_manifest("app", "large", &large).await.expect(201);
    let bare = Content::index(&[]);
    client.put_manifest("app", "bare", &bare).await.expect(201);
    world.make_immutable("app", "v*").await;
    for (tag, content) in [("large", &large), ("bare", &bare)] {
        client.put_manifest("app", "v1", content).await.expect(403);
        assert_eq!(world.client().get(&manifest("app", tag)).await.expect(200).body, content.bytes);
    }
    world.fsck().await;
}
