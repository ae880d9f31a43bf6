//! Runs that end early, and go on.

use registry::jobs::garbage_collection::{Budget, Policy, Report};
use registry::ports::{Clock, Condition, Item, ItemStore, Key, Version, Write};
use registry::records::{ManifestBody, ManifestRecord, ManifestState, Record, SuspectRecord, keys};

use super::{DAY, LONG_HOURS};
use crate::content::Content;
use crate::world::World;

pub(super) const ALL: Budget = Budget::ALL;

async fn garbage(blobs: usize) -> World {
    let world = World::new();
    let client = world.client();
    for number in 0..blobs {
        client.push_blob_by_put("app", &Content::blob(format!("blob {number}"))).await.expect(201);
    }
    world.clock.advance(DAY);
    world
}

#[tokio::test]
async fn a_run_ends_with_its_budget_and_the_next_goes_on() {
    let world = garbage(250).await;
    let (mut all, mut runs, mut from) = (Report::default(), 0, None);
    loop {
        // A process of its own each time, as on Lambda.
        let collector = world.collector(Policy::default());
        let report = collector.run(&Budget { suspects: 20, until: None }, from).await;
        assert!(report.suspects < 20 + 100, "{}", report.suspects);
        from = report.next;
        runs += 1;
        all.add(report);
        if from.is_none() {
            break;
        }
    }
    assert!(runs > 5, "{runs} runs");
    assert_eq!(all.gone.len(), 500);
    world.collect_for(LONG_HOURS).await;
    world.assert_clean().await;
}

#[tokio::test]
async fn a_run_whose_time_is_over_does_nothing() {
    let world = garbage(3).await;
    let until = Some(world.clock.now());
    let report = world.collector(Policy::default()).run(&Budget { until, ..ALL }, Some(7)).await;
    assert_eq!((report.suspects, report.next), (0, Some(7)));
}

fn put(key: Key, record: Record) -> Write {
    Write::Put(Item { key, version: Version::new("1"), record }, Condition::Always)
}

/// Writes a manifest that cannot be read, of which a deletion did not end.
async fn put_damaged_manifest(world: &World) {
    let repository: oci::RepositoryName = "app".parse().unwrap();
    let digest: oci::Digest = Content::blob("not json").digest.parse().unwrap();
    let record = ManifestRecord {
        state: ManifestState::Deleting,
        media_type: oci::MediaType::OCI_MANIFEST,
        size_bytes: 8,
        body: ManifestBody::Inline("not json".into()),
        subject: None,
        artifact_type: None,
        pushed: world.clock.now(),
        pushed_by: String::new(),
    };
    let suspect = SuspectRecord::Manifest { repository: repository.clone(), digest: digest.clone() };
    let writes = vec![
        put(keys::manifest(&repository, &digest), Record::Manifest(record)),
        put(keys::suspect(world.clock.now(), &suspect), Record::Suspect(suspect)),
    ];
    world.items.transact(writes).await.unwrap();
}

/// Has the object of a living blob suspected of being a dead one's.
async fn put_wrong_suspect(world: &World) {
    let blob = Content::blob("alive");
    world.client().push_blob_by_put("app", &blob).await.expect(201);
    let digest: oci::Digest = blob.digest.parse().unwrap();
    let found = world.items.get(&[keys::blob(&digest)]).await.unwrap().pop().unwrap().unwrap();
    let object = found.record.as_blob().unwrap().object.clone();
    let suspect = SuspectRecord::DeadObject { digest, object };
    let write = put(keys::suspect(world.clock.now(), &suspect), Record::Suspect(suspect));
    world.items.transact(vec![write]).await.unwrap();
}

#[tokio::test]
async fn what_is_damaged_keeps_nobody_waiting() {
    let world = garbage(3).await;
    put_damaged_manifest(&world).await;
    put_wrong_suspect(&world).await;
    let report = world.collector(Policy::default()).run(&ALL, None).await;
    assert_eq!((report.failures.len(), report.gone.len(), report.error), (1, 7, None));
}
