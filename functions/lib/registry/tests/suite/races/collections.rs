//! Collectors beside everything that clients do: what was acknowledged can be pulled, and what is garbage goes.

use std::time::Duration;

use registry::Error;
use registry::jobs::garbage_collection::{Budget, Policy, Report};

use super::{Processes, assert_one_of, in_orders};
use crate::client::{Client, blob, committing, manifest, mounting, upload_id};
use crate::content::{Content, Image};
use crate::probe::Fault;
use crate::world::World;

/// How many orders of storage calls each race is run in: each of them takes hundreds of calls.
const SEEDS: u64 = 100;

pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs the race in every order, on one process and on two; a collector is a process of its own.
pub(super) fn in_every_order(race: &impl AsyncFn(&World, Client, Client)) {
    for processes in Processes::BOTH {
        in_orders(SEEDS, World::yielding, processes, race);
    }
}

async fn collect(world: &World) -> Report {
    collect_by(world, Policy::default()).await
}

pub(super) async fn collect_by(world: &World, policy: Policy) -> Report {
    let report = world.collector(policy).run(&Budget::ALL, None).await;
    assert_eq!(report.error, None);
    report
}

/// Days pass, each with a collector, while the others do something now and then.
pub(super) async fn days_and_collectors(world: &World, days: u32, steps_a_day: u32) {
    for _ in 0..days {
        for _ in 0..steps_a_day {
            tokio::task::yield_now().await;
        }
        world.clock.advance(DAY);
        collect(world).await;
    }
}

/// Collects until everything is gone that nobody needs, however long it is kept.
pub(super) async fn collect_the_rest(world: &World) {
    for _ in 0..10 {
        world.clock.advance(DAY);
        collect(world).await;
    }
    world.assert_clean().await;
}

/// Fails unless the image can be pulled whole.
pub(super) async fn assert_pullable(world: &World, repository: &str, image: &Image) {
    let client = world.client();
    let reply = client.get(&manifest(repository, &image.manifest.digest)).await.expect(200);
    assert_eq!(reply.body, image.manifest.bytes);
    for content in [&image.config, &image.layer] {
        let reply = client.get(&blob(repository, &content.digest)).await.expect(200);
        assert_eq!(reply.body, content.bytes);
    }
}

/// Fails if the blob that was sent past the registry can be read, but not its bytes.
async fn assert_whole_or_gone(world: &World, content: &Content) {
    let client = world.client();
    let reply = client.head(&blob("app", &content.digest)).await;
    assert_one_of(&reply, &[200, 307, 404]);
    if reply.status != 404 {
        assert_eq!(world.read_blob(&client, "app", &content.digest).await, content.bytes);
    }
}

/// Pushes the blobs of an image, and lets their leases run out.
async fn push_blobs(world: &World, client: &Client, image: &Image) {
    for content in [&image.config, &image.layer] {
        client.push_blob("app", content).await.expect(201);
    }
    world.clock.advance(DAY);
}

#[test]
fn a_manifest_pushed_while_its_blobs_are_collected_is_whole_or_refused() {
    in_every_order(&async |world, first, _| {
        let image = Image::named("app");
        push_blobs(world, &first, &image).await;
        let (pushed, _) = tokio::join!(first.put_manifest("app", "v1", &image.manifest), collect(world));
        assert_one_of(&pushed, &[201, 400]);
        if pushed.status == 201 {
            assert_pullable(world, "app", &image).await;
        }
        collect_the_rest(world).await;
        if pushed.status == 201 {
            assert_pullable(world, "app", &image).await;
        }
    });
}

#[test]
fn a_manifest_whose_blobs_were_looked_at_first_is_never_refused() {
    in_every_order(&async |world, first, _| {
        let image = Image::named("app");
        push_blobs(world, &first, &image).await;
        let push = async {
            for content in [&image.config, &image.layer] {
                if first.head(&blob("app", &content.digest)).await.status == 404 {
                    first.push_blob("app", content).await.expect(201);
                }
            }
            first.put_manifest("app", "v1", &image.manifest).await.expect(201);
        };
        tokio::join!(push, collect(world), collect(world));
        assert_pullable(world, "app", &image).await;
        collect_the_rest(world).await;
        assert_pullable(world, "app", &image).await;
    });
}

#[test]
fn a_blob_pushed_again_while_it_is_collected_is_there() {
    in_every_order(&async |world, first, _| {
        let layer = Content::blob("layer");
        first.push_blob("app", &layer).await.expect(201);
        world.clock.advance(DAY);
        let again = async {
            first.push_blob("app", &layer).await.expect(201);
            first.head(&blob("app", &layer.digest)).await.expect(200);
        };
        tokio::join!(again, collect(world));
        assert_eq!(world.client().get(&blob("app", &layer.digest)).await.expect(200).body, layer.bytes);
        world.clock.advance(Duration::from_secs(2 * 60 * 60));
        collect(world).await;
        assert_eq!(world.client().get(&blob("app", &layer.digest)).await.expect(200).body, layer.bytes);
        collect_the_rest(world).await;
    });
}

#[test]
fn a_blob_pushed_again_while_its_object_is_deleted_is_there() {
    in_every_order(&async |world, first, _| {
        let layer = Content::blob("layer");
        first.push_blob("app", &layer).await.expect(201);
        world.clock.advance(DAY);
        collect(world).await;
        world.clock.advance(Duration::from_secs(60 * 60));
        let (pushed, _, _) = tokio::join!(first.push_blob("app", &layer), collect(world), collect(world));
        pushed.expect(201);
        assert_eq!(world.client().get(&blob("app", &layer.digest)).await.expect(200).body, layer.bytes);
        world.clock.advance(Duration::from_secs(2 * 60 * 60));
        collect(world).await;
        assert_eq!(world.client().get(&blob("app", &layer.digest)).await.expect(200).body, layer.bytes);
        collect_the_rest(world).await;
    });
}

#[test]
fn a_mount_that_was_acknowledged_outlives_the_collection_of_its_source() {
    in_every_order(&async |world, first, second| {
        let layer = Content::blob("layer");
        first.push_blob("app", &layer).await.expect(201);
        world.clock.advance(DAY);
        let (to_one, to_two) =
            (mounting("one", &layer.digest, "app"), format!("/v2/two/blobs/uploads/?mount={}", layer.digest));
        let (one, two, _, _) =
            tokio::join!(first.post(&to_one, ""), second.post(&to_two, ""), collect(world), collect(world));
        for (reply, repository) in [(one, "one"), (two, "two")] {
            assert_one_of(&reply, &[201, 202]);
            let status = if reply.status == 201 { 200 } else { 404 };
            world.client().get(&blob(repository, &layer.digest)).await.expect(status);
        }
        collect_the_rest(world).await;
    });
}

#[test]
fn a_blob_deleted_while_it_is_collected_is_gone_for_good() {
    in_every_order(&async |world, first, _| {
        let layer = Content::blob("layer");
        first.push_blob("app", &layer).await.expect(201);
        world.clock.advance(DAY);
        let path = blob("app", &layer.digest);
        let (deleted, _) = tokio::join!(first.delete(&path), collect(world));
        assert_one_of(&deleted, &[202, 404]);
        world.client().get(&path).await.expect(404);
        collect_the_rest(world).await;
        assert_eq!(world.stored().await.get("object"), None);
    });
}

#[test]
fn a_manifest_deleted_and_pushed_again_beside_collectors_is_whole_or_gone() {
    in_every_order(&async |world, first, second| {
        let image = Image::named("app");
        first.push_image("app", "v1", &image).await.expect(201);
        world.clock.advance(DAY);
        let path = manifest("app", &image.manifest.digest);
        let (deleted, pushed, _, _) = tokio::join!(
            first.delete(&path),
            second.put_manifest("app", "v2", &image.manifest),
            collect(world),
            collect(world)
        );
        deleted.expect(202);
        assert_one_of(&pushed, &[201, 400]);
        if world.client().get(&path).await.status == 200 {
            assert_pullable(world, "app", &image).await;
        }
        collect_the_rest(world).await;
        if world.client().get(&path).await.status == 200 {
            assert_pullable(world, "app", &image).await;
        }
    });
}

#[test]
fn a_manifest_pushed_anew_while_a_deletion_that_did_not_end_is_ended_stays() {
    let config = Content::blob("{}");
    let layers = Content::foreign_layers(60);
    let wide = Content::image(&config, &layers.iter().collect::<Vec<_>>());
    in_every_order(&async |world: &World, first: Client, _| {
        first.push_blob("app", &config).await.expect(201);
        first.put_manifest("app", "v1", &wide).await.expect(201);
        // Its tags are gone, and it is hidden; its edges are not gone.
        world.probe.plan(5, Fault::Killed);
        first.delete(&manifest("app", &wide.digest)).await.expect(503);
        world.probe.reset();
        world.client().get(&manifest("app", &wide.digest)).await.expect(404);
        world.clock.advance(2 * DAY);
        let push = async {
            first.push_blob("app", &config).await.expect(201);
            first.put_manifest("app", &wide.digest, &wide).await.expect(201);
        };
        tokio::join!(push, collect(world), collect(world));
        assert_eq!(world.client().get(&manifest("app", &wide.digest)).await.expect(200).body, wide.bytes);
        collect_the_rest(world).await;
        assert_eq!(world.client().get(&manifest("app", &wide.digest)).await.expect(200).body, wide.bytes);
    });
}

#[test]
fn a_push_that_sleeps_for_days_is_whole_or_refused() {
    in_every_order(&async |world, first, second| {
        let image = Image::named("app");
        for content in [&image.config, &image.layer] {
            first.push_blob("app", content).await.expect(201);
        }
        let (one, two, ()) = tokio::join!(
            first.put_manifest("app", "one", &image.manifest),
            second.put_manifest("app", "two", &image.manifest),
            days_and_collectors(world, 4, 5)
        );
        assert_one_of(&one, &[201, 400, 429]);
        assert_one_of(&two, &[201, 400, 429]);
        for (reply, tag) in [(&one, "one"), (&two, "two")] {
            if reply.status == 201 {
                world.client().get(&manifest("app", tag)).await.expect(200);
                assert_pullable(world, "app", &image).await;
            }
        }
        collect_the_rest(world).await;
    });
}

#[test]
fn a_push_of_a_large_manifest_that_sleeps_for_days_keeps_its_bytes_or_is_refused() {
    let config = Content::blob("{}");
    let fields = serde_json::json!({ "annotations": { "long": "x".repeat(310 * 1024) } });
    let large = Content::image_with(&config, &[], &fields);
    for processes in Processes::BOTH {
        in_orders(SEEDS, World::yielding, processes, &async |world: &World, first: Client, _| {
            first.push_blob("app", &config).await.expect(201);
            let (pushed, ()) =
                tokio::join!(first.put_manifest("app", "v1", &large), days_and_collectors(world, 3, 6));
            assert_one_of(&pushed, &[201, 400, 429]);
            if pushed.status == 201 {
                assert_eq!(world.client().get(&manifest("app", "v1")).await.expect(200).body, large.bytes);
            }
            collect_the_rest(world).await;
            if pushed.status == 201 {
                assert_eq!(world.client().get(&manifest("app", "v1")).await.expect(200).body, large.bytes);
            }
        });
    }
}

#[test]
fn of_two_pushes_of_a_large_manifest_that_sleep_for_days_no_object_is_left() {
    let config = Content::blob("{}");
    let fields = serde_json::json!({ "annotations": { "long": "x".repeat(310 * 1024) } });
    let large = Content::image_with(&config, &[], &fields);
    in_orders(
        SEEDS,
        World::yielding,
        Processes::Two,
        &async |world: &World, first: Client, second: Client| {
            first.push_blob("app", &config).await.expect(201);
            let (one, two, ()) = tokio::join!(
                first.put_manifest("app", "v1", &large),
                second.put_manifest("app", "v2", &large),
                days_and_collectors(world, 3, 6)
            );
            assert_one_of(&one, &[201, 400, 429]);
            assert_one_of(&two, &[201, 400, 429]);
            assert_one_of(&first.delete(&manifest("app", &large.digest)).await, &[202, 404]);
            collect_the_rest(world).await;
            assert_eq!(world.garbage().await, [""; 0]);
        },
    );
}

#[test]
fn a_push_of_many_layers_that_sleeps_for_days_leaves_no_edge() {
    let layers: Vec<Content> = (0..150).map(|number| Content::blob(format!("layer {number}"))).collect();
    let large = Content::image(&Content::blob("{}"), &layers.iter().collect::<Vec<_>>());
    in_every_order(&async |world: &World, first: Client, _| {
        let (pushed, ()) =
            tokio::join!(first.put_manifest("app", "v1", &large), days_and_collectors(world, 6, 1));
        assert_one_of(&pushed, &[400, 429]);
        collect_the_rest(world).await;
    });
}

#[test]
fn an_upload_that_is_finished_while_it_expires_is_a_blob_or_unknown() {
    in_every_order(&async |world, first, _| {
        let layer = Content::blob("layer");
        let location = first.begin("app").await;
        first.patch(&location, "layer").await.expect(202);
        world.clock.advance(7 * DAY - Duration::from_millis(1));
        let expire_and_collect = async {
            for _ in 0..6 {
                tokio::task::yield_now().await;
            }
            world.clock.advance(Duration::from_millis(1));
            collect(world).await;
        };
        let path = committing(&location, &layer.digest);
        let (finished, ()) = tokio::join!(first.put(&path, ""), expire_and_collect);
        assert_one_of(&finished, &[201, 404]);
        let status = if finished.status == 201 { 200 } else { 404 };
        let reply = world.client().get(&blob("app", &layer.digest)).await.expect(status);
        assert!(status == 404 || reply.body == layer.bytes);
        collect_the_rest(world).await;
        assert_eq!(world.stored().await.get("object"), None);
    });
}

#[test]
fn an_adoption_while_its_session_expires_is_a_blob_or_nothing() {
    for processes in Processes::BOTH {
        in_orders(SEEDS, World::direct_yielding, processes, &async |world: &World, first: Client, second| {
            let (first, second, layer) = (first.by_edge(), Client::by_edge(second), Content::blob("layer"));
            let location = first.begin("app").await;
            let id = upload_id(&location);
            world.objects.receive(id.clone(), layer.bytes.clone());
            world.clock.advance(7 * DAY - Duration::from_millis(1));
            let expire_and_collect = async {
                for _ in 0..6 {
                    tokio::task::yield_now().await;
                }
                for _ in 0..3 {
                    world.clock.advance(7 * DAY);
                    collect(world).await;
                    assert_whole_or_gone(world, &layer).await;
                }
            };
            let (one, two, ()) = tokio::join!(first.adopt(&id), second.adopt(&id), expire_and_collect);
            // The blob of the one may be gone before the other has found out that it was too late.
            for adopted in [one, two] {
                assert!(matches!(adopted, Ok(_) | Err(Error::BlobUnknown { .. })), "{adopted:?}");
            }
            collect_the_rest(world).await;
            assert_eq!(world.stored().await.get("object"), None);
        });
    }
}

#[test]
fn many_collectors_at_once_take_everything_once() {
    in_every_order(&async |world, first, _| {
        let (gone, kept) = (Image::named("gone"), Image::named("kept"));
        first.push_image("app", "gone", &gone).await.expect(201);
        first.push_image("app", "kept", &kept).await.expect(201);
        first.delete(&manifest("app", &gone.manifest.digest)).await.expect(202);
        world.clock.advance(DAY);
        let (one, two, three) = tokio::join!(collect(world), collect(world), collect(world));
        let gone_bytes = one.gone_bytes() + two.gone_bytes() + three.gone_bytes();
        assert!(gone_bytes <= (gone.layer.bytes.len() + gone.config.bytes.len()) as u64);
        collect_the_rest(world).await;
        assert_pullable(world, "app", &kept).await;
        assert_eq!(world.stored().await["object"], 2);
    });
}
