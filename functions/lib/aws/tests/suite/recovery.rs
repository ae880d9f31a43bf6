//! A table that was restored to an earlier time, beside a bucket that went on: `docs/recovery.md`, step by step.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use registry::jobs::fsck::fsck;
use registry::jobs::garbage_collection::{Budget, Collector, Policy};
use registry::jobs::repair::{Report, Shop};
use registry::ports::{Condition, Item, ItemScan, ItemStore, SystemClock, Write};
use registry::records::Record;
use registry::testing::SetClock;

use crate::client::{Client, digest, image, manifest};
use crate::world::World;

const HOUR: Duration = Duration::from_secs(60 * 60);
const BUCKET: &str = "standin";

/// A registry whose clock the test moves, and whose bucket keeps versions.
struct Kept {
    world: World,
    clock: Arc<SetClock>,
}

impl Kept {
    async fn new() -> Self {
        let options = s3_standin::Options { has_versions: true, ..Default::default() };
        Self {
            world: World::with(options).await,
            clock: Arc::new(SetClock::at(registry::ports::Clock::now(&SystemClock))),
        }
    }

    /// Returns a client of functions that have just started.
    fn client(&self) -> Client {
        Client::at(&self.world, Arc::clone(&self.clock) as _)
    }

    /// Pushes an image of one layer; returns its manifest.
    async fn push(&self, tag: &str, layer: &Bytes) -> Bytes {
        let (client, config) = (self.client(), Bytes::from(format!("{{\"of\": \"{tag}\"}}")));
        for content in [layer, &config] {
            let path = format!("/v2/app/blobs/uploads/?digest={}", digest(content));
            client.send(Method::POST, &path, content.clone()).await.expect(201);
        }
        let image = image(&config, &[layer]);
        client.put(&manifest(tag), &image).await.expect(201);
        image
    }

    async fn collect_for(&self, hours: u32) {
        for _ in 0..hours.div_ceil(7) {
            self.clock.advance(7 * HOUR);
            let collector = Collector::new(self.client().registry, Policy::default());
            let report = collector.run(&Budget::ALL, None).await;
            assert_eq!((&report.error, report.failures.len()), (&None, 0), "{report:?}");
        }
    }

    async fn table(&self) -> Vec<Item> {
        self.world.items.scan(None, usize::MAX).await.unwrap()
    }

    /// Step 3: what is there goes, what the other table has comes.
    async fn write_back(&self, table: &[Item]) {
        let gone = self.table().await.into_iter().map(|item| Write::Delete(item.key, Condition::Always));
        let come = table.iter().map(|item| Write::Put(item.clone(), Condition::Always));
        for writes in [gone.collect::<Vec<_>>(), come.collect()] {
            for page in writes.chunks(25) {
                self.world.items.transact(page.to_vec()).await.unwrap();
            }
        }
    }

    /// Step 4: the markers go.
    async fn take_deletions_back(&self) -> usize {
        let s3 = self.world.s3_client();
        let listed = s3.list_object_versions().bucket(BUCKET).prefix("data/").send().await.unwrap();
        let markers = listed.delete_markers().iter().filter(|marker| marker.is_latest() == Some(true));
        let mut count = 0;
        for marker in markers {
            let (key, version) = (marker.key().unwrap(), marker.version_id().unwrap());
            s3.delete_object().bucket(BUCKET).key(key).version_id(version).send().await.unwrap();
            count += 1;
        }
        count
    }

    /// Step 5, as the job does it.
    async fn repair(&self) -> Report {
        let (registry, items, objects) = (self.client().registry, &*self.world.items, &*self.world.objects);
        let shop = Shop { registry: &registry, items, objects, quarantine: None, is_deep: false };
        let foreseen = shop.rehearse(&|_, _| {}).await.unwrap();
        let report = shop.repair(&|_, _| {}).await.unwrap();
        assert_eq!(Report { is_rehearsal: false, ..foreseen }, report);
        report
    }

    async fn is_broken(&self) -> bool {
        fsck(&*self.world.items, &*self.world.objects, true).await.unwrap().is_broken()
    }

    async fn objects(&self) -> usize {
        let s3 = self.world.s3_client();
        let listed = s3.list_objects_v2().bucket(BUCKET).prefix("data/").send().await.unwrap();
        listed.contents().len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_goes_back_an_hour_and_everything_that_it_knows_can_be_pulled() {
    let kept = Kept::new().await;
    let [stays, goes, comes] =
        ["stays", "goes", "comes"].map(|name| Bytes::from(format!("the layer that {name}")));
    let (staying, going) = (kept.push("stays", &stays).await, kept.push("goes", &goes).await);
    let table = kept.table().await;
    kept.client().delete(&manifest(&digest(&going))).await.expect(202);
    kept.collect_for(4 * 24).await;
    kept.push("comes", &comes).await;

    kept.write_back(&table).await;
    assert!(kept.is_broken().await, "what it knows was collected meanwhile");
    assert!(kept.take_deletions_back().await >= 2);
    assert!(!kept.is_broken().await);
    let report = kept.repair().await;
    assert_eq!(report.losses, []);
    let orphans = report.mends.iter().filter(|mend| mend.what.starts_with("object ")).count();
    assert_eq!(orphans, 2, "what came after that time: {report:#?}");

    kept.collect_for(10 * 24).await;
    let client = kept.client();
    for (tag, image, layer) in [("stays", &staying, &stays), ("goes", &going, &goes)] {
        assert_eq!(client.get(&manifest(tag)).await.expect(200).body, *image);
        assert_eq!(client.read_blob(layer).await, *layer);
    }
    client.get(&manifest("comes")).await.expect(404);
    assert_eq!(kept.objects().await, 4, "what the table does not know is collected");
    assert!(!kept.is_broken().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bucket_has_forgotten_is_named_and_a_push_brings_it_back() {
    let kept = Kept::new().await;
    let (stays, goes) = (Bytes::from("a layer that stays"), Bytes::from("a layer that goes"));
    kept.push("stays", &stays).await;
    let going = kept.push("goes", &goes).await;
    let table = kept.table().await;
    kept.client().delete(&manifest(&digest(&going))).await.expect(202);
    kept.collect_for(4 * 24).await;
    kept.write_back(&table).await;

    let report = kept.repair().await;
    let named: Vec<&str> = report.losses.iter().map(|loss| loss.what.as_str()).collect();
    assert!(named.len() == 1 && named[0].ends_with("which is app:goes"), "{named:?}");
    kept.client().get(&manifest("goes")).await.expect(404);
    assert_eq!(kept.client().read_blob(&stays).await, stays);
    kept.push("goes", &goes).await;
    assert_eq!(kept.client().read_blob(&goes).await, goes);
    assert!(!kept.is_broken().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_newer_version_wrote_are_named_and_stay_and_stop_no_job() {
    let kept = Kept::new().await;
    kept.push("old", &Bytes::from_static(b"the layer")).await;
    let mut rows = kept.table().await;
    rows.retain(|item| matches!(item.record, Record::Tag(_) | Record::Suspect(_)));
    assert!(rows.len() > 2, "{rows:?}");
    for row in &rows {
        kept.world.write_newer(&row.key).await;
    }
    let mut names: Vec<_> = rows.iter().map(|row| format!("item {}/{}", row.key.pk, row.key.sk)).collect();
    names.sort();
    let checked = fsck(&*kept.world.items, &*kept.world.objects, true).await.unwrap();
    let broken: Vec<_> = checked.findings.iter().map(|finding| finding.what.clone()).collect();
    assert!(names.iter().all(|name| broken.contains(name)), "{names:?} {checked:?}");
    let mut lost: Vec<_> = kept.repair().await.losses.into_iter().map(|loss| loss.what).collect();
    lost.sort();
    assert_eq!(lost, names);
    kept.clock.advance(30 * 24 * HOUR);
    let report = Collector::new(kept.client().registry, Policy::default()).run(&Budget::ALL, None).await;
    assert_eq!((report.failures.len(), &report.error), (rows.len() - 1, &None), "{report:?}");
    assert_eq!(kept.world.items.unreadable().await.unwrap().len(), rows.len());
}
