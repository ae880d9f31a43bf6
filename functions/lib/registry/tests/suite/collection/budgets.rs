//! Runs that end early, and go on.

use registry::jobs::garbage_collection::{Budget, Policy, Report};
use registry::ports::{Clock, Condition, Item, ItemStore, Key, ObjectKey, Version, Write};
use registry::records::{ManifestBody, ManifestRecord, ManifestState, Record, SuspectRecord, keys};

use super::{DAY, HOUR, LONG_HOURS};
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
        deleted_by: None,
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

/// Has a link suspected beside others in its shard that nobody can read, and returns its key.
async fn put_unreadable_link(world: &World) -> Key {
    let blob = Content::blob("unreadable");
    world.client().push_blob_by_put("app", &blob).await.expect(201);
    let (repository, digest) = ("app".parse().unwrap(), blob.digest.parse().unwrap());
    let key = keys::link(&repository, &digest);
    world.items.spoil(key.clone());
    let suspect = SuspectRecord::Link { repository, digest };
    let write = put(keys::suspect(world.clock.now(), &suspect), Record::Suspect(suspect));
    world.items.transact(vec![write]).await.unwrap();
    key
}

/// Puts a suspect into each shard, before all others, that nobody can read.
async fn put_unreadable_suspects(world: &World) {
    for shard in 0..16 {
        let key = Key::new(keys::suspect_partition(shard), format!("{:013}#from a newer version", 0));
        let suspect =
            SuspectRecord::Upload { id: "newer".to_owned(), object: ObjectKey::stored("data/00/a") };
        world.items.transact(vec![put(key.clone(), Record::Suspect(suspect))]).await.unwrap();
        world.items.spoil(key);
    }
}

fn failed(report: &Report) -> Vec<&str> {
    report.failures.iter().map(|failure| failure.what.as_str()).collect()
}

#[tokio::test]
async fn what_is_damaged_keeps_nobody_waiting() {
    let world = garbage(3).await;
    put_damaged_manifest(&world).await;
    put_wrong_suspect(&world).await;
    let report = world.collector(Policy::default()).run(&ALL, None).await;
    assert_eq!((report.failures.len(), report.gone.len(), report.error), (1, 7, None));
}

#[tokio::test]
async fn a_link_that_cannot_be_read_is_told_and_looked_at_again_in_an_hour() {
    let world = garbage(250).await;
    let link = put_unreadable_link(&world).await;
    let collector = world.collector(Policy::default());
    let report = collector.run(&ALL, None).await;
    assert_eq!((report.gone.len(), report.postponed, &report.error), (500, 1, &None), "{report:?}");
    assert_eq!(failed(&report), [format!("app@{}", link.sk)]);
    assert_eq!(collector.run(&ALL, None).await.failures, []);
    world.clock.advance(HOUR);
    assert_eq!(failed(&collector.run(&ALL, None).await).len(), 1);
}

#[tokio::test]
async fn a_suspect_that_cannot_be_read_is_told_once_a_run_and_its_shard_goes_on() {
    let world = garbage(250).await;
    put_unreadable_suspects(&world).await;
    let collector = world.collector(Policy::default());
    let rehearsal = collector.rehearse(&Budget::ALL, None).await;
    let report = collector.run(&ALL, None).await;
    assert_eq!((report.gone.len(), &report.error), (500, &None), "{report:?}");
    assert_eq!((&rehearsal.gone, &rehearsal.failures), (&report.gone, &report.failures));
    let shards: Vec<_> =
        (0..16).map(|shard| format!("suspect {}/", keys::suspect_partition(shard))).collect();
    assert_eq!(report.failures.len(), shards.len());
    for shard in shards {
        assert!(report.failures.iter().any(|failure| failure.what.starts_with(&shard)), "{shard}");
    }
    assert_eq!(collector.waiting().await.unwrap(), 0);
}

#[tokio::test]
async fn what_says_whether_something_is_needed_may_be_damaged_too() {
    let world = garbage(250).await;
    let kept = Content::blob("kept");
    world.client().push_blob_by_put("app", &kept).await.expect(201);
    let digest: oci::Digest = kept.digest.parse().unwrap();
    let edge = keys::blob_edge(&digest, &"app".parse().unwrap());
    let (id, object) = ("0000000001-upload".to_owned(), ObjectKey::stored("data/00/a"));
    let upload = keys::upload(&id.parse().unwrap());
    let suspects = [
        SuspectRecord::Blob { digest },
        SuspectRecord::Upload { id: id.clone(), object: object.clone() },
        SuspectRecord::Adoption { id, object },
    ];
    let suspects =
        suspects.map(|suspect| put(keys::suspect(world.clock.now(), &suspect), Record::Suspect(suspect)));
    world
        .items
        .transact([vec![put(upload.clone(), Record::Catalog)], suspects.to_vec()].concat())
        .await
        .unwrap();
    world.items.spoil(edge);
    world.items.spoil(upload);
    let report = world.collector(Policy::default()).run(&ALL, None).await;
    assert_eq!((report.gone.len(), report.postponed, &report.error), (500, 3, &None), "{report:?}");
    assert_eq!(report.failures.len(), 3, "{report:?}");
}
