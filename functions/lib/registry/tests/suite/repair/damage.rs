//! Bytes that are lost, damaged, or nobody's.

use bytes::Bytes;
use oci::Digest;
use registry::jobs::repair::{Quarantine, Shop};
use registry::ports::{Condition, ItemStore, ObjectKey, ObjectStore, Write};
use registry::records::{LinkState, Record, keys};

use super::{Keeper, Shed, change, essences, furnished, object_of, repair, write};
use crate::client::{blob, manifest};
use crate::content::{Content, Image};
use crate::probe::Fault;
use crate::world::World;

#[derive(Clone, Copy, Debug)]
enum Damage {
    Gone,
    Rotten,
    Short,
}

async fn damage(world: &World, object: &ObjectKey, damage: Damage) {
    match damage {
        Damage::Gone => world.objects.delete(object).await.unwrap(),
        Damage::Rotten => world.objects.put(object, Bytes::from_static(b"rotten")).await.unwrap(),
        Damage::Short => world.objects.put(object, Bytes::new()).await.unwrap(),
    }
}

#[tokio::test]
async fn a_layer_that_is_lost_is_named_and_a_push_brings_it_back() {
    for kind in [Damage::Gone, Damage::Rotten, Damage::Short] {
        let (world, image) = furnished().await;
        let (client, layer) = (world.client(), &image.layer);
        damage(&world, &object_of(&world, &layer.digest).await, kind).await;
        let broken = world.broken().await;
        assert!(broken.iter().any(|line| line.contains(&layer.digest)), "{kind:?}: {broken:#?}");

        let report = repair(&world).await;
        let named = |what: &str| report.losses.iter().any(|loss| loss.what.contains(what));
        assert!(named("team/app:1") && named("team/app:2") && named("web:1"), "{report:#?}");
        assert!(named("team/app:large") && named("team/app:multi"), "{report:#?}");
        client.head(&blob("team/app", &layer.digest)).await.expect(404);
        client.get(&manifest("team/app", "1")).await.expect(404);
        client.get(&manifest("team/app", "multi")).await.expect(200);
        let arm = Image::named("arm");
        client.get(&manifest("team/app", &arm.manifest.digest)).await.expect(200);

        let again = repair(&world).await;
        assert_eq!(again.mends, [], "{kind:?}: there is nothing to mend twice");
        assert!(!again.losses.is_empty());

        for (repository, tag) in [("team/app", "1"), ("web", "1")] {
            client.push_image(repository, tag, &image).await.expect(201);
        }
        let long = serde_json::json!({ "annotations": { "long": "x".repeat(400 * 1024) } });
        let large = Content::image_with(&image.config, &[&image.layer], &long);
        client.put_manifest("team/app", "large", &large).await.expect(201);
        let signature = Content::referrer(&image.config, &image.manifest, "application/vnd.signature");
        client.put_manifest("team/app", &signature.digest, &signature).await.expect(201);
        world.fsck().await;
        assert_eq!(repair(&world).await.losses, []);
        for repository in ["team/app", "web"] {
            let reply = client.get(&blob(repository, &layer.digest)).await.expect(200);
            assert_eq!(reply.body, layer.bytes);
        }
        client.get(&manifest("team/app", "2")).await.expect(200);
        world.collect_for(400).await;
        world.fsck().await;
    }
}

#[tokio::test]
async fn a_manifest_whose_bytes_are_lost_comes_from_another_repository_or_is_named() {
    let (world, image) = furnished().await;
    let digest: Digest = image.manifest.digest.parse().unwrap();
    let lose = async |repository: &str| {
        let key = keys::manifest(&repository.parse().unwrap(), &digest);
        let item = world.items.get(&[key]).await.unwrap().pop().unwrap().unwrap();
        let mut record = item.record.as_manifest().unwrap().clone();
        record.body = registry::records::ManifestBody::Inline(Bytes::from_static(b"{}"));
        change(&world, &item, Record::Manifest(record)).await;
    };
    lose("web").await;
    assert_ne!(world.broken().await, Vec::<String>::new());
    assert_eq!(repair(&world).await.losses, []);
    world.fsck().await;
    lose("web").await;
    lose("team/app").await;
    let report = repair(&world).await;
    assert!(report.losses.iter().any(|loss| loss.what.contains("web:1")), "{report:#?}");
    let client = world.client();
    client.get(&manifest("web", "1")).await.expect(404);
    client.head(&blob("web", &image.layer.digest)).await.expect(200);
    for repository in ["team/app", "web"] {
        client.put_manifest(repository, "1", &image.manifest).await.expect(201);
    }
    world.fsck().await;
    assert_eq!(repair(&world).await.losses, []);
}

#[tokio::test]
async fn what_nothing_leads_to_goes_aside_and_the_collector_keeps_its_own() {
    let (world, image) = furnished().await;
    let orphan = ObjectKey::stored("data/00/orphan");
    world.objects.put(&orphan, Bytes::from_static(b"whose?")).await.unwrap();
    let report = repair(&world).await;
    assert!(report.mends.iter().any(|mend| mend.what.contains("orphan")), "{report:#?}");
    assert_eq!(world.objects.head(&orphan).await.unwrap(), None);

    // Without a quarantine it is the collector's, once no upload can want it.
    world.objects.put(&orphan, Bytes::from_static(b"whose?")).await.unwrap();
    let registry = world.registry();
    let (items, objects) = (&*world.items, &*world.objects);
    let shop = Shop { registry: &registry, items, objects, quarantine: None, is_deep: true };
    shop.repair(&|_, _| {}).await.unwrap();
    world.collect_for(24).await;
    assert_eq!(world.objects.head(&orphan).await.unwrap(), Some(6));
    world.collect_for(8 * 24).await;
    assert_eq!(world.objects.head(&orphan).await.unwrap(), None);
    world.client().get(&blob("team/app", &image.layer.digest)).await.expect(200);
    world.fsck().await;
}

/// A registry that came to harm in several ways.
async fn harmed() -> World {
    let (world, image) = furnished().await;
    damage(&world, &object_of(&world, &image.layer.digest).await, Damage::Rotten).await;
    world.objects.put(&ObjectKey::stored("data/00/orphan"), Bytes::from_static(b"whose?")).await.unwrap();
    let digest: Digest = image.config.digest.parse().unwrap();
    for key in [keys::blob(&digest), keys::blob_edge(&digest, &"web".parse().unwrap())] {
        write(&world, Write::Delete(key, Condition::Always)).await;
    }
    world
}

#[tokio::test]
async fn what_a_repair_left_that_was_killed_anywhere_the_next_one_does() {
    let world = harmed().await;
    let losses = repair(&world).await.losses;
    let (expected, objects) = (essences(&world).await, world.stored().await.get("object").copied());
    for fault in [Fault::Killed, Fault::LostReply] {
        for at in 0.. {
            let world = harmed().await;
            let (registry, shed) = (world.registry(), Shed::default());
            let keeper = Keeper { shed: &shed, world: &world };
            let (items, objects_store) = (&*world.items, &*world.objects);
            let quarantine = Some(&keeper as &dyn Quarantine);
            let shop = Shop { registry: &registry, items, objects: objects_store, quarantine, is_deep: true };
            world.probe.plan(at, fault);
            let is_done = shop.repair(&|_, _| {}).await.is_ok();
            world.probe.reset();
            let again = repair(&world).await.losses.len();
            assert_eq!(essences(&world).await, expected, "{fault:?} at call {at}");
            assert_eq!(world.stored().await.get("object").copied(), objects, "{fault:?} at call {at}");
            assert!(again > 0 && again <= losses.len() + 2, "{fault:?} at call {at}");
            if is_done {
                assert!(at > 2, "{fault:?}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn an_upload_that_lost_bytes_ends_and_a_mount_that_was_not_confirmed_stays_one() {
    let (world, image) = furnished().await;
    let name = "web".parse().unwrap();
    let key = keys::link(&name, &image.layer.digest.parse().unwrap());
    let item = world.items.get(&[key]).await.unwrap().pop().unwrap().unwrap();
    let mut link = item.record.as_link().unwrap().clone();
    link.state = LinkState::Pending;
    write(
        &world,
        Write::Delete(keys::manifest(&name, &image.manifest.digest.parse().unwrap()), Condition::Always),
    )
    .await;
    change(&world, &item, Record::Link(link)).await;
    for item in world.all_items().await {
        if let Some(upload) = item.record.as_upload().filter(|upload| upload.append.size_bytes == 15) {
            world.objects.abort(&upload.object, &upload.append).await.unwrap();
        }
    }
    assert!(world.broken().await.iter().any(|line| line.starts_with("upload ")));
    let report = repair(&world).await;
    assert!(report.mends.iter().any(|mend| mend.what.starts_with("upload ")), "{report:#?}");
    world.client().head(&blob("web", &image.layer.digest)).await.expect(404);
    assert!(world.broken().await.iter().all(|line| line.starts_with("tag web:1")));
}

#[tokio::test]
async fn a_manifest_whose_edge_was_repaired_is_deleted_with_its_tags() {
    let (world, image) = (World::new(), Image::named("app"));
    for tag in ["v1", "v2"] {
        world.client().push_image("app", tag, &image).await.expect(201);
    }
    let (repository, digest) = ("app".parse().unwrap(), image.manifest.digest.parse().unwrap());
    let edge = keys::edge_from_tag(&repository, &digest, &"v1".parse().unwrap());
    write(&world, Write::Delete(edge, Condition::Present)).await;
    assert_eq!(repair(&world).await.mends.len(), 1);
    world.client().delete(&manifest("app", &image.manifest.digest)).await.expect(202);
    for tag in ["v1", "v2"] {
        world.client().get(&manifest("app", tag)).await.expect(404);
    }
    world.fsck().await;
    assert_eq!(world.stored().await.get("tag"), None);
}
