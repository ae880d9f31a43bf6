//! The largest item that there is: an upload with as many parts as S3 takes. Its state is written here as it is persisted.

use bytes::Bytes;
use futures_util::StreamExt;
use oci::Algorithm;
use registry::ports::{
    AppendState, Appended, ByteStream, Condition, Item, ItemStore, Key, ObjectKey, ObjectStore, StoreError,
    StoreErrorKind, Timestamp, Version, Write,
};
use registry::records::{Lane, Record, UploadRecord, UploadState};
use s3_standin::Fault;
use serde_json::{Value, json};

use crate::world::World;

/// What S3 gives for a part, without the quotes around it.
const OF_A_PART: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// What S3 gives for an object of parts: nothing that it gives is longer.
const OF_AN_OBJECT: &str = "d41d8cd98f00b204e9800998ecf8427e-10000";

fn object() -> ObjectKey {
    ObjectKey::stored("data/00/one")
}

/// Returns a body of the smallest size that is a part.
fn one_part() -> ByteStream {
    bytes(usize::try_from(aws::PART_BYTES_MIN).unwrap())
}

fn bytes(size_bytes: usize) -> ByteStream {
    futures_util::stream::iter([Ok(Bytes::from(vec![7; size_bytes]))]).boxed()
}

/// Appends one part.
async fn append_part(world: &World, state: &AppendState) -> Result<Appended, StoreError> {
    world.objects.append(&object(), &mut state.clone(), one_part()).await
}

fn parts_of(state: &AppendState) -> Vec<String> {
    let store: Value = serde_json::from_str(&state.store).unwrap();
    serde_json::from_value(store["etags"].clone()).unwrap()
}

/// Returns the upload that this one would be with so many parts.
fn with_parts(begun: &AppendState, count: usize, etag: &str) -> AppendState {
    let mut store: Value = serde_json::from_str(&begun.store).unwrap();
    store["etags"] = json!(vec![etag; count]);
    AppendState { size_bytes: count as u64 * aws::PART_BYTES_MIN, store: store.to_string() }
}

/// Keeps the state in an upload's item that is as long as it can be otherwise, and reads it again.
async fn assert_kept(world: &World, append: &AppendState) {
    let record = Record::Upload(UploadRecord {
        state: UploadState::Open,
        repository: "r".repeat(255).parse().unwrap(),
        principal: "p".repeat(1000),
        object: object(),
        append: append.clone(),
        algorithm: Algorithm::Sha512,
        hash_state: vec![7; 1000],
        lane: Lane::default(),
        started: Timestamp::from_millis(1),
        expires: Timestamp::from_millis(u64::MAX),
    });
    let item = Item { key: Key::new("U#1", "META"), version: Version::new("1"), record };
    world.items.transact(vec![Write::Put(item.clone(), Condition::Always)]).await.unwrap();
    assert!(world.items.get(std::slice::from_ref(&item.key)).await.unwrap() == [Some(item)]);
}

/// The last number of parts that has a place is `most`.
async fn assert_ends_at(world: &World, etag: &str, most: usize) {
    let begun = append_part(world, &AppendState::default()).await.unwrap().state;
    assert_eq!(parts_of(&begun)[0].len(), OF_A_PART.len(), "the quotes are left out");
    for count in [most - 1, most] {
        let state = append_part(world, &with_parts(&begun, count - 1, etag)).await.unwrap().state;
        assert_eq!(parts_of(&state).len(), count);
        assert_kept(world, &state).await;
    }
    let sent = world.s3.calls().count("UploadPart");
    let Err(refused) = append_part(world, &with_parts(&begun, most, etag)).await else {
        panic!("there are {} parts of {etag}", most + 1)
    };
    assert_eq!(refused.kind, StoreErrorKind::Full, "{refused}");
    assert!(refused.context.contains(&format!("has {most} parts")), "{refused}");
    assert_eq!(world.s3.calls().count("UploadPart"), sent, "a part without a place is not sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_has_up_to_ten_thousand_parts_that_its_item_has_room_for_and_no_more() {
    assert_ends_at(&World::new().await, OF_A_PART, 10_000).await;
}

/// S3 gives them for objects only; but another store may say what it likes.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_longer_entity_tags_fill_its_item_is_refused_before_the_item_is() {
    let world = World::new().await;
    assert_ends_at(&world, OF_AN_OBJECT, 9_740).await;
    assert_ends_at(&world, &"e".repeat(1024), 388).await;
}

/// Returns how many part numbers are taken: by parts, and by requests of which nobody knows what became.
fn taken(state: &AppendState) -> u64 {
    let store: Value = serde_json::from_str(&state.store).unwrap();
    let numbers = |place: &Value| place.as_u64().unwrap_or(1);
    let places: u64 = store["etags"].as_array().unwrap().iter().map(numbers).sum();
    places + store["given"].as_u64().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_to_nothing_costs_a_few_numbers_and_one_that_is_kept_those_of_its_parts() {
    let world = World::new().await;
    let begun = append_part(&world, &AppendState::default()).await.unwrap().state;
    assert_eq!(taken(&begun), 1);
    let mut kept = begun.clone();
    for lost in 1..=3 {
        world.objects.append(&object(), &mut kept, one_part()).await.unwrap();
        assert_eq!(taken(&kept), 1 + 8 * lost);
    }
    let appended = append_part(&world, &kept).await.unwrap().state;
    assert_eq!(taken(&appended), 1 + 8 * 3 + 1);
}

/// Whoever is given the last numbers may come to nothing, and the tail was acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn a_tail_keeps_a_number_for_its_commit_and_every_commit_has_the_same() {
    let world = World::new().await;
    let mut kept = append_part(&world, &AppendState::default()).await.unwrap().state;
    kept = world.objects.append(&object(), &mut kept, bytes(1000)).await.unwrap().state;
    let mut store: Value = serde_json::from_str(&kept.store).unwrap();
    store["given"] = json!(9_985);
    kept.store = store.to_string();
    for is_place in [true, true, false] {
        let lost = world.objects.append(&object(), &mut kept, one_part()).await;
        assert_eq!(lost.is_ok(), is_place);
    }
    assert_eq!(taken(&kept), 9_999);
    world.s3.faults().plan("CompleteMultipartUpload", 1, Fault::Refused { status: 400, code: "Odd".into() });
    world.objects.finish(&object(), &kept.clone(), &mut kept).await.unwrap_err();
    assert_eq!(taken(&kept), 10_000);
    world.objects.finish(&object(), &kept.clone(), &mut kept).await.unwrap();
    assert_eq!(world.objects.head(&object()).await.unwrap(), Some(aws::PART_BYTES_MIN + 1000));
}
