//! What every item store promises, as tests.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test; the names are the statements")]

use std::collections::HashSet;
use std::sync::Arc;

use crate::ports::{
    Condition, Direction, Item, ItemScan, ItemStore, Key, Query, TRANSACT_BYTES_MAX, TRANSACT_WRITES_MAX,
    Timestamp, TransactError, Version, Write,
};
use crate::records::{EdgeRecord, Record};

/// # Panics
///
/// When a transaction breaks the rules that DynamoDB sets.
pub fn assert_well_formed(writes: &[Write]) {
    assert!(!writes.is_empty() && writes.len() <= TRANSACT_WRITES_MAX, "{} writes at once", writes.len());
    let bytes: usize = writes.iter().map(Write::size_bytes).sum();
    assert!(bytes <= TRANSACT_BYTES_MAX, "{bytes} bytes at once");
    let keys: HashSet<&Key> = writes.iter().map(Write::key).collect();
    assert_eq!(keys.len(), writes.len(), "a transaction names a key twice: {writes:?}");
}

fn item(pk: &str, sk: &str, version: &str) -> Item {
    let since = Timestamp::from_millis(7);
    let record = Record::Edge(EdgeRecord { since, by: format!("{pk}/{sk}/{version}"), left: None });
    Item { key: Key::new(pk, sk), version: Version::new(version), record }
}

fn put(pk: &str, sk: &str, version: &str) -> Write {
    Write::Put(item(pk, sk, version), Condition::Always)
}

fn version(text: &str) -> Condition {
    Condition::Version(Version::new(text))
}

async fn get(store: &impl ItemStore, pk: &str, sk: &str) -> Option<Item> {
    store.get(&[Key::new(pk, sk)]).await.unwrap().pop().unwrap()
}

async fn conflict(store: &impl ItemStore, writes: Vec<Write>) -> (Key, Option<Item>) {
    match store.transact(writes).await {
        Err(TransactError::Conflict(conflict)) => (conflict.key, conflict.found),
        other => panic!("expected a conflict, got {other:?}"),
    }
}

pub async fn an_item_that_was_put_is_returned_as_it_was(store: &Arc<impl ItemStore>) {
    store.transact(vec![put("p", "s", "1")]).await.unwrap();
    assert_eq!(get(&**store, "p", "s").await, Some(item("p", "s", "1")));
    store.transact(vec![put("p", "s", "2")]).await.unwrap();
    assert_eq!(get(&**store, "p", "s").await, Some(item("p", "s", "2")));
}

pub async fn a_key_that_is_asked_for_twice_is_answered_twice(store: &Arc<impl ItemStore>) {
    store.transact(vec![put("p", "s", "1")]).await.unwrap();
    let keys = [("p", "s"), ("q", "s"), ("p", "s"), ("q", "s")].map(|(pk, sk)| Key::new(pk, sk));
    let there = Some(item("p", "s", "1"));
    assert_eq!(store.get(&keys).await.unwrap(), vec![there.clone(), None, there, None]);
}

pub async fn what_is_not_there_is_none_and_order_is_kept(store: &Arc<impl ItemStore>) {
    store.transact(vec![put("p", "b", "1"), put("q", "a", "1")]).await.unwrap();
    let keys = [Key::new("q", "a"), Key::new("p", "missing"), Key::new("p", "b"), Key::new("p", "")];
    let found = store.get(&keys).await.unwrap();
    assert_eq!(found, vec![Some(item("q", "a", "1")), None, Some(item("p", "b", "1")), None]);
}

pub async fn more_keys_than_one_call_may_hold_are_read(store: &Arc<impl ItemStore>) {
    for hundred in 0..3 {
        let writes =
            (0..100).map(|number| put("p", &format!("{:03}", hundred * 100 + number), "1")).collect();
        store.transact(writes).await.unwrap();
    }
    let keys: Vec<Key> = (0..300).rev().map(|number| Key::new("p", format!("{number:03}"))).collect();
    let found = store.get(&keys).await.unwrap();
    let found: Vec<Key> = found.into_iter().map(|item| item.unwrap().key).collect();
    assert_eq!(found, keys);
}

pub async fn a_condition_that_does_not_hold_refuses_the_whole_transaction(store: &Arc<impl ItemStore>) {
    store.transact(vec![put("p", "there", "1")]).await.unwrap();
    let refused = vec![
        put("p", "new", "1"),
        Write::Delete(Key::new("p", "there"), Condition::Always),
        Write::Check(Key::new("p", "absent"), Condition::Present),
    ];
    conflict(&**store, refused).await;
    assert_eq!(get(&**store, "p", "new").await, None);
    assert_eq!(get(&**store, "p", "there").await, Some(item("p", "there", "1")));
}

pub async fn a_refusal_returns_the_item_in_the_way(store: &Arc<impl ItemStore>) {
    store.transact(vec![put("p", "s", "1")]).await.unwrap();
    let (key, found) = conflict(&**store, vec![Write::Put(item("p", "s", "2"), Condition::Absent)]).await;
    assert_eq!((key, found), (Key::new("p", "s"), Some(item("p", "s", "1"))));
    let (key, found) = conflict(&**store, vec![Write::Put(item("p", "t", "2"), Condition::Present)]).await;
    assert_eq!((key, found), (Key::new("p", "t"), None));
}

pub async fn of_several_refusals_the_first_is_named(store: &Arc<impl ItemStore>) {
    store.transact(vec![put("p", "s", "1"), put("p", "t", "1")]).await.unwrap();
    for (first, second) in [("s", "t"), ("t", "s"), ("u", "s"), ("s", "u")] {
        let condition = |sk| if sk == "u" { Condition::Present } else { Condition::Absent };
        let writes = [first, "v", second].map(|sk| match sk {
            "v" => put("p", "v", "1"),
            _ => Write::Put(item("p", sk, "2"), condition(sk)),
        });
        let (key, _) = conflict(&**store, writes.to_vec()).await;
        assert_eq!(key, Key::new("p", first), "before {second}");
    }
}

pub async fn every_condition_means_what_it_says(store: &Arc<impl ItemStore>) {
    let write = |version: &str, condition| vec![Write::Put(item("p", "s", version), condition)];
    conflict(&**store, write("1", Condition::Present)).await;
    conflict(&**store, write("1", version("0"))).await;
    store.transact(write("1", Condition::Absent)).await.unwrap();
    conflict(&**store, write("2", Condition::Absent)).await;
    conflict(&**store, write("2", version("2"))).await;
    store.transact(write("2", version("1"))).await.unwrap();
    store.transact(write("3", Condition::Present)).await.unwrap();
    store.transact(write("4", Condition::Always)).await.unwrap();
    assert_eq!(get(&**store, "p", "s").await, Some(item("p", "s", "4")));
}

pub async fn delete_and_check_obey_their_conditions(store: &Arc<impl ItemStore>) {
    let key = Key::new("p", "s");
    store.transact(vec![put("p", "s", "1")]).await.unwrap();
    conflict(&**store, vec![Write::Delete(key.clone(), version("2"))]).await;
    conflict(&**store, vec![Write::Check(key.clone(), version("2"))]).await;
    conflict(&**store, vec![Write::Check(key.clone(), Condition::Absent)]).await;
    store.transact(vec![Write::Check(key.clone(), version("1"))]).await.unwrap();
    store.transact(vec![Write::Delete(key.clone(), version("1"))]).await.unwrap();
    assert_eq!(get(&**store, "p", "s").await, None);
    store.transact(vec![Write::Delete(key.clone(), Condition::Always)]).await.unwrap();
    conflict(&**store, vec![Write::Delete(key, Condition::Present)]).await;
}

pub async fn a_full_transaction_is_written(store: &Arc<impl ItemStore>) {
    let writes = (0..TRANSACT_WRITES_MAX).map(|number| put("p", &format!("{number:03}"), "1")).collect();
    store.transact(writes).await.unwrap();
    let query = Query { pk: "p".to_owned(), limit: 1000, ..Query::default() };
    assert_eq!(store.query(query).await.unwrap().len(), TRANSACT_WRITES_MAX);
}

pub async fn a_transaction_of_as_many_bytes_as_may_be_is_written(store: &Arc<impl ItemStore>) {
    const ITEMS: usize = 12;
    let put = |number: usize, more: usize| {
        let key = Key::new("p", format!("{number:03}"));
        let by = "x".repeat(TRANSACT_BYTES_MAX / ITEMS - 400 + more);
        let record = Record::Edge(EdgeRecord { since: Timestamp::from_millis(7), by, left: None });
        Write::Put(Item { key, version: Version::new("1"), record }, Condition::Always)
    };
    let bytes = |writes: &[Write]| writes.iter().map(Write::size_bytes).sum::<usize>();
    let mut writes: Vec<Write> = (0..ITEMS).map(|number| put(number, 0)).collect();
    writes[0] = put(0, TRANSACT_BYTES_MAX - bytes(&writes));
    assert_eq!(bytes(&writes), TRANSACT_BYTES_MAX);
    store.transact(writes).await.unwrap();
    let query = Query { pk: "p".to_owned(), limit: 1000, ..Query::default() };
    assert_eq!(store.query(query).await.unwrap().len(), ITEMS);
}

pub async fn of_many_racing_creators_one_wins(store: &Arc<impl ItemStore + 'static>) {
    let creators = (0..16).map(|number| {
        let store = Arc::clone(store);
        let own = item("p", "s", &number.to_string());
        tokio::spawn(async move { store.transact(vec![Write::Put(own, Condition::Absent)]).await.is_ok() })
    });
    let mut winners = 0;
    for creator in creators.collect::<Vec<_>>() {
        winners += usize::from(creator.await.unwrap());
    }
    assert_eq!(winners, 1);
}

pub async fn racing_increments_lose_nothing(store: &Arc<impl ItemStore + 'static>) {
    const WRITERS: usize = 8;
    const INCREMENTS: usize = 10;
    store.transact(vec![put("p", "s", "0")]).await.unwrap();
    let writers = (0..WRITERS).map(|writer| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            let mut done = 0;
            while done < INCREMENTS {
                let seen = get(&*store, "p", "s").await.unwrap().version;
                let next = count(&seen) + 1;
                // No two writers choose the same version.
                let write = Write::Put(item("p", "s", &format!("{next}-{writer}")), Condition::Version(seen));
                done += usize::from(store.transact(vec![write]).await.is_ok());
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(count(&get(&**store, "p", "s").await.unwrap().version), WRITERS * INCREMENTS);
}

/// Returns the number that a version begins with.
fn count(version: &Version) -> usize {
    version.as_str().split('-').next().unwrap().parse().unwrap()
}

async fn walk(store: &impl ItemStore, query: Query) -> Vec<String> {
    store.query(query).await.unwrap().into_iter().map(|item| item.key.sk).collect()
}

pub async fn a_query_walks_in_byte_order_of_its_partition_only(store: &Arc<impl ItemStore>) {
    let sort_keys = ["a", "B", "a/b", "a-b", "é", "~", "10", "9"];
    let mut writes: Vec<Write> = sort_keys.iter().map(|sk| put("R#name#T", sk, "1")).collect();
    // Neighbours whose partition begins or continues like this one.
    writes.extend(
        ["R#name", "R#name#", "R#name#T#", "R#name#U", "R#nam", "R#name0"].map(|pk| put(pk, "x", "1")),
    );
    store.transact(writes).await.unwrap();
    let query = Query { pk: "R#name#T".to_owned(), limit: 100, ..Query::default() };
    let mut expected = sort_keys.to_vec();
    expected.sort_unstable();
    assert_eq!(walk(&**store, query.clone()).await, expected);
    expected.reverse();
    assert_eq!(walk(&**store, Query { direction: Direction::Descending, ..query }).await, expected);
}

pub async fn a_query_obeys_prefix_after_and_limit_both_ways(store: &Arc<impl ItemStore>) {
    let sort_keys = ["a#1", "a#2", "a#3", "a#4", "b#1", "a"];
    store.transact(sort_keys.iter().map(|sk| put("p", sk, "1")).collect()).await.unwrap();
    let query = |after: Option<&str>, limit, direction| Query {
        pk: "p".to_owned(),
        prefix: "a#".to_owned(),
        after: after.map(str::to_owned),
        limit,
        direction,
    };
    let (up, down) = (Direction::Ascending, Direction::Descending);
    assert_eq!(walk(&**store, query(None, 2, up)).await, ["a#1", "a#2"]);
    assert_eq!(walk(&**store, query(Some("a#2"), 9, up)).await, ["a#3", "a#4"]);
    assert_eq!(walk(&**store, query(Some("a#25 is not there"), 1, up)).await, ["a#3"]);
    assert_eq!(walk(&**store, query(Some("a"), 1, up)).await, ["a#1"]);
    assert_eq!(walk(&**store, query(Some("a#4"), 9, up)).await, [""; 0]);
    assert_eq!(walk(&**store, query(Some("b"), 9, up)).await, [""; 0]);
    assert_eq!(walk(&**store, query(None, 2, down)).await, ["a#4", "a#3"]);
    assert_eq!(walk(&**store, query(Some("a#2"), 9, down)).await, ["a#1"]);
    assert_eq!(walk(&**store, query(Some("z"), 1, down)).await, ["a#4"]);
    assert_eq!(walk(&**store, query(None, 0, up)).await, [""; 0]);
}

pub async fn a_scan_sees_every_item_once(store: &Arc<impl ItemStore + ItemScan>) {
    let writes = (0..50).map(|number| put(&format!("p{}", number % 7), &format!("{number}"), "1")).collect();
    store.transact(writes).await.unwrap();
    let (mut seen, mut last) = (HashSet::new(), None);
    loop {
        let items = store.scan(last.as_ref(), 8).await.unwrap();
        let Some(end) = items.last() else { break };
        last = Some(end.key.clone());
        for item in items {
            assert!(seen.insert(item.key));
        }
    }
    assert_eq!(seen.len(), 50);
}
