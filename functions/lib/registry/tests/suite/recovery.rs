//! Recovery: a table that was restored to an earlier time, beside a bucket that went on.
//!
//! The rule: what the bucket keeps of deleted objects goes back further than the table does.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use registry::jobs::repair::{Report, Shop};
use registry::ports::{
    Clock, Condition, Item, ItemStore, ObjectKey, ObjectScan, ObjectStore, Timestamp, Write,
};
use registry::testing::SeededRandom;

use crate::client::{Client, blob, manifest, mounting, uploads};
use crate::content::Image;
use crate::world::World;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// What a bucket with versions keeps of what was deleted.
#[derive(Default)]
struct Versions(Vec<(ObjectKey, Bytes, Timestamp)>);

async fn objects(world: &World) -> BTreeMap<ObjectKey, Bytes> {
    let mut objects = BTreeMap::new();
    for info in world.objects.scan().await.unwrap().into_iter().filter(|info| !info.is_unfinished) {
        let stream = world.objects.get(&info.key, 0..info.size_bytes).await.unwrap().unwrap();
        let pieces: Vec<Bytes> = stream.map(Result::unwrap).collect().await;
        objects.insert(info.key, Bytes::from(pieces.concat()));
    }
    objects
}

impl Versions {
    /// Collects garbage; the bucket keeps what goes.
    async fn collect(&mut self, world: &World) {
        let before = objects(world).await;
        world.collect().await;
        let (after, now) = (objects(world).await, world.clock.now());
        let gone = before.into_iter().filter(|(key, _)| !after.contains_key(key));
        self.0.extend(gone.map(|(key, bytes)| (key, bytes, now)));
    }

    /// Takes the deletions back that came after this time, as removing delete markers does.
    async fn take_back(&self, world: &World, since: Timestamp) {
        for (key, bytes, _) in self.0.iter().filter(|(_, _, at)| *at >= since) {
            world.objects.put(key, bytes.clone()).await.unwrap();
        }
    }
}

/// Takes away parts of uploads, as the bucket's own rule does after eight days.
async fn end_unfinished(world: &World) {
    for info in world.objects.scan().await.unwrap().into_iter().filter(|info| info.is_unfinished) {
        world.objects.abort(&info.key, &Default::default()).await.unwrap();
    }
}

/// Makes the table what it was.
async fn restore(world: &World, table: &[Item]) {
    for item in world.all_items().await {
        world.items.transact(vec![Write::Delete(item.key, Condition::Always)]).await.unwrap();
    }
    for item in table {
        world.items.transact(vec![Write::Put(item.clone(), Condition::Always)]).await.unwrap();
    }
}

/// Repairs as the function does that the clock starts: there is no quarantine in a bucket.
async fn repair(world: &World) -> Report {
    let (registry, items, objects) = (world.registry(), &*world.items, &*world.objects);
    let shop = Shop { registry: &registry, items, objects, quarantine: None, is_deep: false };
    shop.repair(&|_, _| {}).await.unwrap()
}

const REPOSITORIES: [&str; 3] = ["team/app", "team/web", "other"];

/// One step of a busy registry.
async fn step(world: &World, versions: &mut Versions, random: &SeededRandom) {
    let pick = |count: usize| usize::try_from(registry::ports::Random::bits(random) % 1000).unwrap() % count;
    let client = world.client();
    let image = Image::named(&format!("image {}", pick(6)));
    let (repository, source) = (REPOSITORIES[pick(3)], REPOSITORIES[pick(3)]);
    match pick(8) {
        0..=2 => drop(client.push_image(repository, &format!("v{}", pick(4)), &image).await.expect(201)),
        3 => drop(client.delete(&manifest(repository, &image.manifest.digest)).await),
        4 => drop(client.delete(&manifest(repository, &format!("v{}", pick(4)))).await),
        5 => drop(client.post(&mounting(repository, &image.layer.digest, source), "").await),
        6 => {
            let upload = client.post(&uploads(repository), "").await.expect(202).location();
            client.patch(&upload, "bytes of nobody").await.expect(202);
        }
        _ => {
            world.clock.advance(13 * HOUR);
            versions.collect(world).await;
        }
    }
}

/// What clients can pull: manifests by tag and digest, with their layers.
async fn pulls(client: &Client) -> BTreeMap<String, Bytes> {
    let mut pulled = BTreeMap::new();
    for repository in REPOSITORIES {
        let images: Vec<Image> = (0..6).map(|number| Image::named(&format!("image {number}"))).collect();
        let tags = (0..4).map(|tag| format!("v{tag}"));
        let references = tags.chain(images.iter().map(|image| image.manifest.digest.clone()));
        for reference in references {
            let reply = client.get(&manifest(repository, &reference)).await;
            if reply.status == 200 {
                pulled.insert(format!("{repository} {reference}"), reply.body.clone());
            }
            for image in images.iter().filter(|image| reply.body == image.manifest.bytes) {
                for content in [&image.layer, &image.config] {
                    let reply = client.get(&blob(repository, &content.digest)).await.expect(200);
                    pulled.insert(format!("{repository} {}", content.digest), reply.body);
                }
            }
        }
    }
    pulled
}

#[tokio::test]
async fn a_table_of_an_earlier_time_and_a_bucket_that_went_on_become_consistent() {
    let (mut lost, mut orphans) = (0, 0);
    for seed in 0..40 {
        let (world, mut versions, random) = (World::new(), Versions::default(), SeededRandom::new(seed));
        for _ in 0..30 {
            step(&world, &mut versions, &random).await;
        }
        let (table, then, expected) =
            (world.all_items().await, world.clock.now(), pulls(&world.client()).await);
        for _ in 0..30 {
            step(&world, &mut versions, &random).await;
        }

        restore(&world, &table).await;
        lost += world.broken().await.len();
        versions.take_back(&world, then).await;
        world.fsck().await;
        assert_eq!(pulls(&world.client()).await, expected, "seed {seed}");
        let report = repair(&world).await;
        assert_eq!(report.losses, [], "seed {seed}");
        orphans += report.mends.iter().filter(|mend| mend.what.starts_with("object ")).count();
        world.collect_for(20 * 24).await;
        end_unfinished(&world).await;
        world.fsck().await;
        assert_eq!(pulls(&world.client()).await, expected, "seed {seed}: the collector takes nothing of it");
        assert_eq!(world.garbage().await, Vec::<String>::new(), "seed {seed}");
    }
    assert!(lost > 0, "no bucket had deleted anything that its table knew");
    assert!(orphans > 0, "no bucket had anything that its table did not know");
}

#[tokio::test]
async fn what_the_bucket_has_forgotten_is_named_and_comes_back_by_a_push() {
    let (world, mut versions) = (World::new(), Versions::default());
    let (client, kept, gone) = (world.client(), Image::named("kept"), Image::named("gone"));
    client.push_image("team/app", "kept", &kept).await.expect(201);
    client.push_image("team/app", "gone", &gone).await.expect(201);
    let table = world.all_items().await;
    client.delete(&manifest("team/app", &gone.manifest.digest)).await.expect(202);
    for _ in 0..10 {
        world.clock.advance(13 * HOUR);
        versions.collect(&world).await;
    }
    assert!(!versions.0.is_empty(), "its blobs were collected");

    restore(&world, &table).await;
    // The versions are kept for a shorter time than the table goes back: there is nothing to take back.
    let report = repair(&world).await;
    let named: Vec<&str> = report.losses.iter().map(|loss| loss.what.as_str()).collect();
    assert_eq!(named.len(), 1, "{report:#?}");
    assert!(named[0].contains("team/app:gone"), "{named:?}");
    let client = world.client();
    client.get(&blob("team/app", &kept.layer.digest)).await.expect(200);
    client.get(&manifest("team/app", "kept")).await.expect(200);
    client.get(&manifest("team/app", "gone")).await.expect(404);
    client.push_image("team/app", "gone", &gone).await.expect(201);
    world.fsck().await;
    client.get(&manifest("team/app", "gone")).await.expect(200);
}
