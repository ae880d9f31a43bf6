//! Collectors whose policy takes manifests without a tag, beside those who come to need them.

use std::time::Duration;

use registry::jobs::garbage_collection::Policy;
use registry::ports::ItemStore;
use registry::records::{ManifestState, keys};
use serde_json::json;

use super::assert_one_of;
use super::collections::{DAY, assert_pullable, collect_by, in_every_order};
use crate::client::{Client, manifest};
use crate::content::{Content, Image};
use crate::world::World;

const UNTAGGED: Policy = Policy { history: Duration::ZERO, untagged: Some(Duration::ZERO) };

#[test]
fn an_index_pushed_while_its_child_is_collected_is_whole_or_refused() {
    in_every_order(&async |world, first, _| {
        let image = Image::named("app");
        first.push_image("app", "v1", &image).await.expect(201);
        first.delete(&manifest("app", "v1")).await.expect(202);
        let index = Content::index(&[&image.manifest]);
        let (pushed, _, _) = tokio::join!(
            first.put_manifest("app", "all", &index),
            collect_by(world, UNTAGGED),
            collect_by(world, UNTAGGED)
        );
        assert_one_of(&pushed, &[201, 400]);
        for _ in 0..3 {
            world.clock.advance(DAY);
            collect_by(world, UNTAGGED).await;
        }
        if pushed.status == 201 {
            assert_pullable(world, "app", &image).await;
        } else {
            world.client().get(&manifest("app", &image.manifest.digest)).await.expect(404);
        }
    });
}

#[test]
fn a_manifest_tagged_while_it_is_collected_keeps_its_tag_and_all_its_blobs() {
    in_every_order(&async |world, first, _| {
        let image = Image::named("app");
        first.push_image("app", "v1", &image).await.expect(201);
        first.delete(&manifest("app", "v1")).await.expect(202);
        let (tagged, _, _) = tokio::join!(
            first.put_manifest("app", "v2", &image.manifest),
            collect_by(world, UNTAGGED),
            collect_by(world, UNTAGGED)
        );
        // Its blobs are under lease still, so the push finds them, whether the manifest was there or not.
        tagged.expect(201);
        for _ in 0..3 {
            world.clock.advance(DAY);
            collect_by(world, UNTAGGED).await;
        }
        assert_eq!(world.client().get(&manifest("app", "v2")).await.expect(200).body, image.manifest.bytes);
        assert_pullable(world, "app", &image).await;
    });
}

#[test]
fn a_manifest_pushed_again_while_it_is_collected_stays() {
    in_every_order(&async |world, first, _| {
        let (image, policy) = (Image::named("app"), Policy { untagged: Some(DAY), ..UNTAGGED });
        first.push_image("app", "v1", &image).await.expect(201);
        first.delete(&manifest("app", "v1")).await.expect(202);
        world.clock.advance(DAY);
        let (pushed, _, _) = tokio::join!(
            first.put_manifest("app", &image.manifest.digest, &image.manifest),
            collect_by(world, policy),
            collect_by(world, policy)
        );
        assert_one_of(&pushed, &[201, 400]);
        collect_by(world, policy).await;
        if pushed.status == 201 {
            assert_pullable(world, "app", &image).await;
        }
    });
}

/// Waits until a collector has flagged the manifest, or for long.
async fn until_flagged(world: &World, content: &Content) {
    let key = keys::manifest(&"app".parse().unwrap(), &content.digest.parse().unwrap());
    for _ in 0..1000 {
        let item = world.items.get(std::slice::from_ref(&key)).await.unwrap().pop().flatten();
        let record = item.as_ref().and_then(|item| item.record.as_manifest());
        if record.is_some_and(|record| record.state == ManifestState::Dying) {
            break;
        }
        tokio::task::yield_now().await;
    }
}

/// Pushes the subject of a referrer that a collector has flagged, and whose edges fit into one transaction or do not.
fn push_subject_beside_collectors(layers: usize) {
    let layers = Content::foreign_layers(layers);
    in_every_order(&async |world: &World, first: Client, _| {
        let image = Image::named("app");
        let fields =
            json!({ "subject": image.manifest.descriptor(), "artifactType": "application/vnd.example" });
        let signature = Content::image_with(&image.config, &layers.iter().collect::<Vec<_>>(), &fields);
        first.push_blob("app", &image.config).await.expect(201);
        first.put_manifest("app", &signature.digest, &signature).await.expect(201);
        world.clock.advance(DAY);
        for content in [&image.config, &image.layer] {
            first.push_blob("app", content).await.expect(201);
        }
        let path = manifest("app", &signature.digest);
        let push = async {
            until_flagged(world, &signature).await;
            first.put_manifest("app", "v1", &image.manifest).await.expect(201);
            world.client().get(&path).await.status == 200
        };
        let (was_there, _, _) = tokio::join!(push, collect_by(world, UNTAGGED), collect_by(world, UNTAGGED));
        for _ in 0..3 {
            let status = if was_there { 200 } else { 404 };
            world.client().get(&path).await.expect(status);
            world.clock.advance(DAY);
            collect_by(world, UNTAGGED).await;
        }
        assert_pullable(world, "app", &image).await;
    });
}

#[test]
fn a_referrer_that_can_be_pulled_when_its_subject_is_pushed_stays_with_it() {
    push_subject_beside_collectors(0);
}

#[test]
fn a_referrer_of_many_layers_that_can_be_pulled_when_its_subject_is_pushed_stays_with_it() {
    push_subject_beside_collectors(60);
}
