//! What was collected can be brought back for some days; what has ended goes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use embedded::{Emptied, Files, Items};
use futures_util::StreamExt;
use oci::{Algorithm, Digest};
use registry::jobs::expiry::{AUDIT, EVENT, expire};
use registry::ports::{
    Condition, Item, ItemScan, ItemStore, Key, ObjectKey, ObjectStore, Timestamp, Trash, Version, Write,
};
use registry::records::{AuditOutcome, AuditRecord, BucketRecord, Record, UsedRecord, keys};
use ulid::Ulid;

fn digest(text: &str) -> Digest {
    Digest::of(Algorithm::Sha256, text.as_bytes())
}

async fn discarded(files: &Files, text: &str) {
    let key = ObjectKey::fresh(Ulid::from_parts(1, u128::from(text.len() as u64)));
    files.put(&key, Bytes::copy_from_slice(text.as_bytes())).await.unwrap();
    files.discard(&key, &digest(text)).await.unwrap();
    assert_eq!(files.head(&key).await.unwrap(), None);
    // As a collector does that died before it could say so.
    files.discard(&key, &digest(text)).await.unwrap();
}

#[tokio::test]
async fn what_was_discarded_is_in_the_trash_under_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::open(folder.path()).unwrap();
    assert!(files.read_trashed(&digest("layer")).unwrap().is_none());
    discarded(&files, "layer").await;
    let (size_bytes, mut bytes) = files.read_trashed(&digest("layer")).unwrap().unwrap();
    assert_eq!((size_bytes, &bytes.next().await.unwrap().unwrap()[..]), (5, &b"layer"[..]));
    assert!(files.read_trashed(&digest("other")).unwrap().is_none());
}

#[tokio::test]
async fn the_trash_is_emptied_of_what_is_older_than_its_days() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::open(folder.path()).unwrap();
    discarded(&files, "layer").await;
    let trash = folder.path().join("trash");
    let today = std::fs::read_dir(&trash).unwrap().next().unwrap().unwrap().path();
    std::fs::create_dir(trash.join("2001-02-03")).unwrap();
    std::fs::write(trash.join("2001-02-03/sha256-old"), "old").unwrap();
    std::fs::create_dir(trash.join("not a day")).unwrap();
    assert_eq!(files.empty_trash(7).unwrap(), Emptied { blobs: 1, size_bytes: 3 });
    assert!(today.is_dir() && trash.join("not a day").is_dir() && !trash.join("2001-02-03").exists());
    assert_eq!(files.empty_trash(0).unwrap(), Emptied { blobs: 1, size_bytes: 5 });
    assert_eq!(files.empty_trash(0).unwrap(), Emptied::default());
    // A collector may be about to throw something into it.
    assert!(today.is_dir());
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn before(age: Duration) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() - u64::try_from(age.as_millis()).unwrap())
}

fn audit(at: Timestamp) -> (Key, Record) {
    let (actor, address) = (String::new(), String::new());
    let (action, target, detail) = (String::new(), String::new(), String::new());
    let outcome = AuditOutcome::Done;
    let record = AuditRecord { at, actor, address, action, target, outcome, detail };
    (keys::audit(at, Ulid::from_parts(at.as_millis(), 7)), Record::Audit(Box::new(record)))
}

/// A token that expires then, and its line in the list of its owner's.
fn token(id: &str, expires: Timestamp) -> [(Key, Record); 2] {
    let mut samples = crate::formats_access::samples().into_iter();
    let (_, mut record) = samples.find(|(name, _)| *name == "token_personal").unwrap();
    let Record::Token(token) = &mut record else { panic!("{record:?}") };
    token.expires = Some(expires);
    let listed = keys::token_listed(&token.owner, id);
    [(keys::token(id), record), (listed, Record::ListedUntil(expires.after(DAY)))]
}

#[tokio::test]
async fn items_that_end_by_themselves_go_when_they_have_ended_and_no_others() {
    const MOMENT: Duration = Duration::from_millis(1);
    let folder = tempfile::tempdir().unwrap();
    let items = Arc::new(Items::open(folder.path()).unwrap());
    let bucket = |at| Record::Bucket(BucketRecord { left_thousandths: 5, at, is_noted: false });
    let used = |until| Record::Used(UsedRecord { until });
    let event = |at| {
        Record::Event(registry::records::EventRecord {
            action: registry::records::EventAction::TagDeleted,
            repository: "app".parse().unwrap(),
            digest: digest("x"),
            tags: Vec::new(),
            at,
            by: String::new(),
        })
    };
    let ended = [
        audit(before(AUDIT)),
        (keys::attempts("address", "192.0.2.1"), bucket(before(DAY))),
        (keys::used("1"), used(NOW)),
        (keys::event(Ulid::from_parts(1, 1)), event(before(EVENT))),
    ];
    let kept = [
        audit(before(AUDIT - MOMENT)),
        (keys::attempts("address", "192.0.2.2"), bucket(before(DAY - MOMENT))),
        (keys::used("2"), used(NOW.after(MOMENT))),
        (keys::event(Ulid::from_parts(2, 1)), event(before(EVENT - MOMENT))),
        (keys::repository(&"app".parse().unwrap()), Record::Catalog),
    ];
    let (ended_token, kept_token) = (token("1", before(DAY)), token("2", before(DAY - MOMENT)));
    let put = |(key, record): &(Key, Record)| {
        Write::Put(
            Item { key: key.clone(), version: Version::new("1"), record: record.clone() },
            Condition::Absent,
        )
    };
    items
        .transact(ended.iter().chain(&kept).chain(&ended_token).chain(&kept_token).map(put).collect())
        .await
        .unwrap();
    assert_eq!(expire(&*items, NOW).await.unwrap(), ended.len() as u64 + 1);
    let mut left: Vec<Key> = items.scan(None, 100).await.unwrap().into_iter().map(|item| item.key).collect();
    let mut expected: Vec<Key> = kept.into_iter().chain(kept_token).map(|(key, _)| key).collect();
    left.sort();
    expected.sort();
    assert_eq!(left, expected);
}
