//! Manifests without a tag: kept, unless the policy says otherwise.

use std::time::Duration;

use registry::jobs::garbage_collection::{Kind, Policy};
use registry::records::Record;

use super::{DAY, HOUR, LONG_HOURS, gone};
use crate::client::{Client, manifest};
use crate::content::{Content, Image};
use crate::world::World;

const POLICY: Policy = Policy { history: Duration::from_secs(7 * 24 * 60 * 60), untagged: Some(DAY) };

async fn pushed(tag: &str) -> (World, Client, Image) {
    let (world, image) = (World::new(), Image::named("app"));
    let client = world.client();
    client.push_image("app", tag, &image).await.expect(201);
    (world, client, image)
}

/// Lets days go by, and collects on each.
async fn collect_daily(world: &World, policy: Policy, days: u32) -> usize {
    let mut manifests = 0;
    for _ in 0..days {
        world.clock.advance(DAY);
        manifests += gone(&world.collect_by(policy).await, Kind::Manifest);
    }
    manifests
}

#[tokio::test]
async fn without_a_policy_a_manifest_without_a_tag_stays() {
    let (world, client, image) = pushed("v1").await;
    client.delete(&manifest("app", "v1")).await.expect(202);
    world.collect_for(LONG_HOURS).await;
    client.get(&manifest("app", &image.manifest.digest)).await.expect(200);
    world.assert_clean().await;
}

#[tokio::test]
async fn by_policy_a_manifest_goes_when_its_tag_has_gone_and_its_history_has_ended() {
    let (world, client, image) = pushed("v1").await;
    world.clock.advance(40 * DAY);
    client.delete(&manifest("app", "v1")).await.expect(202);
    world.clock.advance(7 * DAY - HOUR);
    assert_eq!(gone(&world.collect_by(POLICY).await, Kind::Manifest), 0);
    client.get(&manifest("app", &image.manifest.digest)).await.expect(200);
    world.clock.advance(HOUR);
    assert_eq!(gone(&world.collect_by(POLICY).await, Kind::Manifest), 1);
    world.client().get(&manifest("app", &image.manifest.digest)).await.expect(404);
    collect_daily(&world, POLICY, 3).await;
    assert_eq!(world.stored().await.get("object"), None);
    world.assert_clean().await;
}

#[tokio::test]
async fn without_history_the_policy_alone_decides() {
    let (world, client, image) = pushed("v1").await;
    let (old, policy) = (image, Policy { history: Duration::ZERO, untagged: Some(2 * DAY) });
    client.push_image("app", "v1", &Image::named("new")).await.expect(201);
    world.clock.advance(2 * DAY - HOUR);
    assert_eq!(gone(&world.collect_by(policy).await, Kind::Manifest), 0);
    world.clock.advance(HOUR);
    assert_eq!(gone(&world.collect_by(policy).await, Kind::Manifest), 1);
    world.client().get(&manifest("app", &old.manifest.digest)).await.expect(404);
    client.get(&manifest("app", "v1")).await.expect(200);
}

#[tokio::test]
async fn a_tag_that_comes_back_keeps_its_manifest() {
    let (world, client, image) = pushed("v1").await;
    client.push_image("app", "v1", &Image::named("new")).await.expect(201);
    world.clock.advance(6 * DAY);
    client.put_manifest("app", "v1", &image.manifest).await.expect(201);
    assert_eq!(collect_daily(&world, POLICY, 20).await, 1, "only the other one");
    client.get(&manifest("app", "v1")).await.expect(200);
    world.assert_clean().await;
}

#[tokio::test]
async fn the_latest_move_counts() {
    let (world, client, image) = pushed("v1").await;
    client.put_manifest("app", "v2", &image.manifest).await.expect(201);
    client.delete(&manifest("app", "v1")).await.expect(202);
    world.clock.advance(6 * DAY);
    world.collect_by(POLICY).await;
    client.delete(&manifest("app", "v2")).await.expect(202);
    assert_eq!(collect_daily(&world, POLICY, 6).await, 0);
    assert_eq!(collect_daily(&world, POLICY, 1).await, 1);
}

#[tokio::test]
async fn a_manifest_without_a_tag_that_is_pushed_again_counts_from_then() {
    let (world, client, image) = pushed("v1").await;
    client.delete(&manifest("app", "v1")).await.expect(202);
    let policy = Policy { history: Duration::ZERO, untagged: Some(30 * DAY) };
    assert_eq!(collect_daily(&world, policy, 29).await, 0);
    client.put_manifest("app", &image.manifest.digest, &image.manifest).await.expect(201);
    assert_eq!(collect_daily(&world, policy, 29).await, 0);
    client.get(&manifest("app", &image.manifest.digest)).await.expect(200);
    assert_eq!(collect_daily(&world, policy, 3).await, 1);
    world.assert_clean().await;
}

#[tokio::test]
async fn children_of_an_index_stay_and_go_with_it() {
    let (world, client, image) = pushed("v1").await;
    let index = Content::index(&[&image.manifest]);
    client.put_manifest("app", "all", &index).await.expect(201);
    client.delete(&manifest("app", "v1")).await.expect(202);
    assert_eq!(collect_daily(&world, POLICY, 30).await, 0);
    client.delete(&manifest("app", "all")).await.expect(202);
    assert_eq!(collect_daily(&world, POLICY, 30).await, 2);
    world.assert_clean().await;
    assert_eq!(world.stored().await.get("object"), None);
}

#[tokio::test]
async fn referrers_stay_with_their_subject_and_go_after_it() {
    let (world, client, image) = pushed("v1").await;
    let signature = Content::referrer(&image.config, &image.manifest, "application/vnd.example");
    client.put_manifest("app", &signature.digest, &signature).await.expect(201);
    assert_eq!(collect_daily(&world, POLICY, 30).await, 0);
    client.get(&manifest("app", &signature.digest)).await.expect(200);
    client.delete(&manifest("app", &image.manifest.digest)).await.expect(202);
    assert_eq!(collect_daily(&world, POLICY, 5).await, 1);
    world.client().get(&manifest("app", &signature.digest)).await.expect(404);
    world.collect_for(LONG_HOURS).await;
    world.assert_clean().await;
}

#[tokio::test]
async fn a_manifest_that_never_had_a_tag_goes_by_policy_and_by_it_alone() {
    for (policy, expected) in [(POLICY, 1), (Policy::default(), 0)] {
        let (world, client, image) = pushed(&Image::named("app").manifest.digest).await;
        assert_eq!(collect_daily(&world, policy, 5).await, expected);
        let status = if expected == 1 { 404 } else { 200 };
        world.client().get(&manifest("app", &image.manifest.digest)).await.expect(status);
        drop(client);
    }
}

#[tokio::test]
async fn what_a_tag_left_behind_is_no_obstacle_to_a_deletion() {
    let (world, client, image) = pushed("v0").await;
    let other = Image::named("other");
    client.push_image("app", "other", &other).await.expect(201);
    for number in 0..30 {
        let tag = format!("v{number}");
        client.put_manifest("app", &tag, &image.manifest).await.expect(201);
        client.put_manifest("app", &tag, &other.manifest).await.expect(201);
    }
    client.delete(&manifest("app", &image.manifest.digest)).await.expect(202);
    let edges = world.all_items().await;
    let left = edges.iter().filter(|item| matches!(&item.record, Record::Edge(edge) if edge.left.is_some()));
    assert_eq!(left.count(), 0);
    assert_eq!(client.get(&manifest("app", "v29")).await.expect(200).body, other.manifest.bytes);
    world.collect_for(LONG_HOURS).await;
    world.assert_clean().await;
}

#[tokio::test]
async fn a_tag_beyond_a_thousand_that_have_gone_keeps_its_manifest() {
    let (world, client, image) = pushed("stable").await;
    for build in 0..1000 {
        let tag = format!("build-{build}");
        client.put_manifest("app", &tag, &image.manifest).await.expect(201);
        client.delete(&manifest("app", &tag)).await.expect(202);
    }
    assert_eq!(collect_daily(&world, POLICY, 20).await, 0);
    client.get(&manifest("app", "stable")).await.expect(200);
    world.assert_clean().await;
}

#[tokio::test]
async fn the_history_of_a_tag_beyond_a_thousand_keeps_its_manifest() {
    let (world, client, image) = pushed("build-0").await;
    for build in 1..1000 {
        client.put_manifest("app", &format!("build-{build}"), &image.manifest).await.expect(201);
    }
    for build in 0..1000 {
        client.delete(&manifest("app", &format!("build-{build}"))).await.expect(202);
    }
    world.clock.advance(7 * DAY - HOUR);
    client.put_manifest("app", "stable", &image.manifest).await.expect(201);
    client.delete(&manifest("app", "stable")).await.expect(202);
    assert_eq!(collect_daily(&world, POLICY, 6).await, 0);
    client.get(&manifest("app", &image.manifest.digest)).await.expect(200);
    assert_eq!(collect_daily(&world, POLICY, 3).await, 1);
    world.assert_clean().await;
}
