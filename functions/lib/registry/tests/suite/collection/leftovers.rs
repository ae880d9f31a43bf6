//! What killed processes leave: pushes, deletions, uploads, mounts and adoptions that did not end.

use oci::{Digest, RepositoryName};
use registry::jobs::garbage_collection::{Kind, Policy};
use registry::ports::{Clock, Condition, Item, ItemStore, Version, Write};
use registry::records::{LinkOrigin, LinkRecord, LinkState, ManifestState, Record, SuspectRecord, keys};

use super::{DAY, HOUR, LONG_HOURS, gone};
use crate::client::{blob, committing, manifest, mounting, upload_id};
use crate::content::{Content, Image};
use crate::probe::Fault;
use crate::world::World;

/// Runs `work` in a process that dies at each of its calls in turn, until it is done, and collects; nothing is left.
async fn killed_everywhere(
    prepare: impl AsyncFn(&World),
    work: impl AsyncFn(&World) -> u16,
    clean_up: impl AsyncFn(&World),
) {
    let mut at = 0;
    loop {
        let world = World::new();
        prepare(&world).await;
        world.probe.plan(at, Fault::Killed);
        let status = work(&world).await;
        world.probe.reset();
        world.fsck().await;
        world.collect_for(LONG_HOURS).await;
        world.fsck().await;
        clean_up(&world).await;
        world.collect_for(LONG_HOURS).await;
        world.assert_clean().await;
        let stored = world.stored().await;
        for kind in ["object", "link", "blob", "blob_edge", "edge", "manifest", "upload", "open_upload"] {
            assert_eq!(stored.get(kind), None, "killed at call {at}");
        }
        if status < 500 {
            return assert!(at > 0);
        }
        at += 1;
    }
}

/// Leaves what a mount leaves whose store is busy, and whose process dies before the mount is confirmed.
async fn mount_without_end(world: &World, repository: &str, layer: &Content, source: &str) {
    let (name, source): (RepositoryName, RepositoryName) =
        (repository.parse().unwrap(), source.parse().unwrap());
    let digest: Digest = layer.digest.parse().unwrap();
    let found = world.items.get(&[keys::link(&source, &digest)]).await.unwrap().pop().unwrap().unwrap();
    let lease_until = world.clock.now().after(DAY);
    let origin = LinkOrigin::Mounted(source);
    let state = LinkState::Pending;
    let link = LinkRecord { state, lease_until, origin, ..found.record.as_link().unwrap().clone() };
    let suspect = SuspectRecord::Link { repository: name.clone(), digest: digest.clone() };
    let put = |key, record| Write::Put(Item { key, version: Version::new("1"), record }, Condition::Absent);
    let writes = vec![
        put(keys::blob_edge(&digest, &name), Record::BlobEdge),
        put(keys::link(&name, &digest), Record::Link(link)),
        put(keys::suspect(lease_until, &suspect), Record::Suspect(suspect)),
    ];
    world.items.transact(writes).await.unwrap();
}

/// Deletes whatever can be seen.
async fn delete_all(world: &World) {
    let client = world.client();
    for item in world.all_items().await {
        if item.record.as_manifest().is_some_and(|manifest| manifest.state.is_visible()) {
            let repository = item.key.pk.trim_start_matches("R#").trim_end_matches("#M");
            client.delete(&manifest(repository, &item.key.sk)).await;
        }
    }
}

#[tokio::test]
async fn a_push_killed_anywhere_leaves_nothing() {
    killed_everywhere(
        async |_: &World| {},
        async |world: &World| {
            let (client, image) = (world.client(), Image::named("app"));
            for content in [&image.config, &image.layer] {
                let location = client.post("/v2/app/blobs/uploads/", "").await;
                if location.status != 202 {
                    return location.status.as_u16();
                }
                let location = location.location();
                let patched = client.patch(&location, content.bytes.clone()).await;
                if patched.status != 202 {
                    return patched.status.as_u16();
                }
                let put = client.put(&committing(&location, &content.digest), "").await;
                if put.status != 201 {
                    return put.status.as_u16();
                }
            }
            client.put_manifest("app", "v1", &image.manifest).await.status.as_u16()
        },
        delete_all,
    )
    .await;
}

#[tokio::test]
async fn a_push_of_a_large_manifest_killed_anywhere_leaves_nothing() {
    let config = Content::blob("{}");
    let fields = serde_json::json!({ "annotations": { "long": "x".repeat(400 * 1024) } });
    let layers: Vec<Content> = (0..150).map(|number| Content::blob(format!("layer {number}"))).collect();
    let large = Content::image_with(&config, &layers.iter().collect::<Vec<_>>(), &fields);
    killed_everywhere(
        async |world: &World| {
            for content in layers.iter().chain([&config]) {
                world.client().push_blob_by_put("app", content).await.expect(201);
            }
        },
        async |world: &World| world.client().put_manifest("app", "v1", &large).await.status.as_u16(),
        delete_all,
    )
    .await;
}

#[tokio::test]
async fn a_refused_push_killed_anywhere_leaves_nothing() {
    let config = Content::blob("{}");
    let layers: Vec<Content> = (0..150).map(|number| Content::blob(format!("layer {number}"))).collect();
    let large = Content::image(&config, &layers.iter().collect::<Vec<_>>());
    killed_everywhere(
        async |world: &World| {
            for content in &layers {
                world.client().push_blob_by_put("app", content).await.expect(201);
            }
            // What watches over the blobs looks at them while the push is under way.
            world.clock.advance(DAY);
        },
        async |world: &World| {
            let (client, at_once) = (world.client(), world.collector(Policy::default()));
            let (pushed, _) = tokio::join!(
                client.put_manifest("app", "v1", &large),
                at_once.run(&super::budgets::ALL, None)
            );
            pushed.status.as_u16()
        },
        delete_all,
    )
    .await;
}

#[tokio::test]
async fn a_deletion_killed_anywhere_leaves_nothing() {
    let image = Image::named("app");
    killed_everywhere(
        async |world: &World| {
            world.client().push_image("app", "v0", &image).await.expect(201);
            for number in 1..40 {
                world.client().put_manifest("app", &format!("v{number}"), &image.manifest).await.expect(201);
            }
        },
        async |world: &World| {
            world.client().delete(&manifest("app", &image.manifest.digest)).await.status.as_u16()
        },
        delete_all,
    )
    .await;
}

#[tokio::test]
async fn a_manifest_whose_deletion_did_not_end_is_live_again_or_gone() {
    let (image, mut at) = (Image::named("app"), 0);
    loop {
        let world = World::new();
        world.client().push_image("app", "v1", &image).await.expect(201);
        world.probe.plan(at, Fault::Killed);
        let status = world.client().delete(&manifest("app", &image.manifest.digest)).await.status;
        world.probe.reset();
        world.collect_for(48).await;
        let key = keys::manifest(&"app".parse().unwrap(), &image.manifest.digest.parse().unwrap());
        let item = world.items.get(&[key]).await.unwrap().pop().unwrap();
        let state = item.map(|item| item.record.as_manifest().unwrap().state);
        assert!(matches!(state, None | Some(ManifestState::Live)), "killed at call {at}: {state:?}");
        if status == 202 {
            return assert_eq!(state, None);
        }
        at += 1;
    }
}

#[tokio::test]
async fn the_blobs_of_a_refused_push_go_even_if_a_collector_saw_it() {
    let (world, image) = (World::new(), Image::named("app"));
    let client = world.client();
    client.push_blob("app", &image.config).await.expect(201);
    // The push is prepared, its process dies, and the collector finds the configuration needed by it.
    world.clock.advance(DAY - HOUR);
    world.probe.plan(1, Fault::Killed);
    client.put_manifest("app", "v1", &image.manifest).await.expect(503);
    world.probe.reset();
    world.clock.advance(2 * HOUR);
    assert_eq!(world.collect().await.gone, []);
    client.get(&blob("app", &image.config.digest)).await.expect(200);
    // The same push again takes its place over, and is refused: the layer is not there.
    client.put_manifest("app", "v1", &image.manifest).await.expect(400);
    world.collect_for(LONG_HOURS).await;
    world.assert_clean().await;
    client.get(&blob("app", &image.config.digest)).await.expect(404);
}

#[tokio::test]
async fn an_upload_that_nobody_finished_goes_with_its_bytes() {
    let world = World::new();
    let client = world.client();
    let location = client.begin("app").await;
    client.patch(&location, "half of it").await.expect(202);
    world.clock.advance(7 * DAY - HOUR);
    assert_eq!(world.collect().await.gone, []);
    client.get(&location).await.expect(204);
    world.clock.advance(HOUR);
    let report = world.collect().await;
    assert_eq!((gone(&report, Kind::Upload), report.gone_bytes()), (1, 10));
    client.get(&location).await.expect(404);
    world.clock.advance(HOUR);
    world.collect().await;
    assert_eq!(world.stored().await.len(), 0);
}

#[tokio::test]
async fn the_session_of_a_blob_goes_and_the_blob_stays() {
    let (world, image) = (World::new(), Image::named("app"));
    let client = world.client();
    client.push_image("app", "v1", &image).await.expect(201);
    let report = world.collect_for(LONG_HOURS).await;
    assert_eq!((report.gone.len(), report.objects_deleted), (0, 0));
    assert_eq!(world.stored().await.get("upload"), None);
    assert_eq!(client.get(&blob("app", &image.layer.digest)).await.expect(200).body, image.layer.bytes);
}

#[tokio::test]
async fn bytes_that_the_registry_had_already_go() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let (world, other) = (world.leaving_garbage(), Content::blob("other"));
    let client = world.client();
    let config = Content::blob("{}");
    for content in [&layer, &other, &config, &layer] {
        client.push_blob("app", content).await.expect(201);
    }
    // A commit in another algorithm finishes the object before it knows that the blob is there.
    for _ in 0..2 {
        let location = client.begin("app").await;
        client.patch(&location, layer.bytes.clone()).await.expect(202);
        let digest = crate::content::sha512(&layer.bytes);
        client.put(&committing(&location, &digest), "").await.expect(201);
    }
    let image = Content::image(&config, &[&layer, &other]);
    client.put_manifest("app", "v1", &image).await.expect(201);
    assert_eq!(world.stored().await["object"], 5);
    world.collect_for(LONG_HOURS).await;
    world.assert_clean().await;
    assert_eq!(world.stored().await["object"], 3);
    assert_eq!(client.get(&blob("app", &layer.digest)).await.expect(200).body, layer.bytes);
}

#[tokio::test]
async fn a_mount_that_was_never_confirmed_goes_when_its_lease_is_over() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let client = world.client();
    client.push_blob("app", &layer).await.expect(201);
    mount_without_end(&world, "other", &layer, "app").await;
    client.get(&blob("other", &layer.digest)).await.expect(404);
    world.clock.advance(DAY);
    let report = world.collect().await;
    assert_eq!((gone(&report, Kind::Link), gone(&report, Kind::Blob)), (2, 1));
    client.post(&mounting("other", &layer.digest, "app"), "").await.expect(202);
    world.collect_for(LONG_HOURS).await;
    world.assert_clean().await;
}

#[tokio::test]
async fn of_all_copies_of_a_direct_upload_the_blobs_own_stays() {
    let (world, image) = (World::direct(), Image::named("app"));
    let client = world.client().by_edge();
    let id = world.send_direct(&client, "app", &image.layer).await;
    // Attempts that die after the copy, and one that comes through.
    for _ in 0..3 {
        world.probe.plan(4, Fault::Killed);
        client.adopt(&id).await.unwrap_err();
    }
    world.probe.reset();
    client.adopt(&id).await.unwrap().unwrap();
    client.push_blob("app", &image.config).await.expect(201);
    client.put_manifest("app", "v1", &image.manifest).await.expect(201);
    assert_eq!(world.stored().await["object"], 5);
    let report = world.collect_for(LONG_HOURS).await;
    assert_eq!(gone(&report, Kind::Adoption), 3);
    assert_eq!(world.stored().await["object"], 2);
    assert_eq!(world.read_blob(&client, "app", &image.layer.digest).await, image.layer.bytes);
    world.assert_clean().await;
}

#[tokio::test]
async fn a_direct_upload_that_was_never_taken_over_goes() {
    let world = World::direct();
    let client = world.client().by_edge();
    let location = client.begin("app").await;
    assert!(client.adopt(&upload_id(&location)).await.unwrap().is_none());
    world.collect_for(LONG_HOURS).await;
    world.assert_clean().await;
    assert_eq!(world.stored().await.len(), 0);
}

#[tokio::test]
async fn a_collector_that_dies_anywhere_is_followed_by_one_that_does_the_rest() {
    let mut at = 0;
    loop {
        let (world, gone, kept) = (World::new(), Image::named("gone"), Image::named("kept"));
        let client = world.client();
        client.push_image("app", "v1", &gone).await.expect(201);
        client.push_image("app", "v2", &kept).await.expect(201);
        client.delete(&manifest("app", &gone.manifest.digest)).await.expect(202);
        world.clock.advance(8 * DAY);
        world.probe.plan(at, Fault::Killed);
        let died = world.collector(Policy::default()).run(&super::budgets::ALL, None).await;
        world.probe.reset();
        world.fsck().await;
        client.get(&blob("app", &kept.layer.digest)).await.expect(200);
        world.collect_for(LONG_HOURS).await;
        world.assert_clean().await;
        assert_eq!(world.stored().await["object"], 2);
        if died.error.is_none() {
            return assert!(at > 20, "only {at} calls");
        }
        at += 1;
    }
}

#[tokio::test]
async fn every_fault_at_every_call_of_a_collector_is_made_good_by_the_next() {
    let mut cases = 0;
    for fault in Fault::ALL {
        let mut at = 0;
        loop {
            let (world, gone) = (World::new(), Image::named("gone"));
            let client = world.client();
            client.push_image("app", "v1", &gone).await.expect(201);
            client.post(&mounting("other", &gone.layer.digest, "app"), "").await.expect(201);
            client.delete(&manifest("app", &gone.manifest.digest)).await.expect(202);
            let unfinished = client.begin("app").await;
            client.patch(&unfinished, "bytes").await.expect(202);
            world.clock.advance(9 * DAY);
            world.probe.plan(at, fault);
            let collector = world.collector(Policy::default());
            collector.run(&super::budgets::ALL, None).await;
            let calls = world.probe.calls().len();
            world.probe.reset();
            world.fsck().await;
            world.collect_for(LONG_HOURS).await;
            world.assert_clean().await;
            assert_eq!(world.stored().await.get("object"), None, "{fault:?} at call {at}");
            if calls < at {
                break;
            }
            at += 1;
        }
        assert!(at > 20, "only {at} calls");
        cases += at;
    }
    println!("a collector: {cases} cases of call x fault");
}
