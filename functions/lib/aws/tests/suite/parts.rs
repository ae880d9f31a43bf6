//! The largest item that there is: an upload with as many parts as S3 takes. Its state is written here as it is persisted.

use bytes::Bytes;
use futures_util::StreamExt;
use oci::Algorithm;
use registry::ports::{
    AppendState, Appended, ByteStream, Condition, Item, ItemStore, Key, ObjectKey, ObjectStore, StoreError,
    StoreErrorKind, Timestamp, Version, Write,
};
use registry::records::{Lane, Record, UploadRecord, UploadState};
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
    let bytes = Bytes::from(vec![7; usize::try_from(aws::PART_BYTES_MIN).unwrap()]);
    futures_util::stream::iter([Ok(bytes)]).boxed()
}

/// Appends one part.
async fn append_part(world: &World, state: &AppendState) -> Result<Appended, StoreError> {
    let reserved = world.objects.reserve(state, Some(aws::PART_BYTES_MIN))?;
    world.objects.append(&object(), reserved.as_ref().unwrap_or(state), one_part()).await
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

/// Returns how many parts the next one who asks would have for so many bytes.
fn reserved(world: &World, state: &AppendState, size_bytes: Option<u64>) -> (AppendState, u64) {
    let state = world.objects.reserve(state, size_bytes).unwrap().unwrap();
    let store: Value = serde_json::from_str(&state.store).unwrap();
    (state, store["reserved"].as_u64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_reserves_what_its_bytes_need_or_half_of_what_is_left() {
    let world = World::new().await;
    let begun = append_part(&world, &AppendState::default()).await.unwrap().state;
    for (size_bytes, parts) in [(1, 1), (8 << 20, 1), ((8 << 20) + 1, 2), (80 << 30, 10_240)] {
        if parts <= 9_999 {
            assert_eq!(reserved(&world, &begun, Some(size_bytes)).1, parts);
        } else {
            let refused = world.objects.reserve(&begun, Some(size_bytes)).unwrap_err();
            assert_eq!(refused.kind, StoreErrorKind::Full, "{refused}");
        }
    }
    // Nothing that was reserved is reserved again, as long as nobody says what became of it.
    let (half, parts) = reserved(&world, &begun, None);
    assert_eq!(parts, 5_000);
    let (quarter, parts) = reserved(&world, &half, None);
    assert_eq!(parts, 2_500);
    assert_eq!(reserved(&world, &quarter, Some(1)).1, 1);
    // What was not used comes back.
    let appended = world.objects.append(&object(), &quarter, one_part()).await.unwrap().state;
    assert_eq!(reserved(&world, &appended, None).1, (10_000 - 1 - 5_000 - 1_u64).div_ceil(2));
}
