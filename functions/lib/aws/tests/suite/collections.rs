//! The collector on `DynamoDB` and S3: everything that is needed stays, everything else goes, in few calls.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use registry::jobs::fsck::{Report as Checked, fsck};
use registry::jobs::garbage_collection::{Budget, Collector, Policy, Report};
use registry::ports::{Clock, ItemStore, SystemClock};
use registry::records::keys;
use registry::testing::SetClock;

use crate::client::{Client, assert_sound, blob, digest, image, manifest};
use crate::world::World;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The queue is read once for each of its shards, and once more for what follows.
const QUEUE: u64 = 3 * 16;

/// No part but the last may be smaller.
const PART_BYTES: usize = 5 << 20;

/// A registry whose clock the test moves.
struct Kept {
    world: World,
    clock: Arc<SetClock>,
    client: Client,
}

impl Kept {
    async fn new() -> Self {
        Self::with(s3_standin::Options::default()).await
    }

    async fn with(options: s3_standin::Options) -> Self {
        let (world, clock) = (World::with(options).await, Arc::new(SetClock::at(SystemClock.now())));
        let client = Client::at(&world, Arc::clone(&clock) as _);
        Self { client, clock, world }
    }

    /// Pushes an image of these layers. Returns its manifest.
    async fn push(&self, tag: &str, layers: &[Bytes]) -> Bytes {
        let config = Bytes::from(format!("{{\"of\": \"{tag}\"}}"));
        for content in layers.iter().chain([&config]) {
            let path = format!("/v2/app/blobs/uploads/?digest={}", digest(content));
            self.client.send(Method::POST, &path, content.clone()).await.expect(201);
        }
        let image = image(&config, &layers.iter().collect::<Vec<_>>());
        self.client.put(&manifest(tag), &image).await.expect(201);
        image
    }

    /// Returns where the bytes of these blobs are.
    async fn objects_of(&self, blobs: &[&Bytes]) -> Vec<String> {
        let keys: Vec<_> = blobs.iter().map(|blob| keys::blob(&digest(blob).parse().unwrap())).collect();
        let found = self.world.items.get(&keys).await.unwrap();
        found.iter().flatten().map(|item| item.record.as_blob().unwrap().object.to_string()).collect()
    }

    /// Checks everything, after the bucket has removed the ends of uploads by its own rule.
    async fn fsck(&self) -> Checked {
        let s3 = self.world.s3_client();
        let tails = s3.list_objects_v2().bucket("standin").prefix("tails/").send().await.unwrap();
        for tail in tails.contents() {
            s3.delete_object().bucket("standin").key(tail.key().unwrap()).send().await.unwrap();
        }
        fsck(&*self.world.items, &*self.world.objects, true).await.unwrap()
    }

    async fn collect(&self) -> Report {
        let collector = Collector::new(self.client.registry.clone(), Policy::default());
        let report = collector.run(&Budget::ALL, None).await;
        assert_eq!((&report.error, report.failures.len()), (&None, 0), "{report:?}");
        report
    }

    /// Collects every hour until nothing can be due any more.
    async fn collect_for(&self, days: u32) {
        for _ in 0..days * 24 / 6 {
            self.clock.advance(6 * HOUR);
            self.collect().await;
            self.clock.advance(HOUR);
            self.collect().await;
        }
    }
}

fn layers(name: &str, count: usize) -> Vec<Bytes> {
    (0..count).map(|number| format!("{name}, layer {number}").into()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_needs_goes_and_the_rest_can_be_pulled() {
    let kept = Kept::new().await;
    let (client, shared) = (&kept.client, Bytes::from("a layer of both"));
    let needed = kept.push("kept", &[shared.clone(), "a layer of its own".into()]).await;
    let gone = kept.push("gone", &[shared.clone(), "a layer that goes".into()]).await;
    client.delete(&manifest(&digest(&gone))).await.expect(202);
    // An upload that nobody finishes, in parts; one that S3 has and nobody names; and a copy that lost.
    let begun = client.post("/v2/app/blobs/uploads/").await.expect(202);
    let half = vec![7; PART_BYTES + 9];
    client.send(Method::PATCH, begun.location(), half).await.expect(202);
    let edge = Client::at(&kept.world, Arc::clone(&kept.clock) as _).by_edge();
    let id = edge.send_direct(&kept.world, &"a layer past the registry".into()).await;
    let (one, other) = tokio::join!(client.registry.upload_adopt(&id), edge.registry.upload_adopt(&id));
    assert!(one.is_ok() && other.is_ok());

    kept.collect_for(16).await;

    let report = kept.fsck().await;
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    // The configuration and both layers of the image that is left.
    assert_eq!((report.counts.get("blob"), report.counts.get("upload")), (Some(&3), None));
    assert_eq!(report.hashed_objects, 3);
    client.get(&manifest("kept")).await.expect(200);
    assert_eq!(client.read_blob(&shared).await, shared);
    assert_eq!(client.get(&manifest(&digest(&needed))).await.expect(200).body, needed);
    client.get(&manifest(&digest(&gone))).await.expect(404);
    client.get(&blob(&"a layer that goes".into())).await.expect(404);
    client.get(&blob(&"a layer past the registry".into())).await.expect(404);
    assert_sound(&kept.world).await;
}

/// As `infra/README.md` tells an operator to do it, with the calls behind `aws s3api`.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_collected_comes_back_from_the_versions_of_the_bucket() {
    let kept = Kept::with(s3_standin::Options { has_versions: true, ..Default::default() }).await;
    let layer = Bytes::from("a layer that somebody misses");
    let image = kept.push("v1", std::slice::from_ref(&layer)).await;
    let config = Bytes::from("{\"of\": \"v1\"}");
    let objects = kept.objects_of(&[&layer, &config]).await;
    kept.client.delete(&manifest(&digest(&image))).await.expect(202);
    kept.collect_for(2).await;
    assert_eq!(kept.fsck().await.objects, 0);

    let s3 = kept.world.s3_client();
    for object in objects {
        // list-object-versions --prefix OBJECT
        let listed = s3.list_object_versions().bucket("standin").prefix(&object).send().await.unwrap();
        let version = listed.versions()[0].version_id().unwrap();
        // get-object --key OBJECT --version-id VERSION
        let got = s3.get_object().bucket("standin").key(&object).version_id(version).send().await.unwrap();
        let bytes = got.body.collect().await.unwrap().into_bytes();
        let path = format!("/v2/app/blobs/uploads/?digest={}", digest(&bytes));
        kept.client.send(Method::POST, &path, bytes).await.expect(201);
    }
    kept.client.put(&manifest("v1"), &image).await.expect(201);
    assert_eq!(kept.client.read_blob(&layer).await, layer);
    assert_sound(&kept.world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collected_blob_takes_five_item_calls_and_one_of_objects_at_most() {
    const BLOBS: usize = 150;
    let kept = Kept::new().await;
    let image = kept.push("gone", &layers("gone", BLOBS - 1)).await;
    kept.client.delete(&manifest(&digest(&image))).await.expect(202);
    kept.world.dynamodb.calls().reset();
    kept.world.s3.calls().reset();
    kept.clock.advance(DAY);
    kept.collect().await;
    kept.clock.advance(HOUR);
    kept.collect().await;
    let (items, objects) = (kept.world.dynamodb.calls().total(), kept.world.s3.calls().counts());
    println!("{:?}, {objects:?}", kept.world.dynamodb.calls().all());
    assert_eq!(objects.into_iter().collect::<Vec<_>>(), [("DeleteObject".to_owned(), BLOBS as u64)]);
    assert!(items <= 5 * BLOBS as u64 + QUEUE, "{items} item calls");
    assert!(items >= BLOBS as u64, "nothing was counted");
    assert_eq!(kept.fsck().await.objects, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_finds_nothing_is_one_query_for_each_shard_and_nothing_else() {
    let kept = Kept::new().await;
    kept.push("kept", &layers("kept", 20)).await;
    kept.collect_for(9).await;
    kept.world.dynamodb.calls().reset();
    kept.world.s3.calls().reset();
    kept.collect().await;
    assert_eq!((kept.world.dynamodb.calls().of("Query"), kept.world.dynamodb.calls().total()), (16, 16));
    assert!(kept.world.s3.calls().counts().is_empty());
}
