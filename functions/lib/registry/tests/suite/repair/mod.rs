//! Repairs: what storage alone can bring back comes back, and the rest is named and heals by a push.

mod suspects;

use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use oci::Digest;
use registry::jobs::garbage_collection::{Budget, Policy};
use registry::jobs::repair::{Quarantine, Report, Shop};
use registry::ports::{
    Condition, Item, ItemStore, Key, ObjectKey, ObjectStore, StoreError, Unreadable, Version, Write,
};
use registry::records::{BlobState, LinkState, Record, keys};

use crate::client::{blob, manifest, mounting, uploads};
use crate::content::{Content, Image};
use crate::probe::Fault;
use crate::world::World;

/// Remembers what it was given.
#[derive(Default)]
struct Shed(Mutex<Vec<ObjectKey>>);

struct Keeper<'a> {
    shed: &'a Shed,
    world: &'a World,
}

#[async_trait]
impl Quarantine for Keeper<'_> {
    async fn take_object(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.shed.0.lock().unwrap().push(key.clone());
        self.world.objects.delete(key).await?;
        self.world.objects.abort(key, &Default::default()).await
    }

    async fn take_row(&self, _row: &Unreadable) -> Result<(), StoreError> {
        Ok(())
    }
}

async fn repair(world: &World) -> Report {
    let (registry, shed) = (world.registry(), Shed::default());
    let keeper = Keeper { shed: &shed, world };
    let shop = Shop {
        registry: &registry,
        items: &*world.items,
        objects: &*world.objects,
        quarantine: Some(&keeper),
        is_deep: true,
    };
    let before = world.all_items().await;
    let foreseen = shop.rehearse(&|_, _| {}).await.unwrap();
    assert_eq!(world.all_items().await, before, "a rehearsal changes nothing");
    let report = shop.repair(&|_, _| {}).await.unwrap();
    assert_eq!(Report { is_rehearsal: false, ..foreseen }, report, "a rehearsal says what a repair does");
    report
}

/// A registry with an image, an index, a referrer, a mount, a large manifest and an open upload.
async fn furnished() -> (World, Image) {
    let world = World::new();
    let (client, image, other) = (world.client(), Image::named("app"), Image::named("arm"));
    client.push_image("team/app", "1", &image).await.expect(201);
    client.push_image("team/app", "2", &image).await.expect(201);
    client.push_image("team/app", &other.manifest.digest, &other).await.expect(201);
    let index = Content::index(&[&image.manifest, &other.manifest]);
    client.put_manifest("team/app", "multi", &index).await.expect(201);
    let signature = Content::referrer(&image.config, &image.manifest, "application/vnd.signature");
    client.put_manifest("team/app", &signature.digest, &signature).await.expect(201);
    for layer in [&image.layer, &image.config] {
        client.post(&mounting("web", &layer.digest, "team/app"), "").await.expect(201);
    }
    client.put_manifest("web", "1", &image.manifest).await.expect(201);
    let long = serde_json::json!({ "annotations": { "long": "x".repeat(400 * 1024) } });
    let large = Content::image_with(&image.config, &[&image.layer], &long);
    client.put_manifest("team/app", "large", &large).await.expect(201);
    let upload = client.post(&uploads("team/app"), "").await.expect(202).location();
    client.patch(&upload, "the first bytes").await.expect(202);
    world.fsck().await;
    (world, image)
}

async fn write(world: &World, write: Write) {
    world.items.transact(vec![write]).await.unwrap();
}

async fn change(world: &World, item: &Item, record: Record) {
    let changed = Item { record, version: Version::new("changed"), key: item.key.clone() };
    write(world, Write::Put(changed, Condition::Always)).await;
}

async fn object_of(world: &World, digest: &str) -> ObjectKey {
    let key = keys::blob(&digest.parse::<Digest>().unwrap());
    let item = world.items.get(&[key]).await.unwrap().pop().unwrap().unwrap();
    item.record.as_blob().unwrap().object.clone()
}

/// What an item says that a client could notice, or a collector.
fn essence(item: &Item) -> Option<(String, String)> {
    let record = match item.record.clone() {
        // What watches over garbage may be written again.
        Record::Suspect(_) => return None,
        Record::Link(mut link) => {
            link.lease_until = Default::default();
            link.origin = registry::records::LinkOrigin::Uploaded;
            Record::Link(link)
        }
        record => record,
    };
    Some((format!("{}/{}", item.key.pk, item.key.sk), format!("{record:?}")))
}

async fn essences(world: &World) -> Vec<(String, String)> {
    world.all_items().await.iter().filter_map(essence).collect()
}

#[tokio::test]
async fn every_row_that_others_know_of_is_written_again() {
    let (world, _) = furnished().await;
    let before = essences(&world).await;
    let mut count = 0;
    for item in world.all_items().await {
        let is_known = match &item.record {
            Record::Edge(edge) => edge.left.is_none(),
            Record::Catalog | Record::Link(_) | Record::Blob(_) | Record::BlobEdge => true,
            Record::Referrer(_) | Record::OpenUpload => true,
            _ => false,
        };
        if !is_known {
            continue;
        }
        count += 1;
        write(&world, Write::Delete(item.key.clone(), Condition::Always)).await;
        assert_ne!(world.broken().await, Vec::<String>::new(), "{item:?} is missed");
        let report = repair(&world).await;
        assert_eq!(report.losses, [], "{item:?}");
        assert_eq!(report.mends.len(), 1, "{item:?}: {report:#?}");
        world.fsck().await;
        assert_eq!(essences(&world).await, before, "{item:?}");
    }
    assert!(count >= 25, "{count}");
}

#[tokio::test]
async fn every_length_and_object_that_is_wrong_is_put_right() {
    let (world, _) = furnished().await;
    let before = essences(&world).await;
    let elsewhere = ObjectKey::stored("data/00/elsewhere");
    let mut count = 0;
    for item in world.all_items().await {
        let mut wrong = Vec::new();
        match item.record.clone() {
            Record::Link(link) => {
                let mut moved = link.clone();
                moved.object = elsewhere.clone();
                let mut longer = link;
                longer.size_bytes += 1;
                wrong.extend([Record::Link(moved), Record::Link(longer)]);
            }
            Record::Blob(blob) => {
                let (mut moved, mut longer, mut dead) = (blob.clone(), blob.clone(), blob);
                moved.object = elsewhere.clone();
                longer.size_bytes += 1;
                dead.state = BlobState::Dead;
                wrong.extend([Record::Blob(moved), Record::Blob(longer), Record::Blob(dead)]);
            }
            Record::Tag(mut tag) => {
                tag.size_bytes += 1;
                wrong.push(Record::Tag(tag));
            }
            Record::Manifest(mut manifest) => {
                manifest.size_bytes += 1;
                wrong.push(Record::Manifest(manifest));
            }
            _ => {}
        }
        for record in wrong {
            count += 1;
            change(&world, &item, record.clone()).await;
            assert_ne!(world.broken().await, Vec::<String>::new(), "{record:?} is missed");
            assert_eq!(repair(&world).await.losses, [], "{record:?}");
            world.fsck().await;
            assert_eq!(essences(&world).await, before, "{record:?}");
        }
    }
    assert!(count >= 20, "{count}");
}

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
async fn a_row_in_the_wrong_place_goes_aside() {
    let (world, _) = furnished().await;
    let edge =
        world.all_items().await.into_iter().find(|item| matches!(item.record, Record::Edge(_))).unwrap();
    let before = essences(&world).await;
    for (pk, sk, record) in [
        (edge.key.pk.as_str(), "nonsense", edge.record.clone()),
        ("CAT#0", "No Name", Record::Catalog),
        ("X", "Y", Record::BlobEdge),
    ] {
        let key = Key::new(pk, sk);
        let item = Item { key: key.clone(), version: Version::new("1"), record };
        write(&world, Write::Put(item, Condition::Always)).await;
        assert_ne!(world.broken().await, Vec::<String>::new(), "{key:?} is missed");
        assert_eq!(repair(&world).await.losses, [], "{key:?}");
        world.fsck().await;
        assert_eq!(essences(&world).await, before, "{key:?}");
    }
}

/// What a client could miss if it went.
fn is_content(item: &Item) -> bool {
    let is_watched = matches!(item.record, Record::Suspect(_) | Record::Upload(_) | Record::OpenUpload);
    !is_watched && !matches!(item.record, Record::History(_) | Record::Event(_))
}

#[tokio::test]
async fn a_row_that_stays_unread_for_weeks_costs_nothing_when_it_can_be_read_again() {
    let (world, _) = furnished().await;
    let count = world.all_items().await.len();
    for number in 0..count {
        let (world, _) = furnished().await;
        let before: Vec<Item> = world.all_items().await.into_iter().filter(is_content).collect();
        let Some(row) = before.get(number) else { return assert!(number >= 40, "{number} rows") };
        world.items.spoil(row.key.clone());
        let registry = world.registry();
        let (items, objects) = (&*world.items, &*world.objects);
        let shop = Shop { registry: &registry, items, objects, quarantine: None, is_deep: true };
        let named = format!("item {}/{}", row.key.pk, row.key.sk);
        let losses = shop.repair(&|_, _| {}).await.unwrap().losses;
        assert!(losses.iter().any(|loss| loss.what == named), "{losses:?}");
        for _ in 0..3 {
            world.clock.advance(std::time::Duration::from_secs(9 * 24 * 60 * 60));
            let report = world.collector(Policy::default()).run(&Budget::ALL, None).await;
            assert_eq!(report.error, None, "{row:?}");
        }
        write(&world, Write::Put(row.clone(), Condition::Always)).await;
        world.fsck().await;
        let (before, after): (Vec<_>, _) =
            (before.iter().filter_map(essence).collect(), essences(&world).await);
        assert!(before.iter().all(|row| after.contains(row)), "{row:?}: {after:#?}");
    }
}
