//! Items: the limits of DynamoDB, and what it does now and then.

use dynamodb_standin::Fault;
use oci::{Digest, MediaType};
use registry::ports::{
    Condition, Item, ItemStore, Key, Query, StoreErrorKind, TRANSACT_WRITES_MAX, Timestamp, TransactError,
    Version, Write,
};
use registry::records::{ManifestBody, ManifestRecord, ManifestState, Record};

use crate::world::World;

const KIB: usize = 1024;

fn key(number: usize) -> Key {
    Key::new("p", format!("{number:05}"))
}

fn item(number: usize, version: &str) -> Item {
    Item { key: key(number), version: Version::new(version), record: Record::Catalog }
}

fn put(number: usize, version: &str, condition: Condition) -> Write {
    Write::Put(item(number, version), condition)
}

/// An item of a certain weight.
fn heavy(number: usize, bytes: usize) -> Item {
    let record = Record::Manifest(ManifestRecord {
        deleted_by: None,
        state: ManifestState::Live,
        media_type: MediaType::from_header("application/vnd.oci.image.manifest.v1+json").unwrap(),
        size_bytes: bytes as u64,
        body: ManifestBody::Inline(vec![7; bytes].into()),
        subject: None,
        artifact_type: None,
        pushed: Timestamp::from_millis(1),
        pushed_by: "somebody".to_owned(),
    });
    Item { record, ..item(number, "1") }
}

async fn all(world: &World) -> Vec<Item> {
    world.items.query(Query { pk: "p".to_owned(), limit: 10_000, ..Query::default() }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_of_99_and_of_100_writes_happens_and_the_port_promises_no_more() {
    let world = World::new().await;
    for count in [TRANSACT_WRITES_MAX - 1, TRANSACT_WRITES_MAX] {
        let writes = (0..count).map(|number| put(number, &count.to_string(), Condition::Always)).collect();
        world.items.transact(writes).await.unwrap();
        assert_eq!(all(&world).await.len(), count);
    }
    let writes = (0..=TRANSACT_WRITES_MAX).map(|number| put(number, "more", Condition::Always)).collect();
    assert!(matches!(world.items.transact(writes).await, Err(TransactError::Store(_))));
    assert!(all(&world).await.iter().all(|item| item.version == Version::new("100")));
}

/// Returns whether the writes happen; what is refused leaves nothing.
async fn takes(world: &World, items: &[Item]) -> bool {
    let writes = items.iter().map(|item| Write::Put(item.clone(), Condition::Always)).collect();
    let written = world.items.transact(writes).await;
    assert!(matches!(written, Ok(()) | Err(TransactError::Store(_))), "{written:?}");
    let is_written = written.is_ok();
    let expected: Vec<_> = items.iter().map(|item| is_written.then(|| item.clone())).collect();
    let keys: Vec<_> = items.iter().map(|item| item.key.clone()).collect();
    assert!(world.items.get(&keys).await.unwrap() == expected, "other items are there than were written");
    is_written
}

/// Returns the most bytes that a manifest can have in an item of 400 KiB.
async fn heaviest(world: &World) -> usize {
    let (mut taken, mut refused) = (300 * KIB, 400 * KIB);
    while refused - taken > 1 {
        let middle = usize::midpoint(taken, refused);
        let is_taken = world.items.transact(vec![Write::Put(heavy(99, middle), Condition::Always)]).await;
        *(if is_taken.is_ok() { &mut taken } else { &mut refused }) = middle;
    }
    world.items.transact(vec![Write::Delete(key(99), Condition::Always)]).await.unwrap();
    taken
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_of_400_kib_is_kept_one_byte_more_is_refused_and_an_inline_manifest_is_far_below() {
    let world = World::new().await;
    let most = heaviest(&world).await;
    for (number, (bytes, is_taken)) in
        [(300 * KIB, true), (most - 1, true), (most, true), (most + 1, false), (410_000, false)]
            .into_iter()
            .enumerate()
    {
        assert_eq!(takes(&world, &[heavy(number, bytes)]).await, is_taken, "{bytes} bytes");
    }
    assert!(most >= 398 * KIB, "the rest of the item takes {} bytes", 400 * KIB - most);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_of_4_mib_happens_and_of_one_byte_more_nothing_does() {
    let world = World::new().await;
    let most = heaviest(&world).await;
    let overhead = 400 * KIB - most;
    for (more, is_taken) in [(-1, true), (0, true), (1, false)] {
        let world = World::new().await;
        let last = (96 * KIB - overhead).checked_add_signed(more).unwrap();
        let items: Vec<_> = (0..10).map(|number| heavy(number, most)).chain([heavy(10, last)]).collect();
        assert_eq!(takes(&world, &items).await, is_taken, "4 MiB and {more} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_whole_around_the_border_of_a_page() {
    let world = World::new().await;
    let most = heaviest(&world).await;
    let overhead = 400 * KIB - most;
    for more in [-1, 0, 1] {
        let third = (224 * KIB - overhead).checked_add_signed(more).unwrap();
        for item in [heavy(0, most), heavy(1, most), heavy(2, third), heavy(3, 10)] {
            assert!(takes(&world, &[item]).await);
        }
        let sizes: Vec<_> =
            all(&world).await.iter().map(|item| item.record.as_manifest().unwrap().size_bytes).collect();
        assert_eq!(sizes, [most as u64, most as u64, third as u64, 10], "1 MiB and {more} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_reads_on_over_pages_of_one_megabyte() {
    let world = World::new().await;
    for number in 0..8 {
        let write = Write::Put(heavy(number, 300_000), Condition::Always);
        world.items.transact(vec![write]).await.unwrap();
    }
    world.dynamodb.calls().reset();
    assert_eq!(all(&world).await.len(), 8);
    assert!(world.dynamodb.calls().of("Query") >= 3, "2.4 MB are more than two pages");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_reads_on_beyond_16_megabytes_and_100_keys() {
    let world = World::new().await;
    for number in 0..60 {
        let write = Write::Put(heavy(number, 300_000), Condition::Always);
        world.items.transact(vec![write]).await.unwrap();
    }
    let keys: Vec<Key> = (0..150).map(key).collect();
    let found = world.items.get(&keys).await.unwrap();
    let there: Vec<bool> = found.iter().map(Option::is_some).collect();
    assert_eq!(there, (0..150).map(|number| number < 60).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_of_99_100_or_101_keys_is_whole_and_one_call_for_every_hundred() {
    let world = World::new().await;
    for first in [0, 100] {
        let writes = (first..first + 100).map(|number| put(number, "1", Condition::Always)).collect();
        world.items.transact(writes).await.unwrap();
    }
    for (count, calls) in [(99, 1), (100, 1), (101, 2)] {
        world.dynamodb.calls().reset();
        let keys: Vec<Key> = (0..count).map(key).collect();
        let expected: Vec<_> = (0..count).map(|number| Some(item(number, "1"))).collect();
        assert_eq!(world.items.get(&keys).await.unwrap(), expected);
        assert_eq!(world.dynamodb.calls().of("BatchGetItem"), calls, "{count} keys");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_a_busy_table_leaves_over_are_asked_for_again() {
    let world = World::new().await;
    let writes = (0..20).map(|number| put(number, "1", Condition::Always)).collect();
    world.items.transact(writes).await.unwrap();
    world.dynamodb.faults().plan("BatchGetItem", 1, Fault::Unprocessed(19));
    world.dynamodb.faults().plan("BatchGetItem", 2, Fault::Unprocessed(1));
    let keys: Vec<Key> = (0..20).map(key).collect();
    assert!(world.items.get(&keys).await.unwrap().iter().all(Option::is_some));
    assert_eq!(world.dynamodb.faults().pending(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_ends_early_is_not_the_end() {
    let world = World::new().await;
    let writes = (0..20).map(|number| put(number, "1", Condition::Always)).collect();
    world.items.transact(writes).await.unwrap();
    for call in 1..=5 {
        world.dynamodb.faults().plan("Query", call, Fault::ShortPage(3));
    }
    assert_eq!(all(&world).await.len(), 20);
    assert_eq!(world.dynamodb.faults().pending(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_that_meet_are_made_again() {
    let world = World::new().await;
    for call in 1..=4 {
        world.dynamodb.faults().plan("TransactWriteItems", call, Fault::TransactionConflict);
    }
    world.items.transact(vec![put(1, "1", Condition::Absent), put(2, "1", Condition::Absent)]).await.unwrap();
    assert_eq!(all(&world).await.len(), 2);
    assert_eq!(world.dynamodb.faults().pending(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_put_that_meets_transactions_is_made_again() {
    let world = World::new().await;
    for (version, condition) in [("1", Condition::Absent), ("2", Condition::Version(Version::new("1")))] {
        for call in 1..=4 {
            world.dynamodb.faults().plan("PutItem", call, Fault::TransactionConflict);
        }
        world.items.transact(vec![put(1, version, condition)]).await.unwrap();
        assert_eq!(all(&world).await, [item(1, version)]);
        assert_eq!(world.dynamodb.faults().pending(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_throttled_again_and_again_is_told_as_throttled_and_nothing_is_written() {
    let world = World::new().await;
    for fault in [Fault::Throttled, Fault::ThroughputExceeded, Fault::TransactionConflict] {
        for call in 1..=9 {
            world.dynamodb.faults().plan("PutItem", call, fault);
            world.dynamodb.faults().plan("TransactWriteItems", call, fault);
        }
        let lone = world.items.transact(vec![put(1, "1", Condition::Absent)]).await;
        let both =
            world.items.transact(vec![put(1, "1", Condition::Absent), put(2, "1", Condition::Absent)]).await;
        for refused in [lone, both] {
            let Err(TransactError::Store(error)) = refused else { panic!("{refused:?}") };
            assert_eq!(error.kind, StoreErrorKind::Throttled);
        }
        world.dynamodb.faults().clear();
    }
    assert_eq!(all(&world).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_once_or_twice_is_done_by_the_sdk_itself() {
    let world = World::new().await;
    for fault in [Fault::Throttled, Fault::InternalServerError, Fault::Unavailable] {
        for operation in ["PutItem", "TransactWriteItems", "GetItem", "BatchGetItem", "Query"] {
            world.dynamodb.faults().plan(operation, 1, fault);
            world.dynamodb.faults().plan(operation, 2, fault);
        }
        world.items.transact(vec![put(1, "1", Condition::Always)]).await.unwrap();
        world
            .items
            .transact(vec![put(2, "1", Condition::Always), put(3, "1", Condition::Always)])
            .await
            .unwrap();
        assert!(world.items.get(&[key(1)]).await.unwrap()[0].is_some());
        assert!(world.items.get(&[key(2), key(3)]).await.unwrap().iter().all(Option::is_some));
        assert_eq!(all(&world).await.len(), 3);
        assert_eq!(world.dynamodb.faults().pending(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_whose_reply_was_lost_recognises_its_own_write() {
    let world = World::new().await;
    world.dynamodb.faults().plan("PutItem", 1, Fault::AppliedThenLost);
    world.items.transact(vec![put(1, "first", Condition::Absent)]).await.unwrap();
    world.dynamodb.faults().plan("PutItem", 1, Fault::AppliedThenLost);
    let seen = Condition::Version(Version::new("first"));
    world.items.transact(vec![put(1, "second", seen)]).await.unwrap();

    world.dynamodb.faults().plan("TransactWriteItems", 1, Fault::AppliedThenLost);
    let own = || Condition::Version(Version::new("second"));
    world
        .items
        .transact(vec![Write::Delete(key(1), own()), put(2, "third", Condition::Absent)])
        .await
        .unwrap();
    assert_eq!(all(&world).await, [item(2, "third")]);
    assert_eq!(world.dynamodb.faults().pending(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_write_is_not_taken_for_ones_own() {
    let world = World::new().await;
    world.items.transact(vec![put(1, "theirs", Condition::Absent)]).await.unwrap();
    let Err(TransactError::Conflict(conflict)) =
        world.items.transact(vec![put(1, "ours", Condition::Absent)]).await
    else {
        panic!("a conflict")
    };
    assert_eq!(conflict.found, Some(item(1, "theirs")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_may_begin_before_within_and_behind_its_prefix() {
    let world = World::new().await;
    for sk in ["a", "b#1", "b#2", "c"] {
        let item = Item { key: Key::new("p", sk), version: Version::new("1"), record: Record::Catalog };
        world.items.transact(vec![Write::Put(item, Condition::Always)]).await.unwrap();
    }
    for (after, expected) in [("a", 2), ("b", 2), ("b#", 2), ("b#1", 1), ("b#2", 0), ("bz", 0), ("zz", 0)] {
        let query = Query {
            pk: "p".to_owned(),
            prefix: "b#".to_owned(),
            after: Some(after.to_owned()),
            limit: 10,
            ..Query::default()
        };
        assert_eq!(world.items.query(query).await.unwrap().len(), expected, "after {after}");
    }
}

/// A sort key has 1,024 bytes at most.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_begins_with_more_than_a_key_can_have() {
    let world = World::new().await;
    let longest = "k".repeat(1024);
    let item = Item { key: Key::new("p", &longest), version: Version::new("1"), record: Record::Catalog };
    world.items.transact(vec![Write::Put(item, Condition::Always)]).await.unwrap();
    for (length, expected) in [(1023, 1), (1024, 1), (1025, 0)] {
        let query = Query { pk: "p".to_owned(), prefix: "k".repeat(length), limit: 10, ..Query::default() };
        assert_eq!(world.items.query(query).await.unwrap().len(), expected, "{length} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_can_be_read_by_people() {
    let world = World::new().await;
    let digest: Digest = format!("sha256:{}", "a".repeat(64)).parse().unwrap();
    let mut manifest = heavy(1, 3);
    if let Record::Manifest(record) = &mut manifest.record {
        record.subject = Some(digest);
    }
    world.dynamodb.stream().take();
    world.items.transact(vec![Write::Put(manifest, Condition::Always)]).await.unwrap();
    let image = world.dynamodb.stream().next().await.new_image.unwrap();
    let text = image.to_string();
    assert_eq!(image["record"]["M"]["manifest"]["M"]["size_bytes"]["N"], "3", "{text}");
    assert_eq!(image["record"]["M"]["manifest"]["M"]["state"]["S"], "live", "{text}");
    assert_eq!(image["format"]["N"], "1", "{text}");
}
