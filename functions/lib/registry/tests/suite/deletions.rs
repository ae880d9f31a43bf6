//! Deletions that take several transactions and are cut off between them: whoever comes next ends them.

use registry::jobs::garbage_collection::Policy;
use registry::records::{EventAction, Record};
use serde_json::json;

use crate::client::{Client, blob, manifest};
use crate::content::{Content, Image};
use crate::probe::Fault;
use crate::world::World;

const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

/// So many layers have too many edges for the transaction that ends their manifest.
const MANY_LAYERS: usize = 60;

/// Returns an image whose edges go in several transactions, about another one.
fn wide(subject: &Image) -> Content {
    let foreign = Content::foreign_layers(MANY_LAYERS);
    let fields = json!({ "subject": subject.manifest.descriptor(), "artifactType": "application/vnd.wide" });
    let layers: Vec<&Content> = [&subject.layer].into_iter().chain(&foreign).collect();
    Content::image_with(&subject.config, &layers, &fields)
}

async fn push_wide(client: &Client, subject: &Image) -> String {
    let wide = wide(subject);
    client.push_image("app", "v1", subject).await.expect(201);
    client.put_manifest("app", "wide", &wide).await.expect(201);
    wide.digest
}

/// Pushes the image under many tags.
async fn push_with_many_tags(client: &Client, image: &Image) {
    client.push_image("app", "v0", image).await.expect(201);
    for number in 1..60 {
        client.put_manifest("app", &format!("v{number}"), &image.manifest).await.expect(201);
    }
}

async fn deletions_told(world: &World, digest: &str) -> usize {
    let items = world.all_items().await;
    let events = items.iter().filter_map(|item| match &item.record {
        Record::Event(event) => Some(event),
        _ => None,
    });
    let of_manifest = events.filter(|event| event.action == EventAction::ManifestDeleted);
    of_manifest.filter(|event| event.digest.to_string() == digest).count()
}

/// Lets a month go by, and each day has what no tag leads to collected.
async fn collect_for_a_month(world: &World) {
    let policy = Policy { untagged: Some(DAY), ..Policy::default() };
    for _ in 0..30 {
        world.clock.advance(DAY);
        world.collect_by(policy).await;
    }
}

/// Cuts a deletion off at each of its calls, each time in a world of its own, until one is not cut off any more.
async fn cut_off_everywhere(prepare: impl AsyncFn(&World) -> String, check: impl AsyncFn(&World, &str)) {
    for at in 0.. {
        let world = World::new();
        let digest = prepare(&world).await;
        world.probe.plan(at, Fault::Killed);
        let status = world.client().delete(&manifest("app", &digest)).await.status;
        world.probe.reset();
        println!("cut off at call {at}: {status}");
        check(&world, &digest).await;
        if status == 202 {
            return assert!(at > 5, "it took {at} calls");
        }
    }
}

#[tokio::test]
async fn a_deletion_that_was_cut_off_and_is_ended_by_another_is_told_of_once() {
    let image = Image::named("app");
    cut_off_everywhere(
        async |world| push_wide(&world.client(), &image).await,
        async |world, digest| {
            let again = world.client().delete(&manifest("app", digest)).await;
            assert!(matches!(again.status.as_u16(), 202 | 404), "{again:#?}");
            assert_eq!(deletions_told(world, digest).await, 1);
            world.fsck().await;
        },
    )
    .await;
}

#[tokio::test]
async fn a_refused_push_after_a_deletion_that_was_cut_off_leaves_no_referrer() {
    let image = Image::named("app");
    cut_off_everywhere(
        async |world| push_wide(&world.client(), &image).await,
        async |world, digest| {
            let client = world.client();
            client.delete(&manifest("app", &image.manifest.digest)).await.expect(202);
            // If its edge has gone, so does the layer, and nobody can push what needs it.
            client.delete(&blob("app", &image.layer.digest)).await;
            client.put_manifest("app", digest, &wide(&image)).await;
            let is_there = world.client().get(&manifest("app", digest)).await.status == 200;
            let listed = client.get(&format!("/v2/app/referrers/{}", image.manifest.digest)).await;
            assert_eq!(listed.text().contains(digest), is_there);
            if !is_there {
                assert_eq!(deletions_told(world, digest).await, 1);
            }
            world.fsck().await;
        },
    )
    .await;
}

#[tokio::test]
async fn referrers_go_after_a_subject_whose_deletion_was_cut_off() {
    let image = Image::named("app");
    let signature = Content::referrer(&image.config, &image.manifest, "application/vnd.example");
    cut_off_everywhere(
        async |world| {
            let client = world.client();
            push_with_many_tags(&client, &image).await;
            client.put_manifest("app", &signature.digest, &signature).await.expect(201);
            collect_for_a_month(world).await;
            client.get(&manifest("app", &signature.digest)).await.expect(200);
            image.manifest.digest.clone()
        },
        async |world, digest| {
            collect_for_a_month(world).await;
            let status = world.client().get(&manifest("app", digest)).await.status;
            let of_signature = world.client().get(&manifest("app", &signature.digest)).await.status;
            assert_eq!(of_signature, status);
            world.fsck().await;
        },
    )
    .await;
}

#[tokio::test]
async fn referrers_go_after_a_subject_whose_push_did_not_end() {
    let image = Image::named("app");
    let signature = Content::referrer(&image.config, &image.manifest, "application/vnd.example");
    let world = World::new();
    let client = world.client();
    client.push_image("app", "v1", &image).await.expect(201);
    client.put_manifest("app", &signature.digest, &signature).await.expect(201);
    collect_for_a_month(&world).await;
    client.delete(&manifest("app", &image.manifest.digest)).await.expect(202);
    world.probe.plan(2, Fault::Killed);
    world.client().put_manifest("app", "v1", &image.manifest).await.expect(503);
    world.probe.reset();
    collect_for_a_month(&world).await;
    world.client().get(&manifest("app", &image.manifest.digest)).await.expect(404);
    world.client().get(&manifest("app", &signature.digest)).await.expect(404);
    world.collect_for(72).await;
    world.assert_clean().await;
}

#[tokio::test]
async fn what_others_end_of_a_deletion_is_told_of_as_done_by_who_wanted_it() {
    let image = Image::named("app");
    let prepare = async |world: &World| {
        push_with_many_tags(&world.client(), &image).await;
        image.manifest.digest.clone()
    };
    for by_push in [true, false] {
        cut_off_everywhere(prepare, async |world, digest| {
            match by_push {
                true => drop(world.client().put_manifest("app", "v0", &image.manifest).await),
                false => drop(world.collect_for(72).await),
            }
            for item in world.all_items().await {
                match item.record {
                    Record::History(moved) => assert_eq!(moved.by, "anonymous"),
                    Record::Event(event) => assert_eq!(event.by, "anonymous"),
                    _ => {}
                }
            }
            assert!(deletions_told(world, digest).await <= 1);
            world.fsck().await;
        })
        .await;
    }
}
