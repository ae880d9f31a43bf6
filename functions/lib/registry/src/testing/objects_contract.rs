//! What every object store promises, as tests.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test; the names are the statements")]

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use ulid::Ulid;

use crate::ports::{AppendState, ByteStream, ObjectKey, ObjectScan, ObjectStore, StoreErrorKind};

fn key(number: u64) -> ObjectKey {
    ObjectKey::fresh(Ulid::from_parts(number, u128::from(number)))
}

fn noise(size_bytes: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..size_bytes).map(next).collect()
}

fn body(pieces: Vec<Vec<u8>>) -> ByteStream {
    futures_util::stream::iter(pieces.into_iter().map(|piece| Ok(Bytes::from(piece)))).boxed()
}

fn broken_body(piece: &[u8]) -> ByteStream {
    let pieces = [Ok(Bytes::copy_from_slice(piece)), Err(std::io::Error::other("the client went away"))];
    futures_util::stream::iter(pieces).boxed()
}

async fn read(store: &impl ObjectStore, key: &ObjectKey, range: Range<u64>) -> Option<Vec<u8>> {
    let stream = store.get(key, range).await.unwrap()?;
    let pieces: Vec<Bytes> = stream.map(|piece| piece.unwrap()).collect().await;
    Some(pieces.concat())
}

/// Returns the state from which so many bytes may be appended.
fn reserved(store: &impl ObjectStore, state: &AppendState, size_bytes: usize) -> AppendState {
    store.reserve(state, Some(size_bytes as u64)).unwrap().unwrap_or_else(|| state.clone())
}

async fn append(store: &impl ObjectStore, key: &ObjectKey, state: &AppendState, bytes: &[u8]) -> AppendState {
    append_at(store, key, &reserved(store, state, bytes.len()), bytes).await
}

/// Appends at the places that are reserved in the state.
async fn append_at(
    store: &impl ObjectStore,
    key: &ObjectKey,
    state: &AppendState,
    bytes: &[u8],
) -> AppendState {
    let appended = store.append(key, state, body(vec![bytes.to_vec()])).await.unwrap();
    assert!(appended.interrupted.is_none());
    assert_eq!(appended.state.size_bytes, state.size_bytes + bytes.len() as u64);
    appended.state
}

pub async fn an_object_that_was_put_is_read_whole_and_in_ranges(store: &Arc<impl ObjectStore>) {
    let bytes = noise(100_000);
    store.put(&key(1), Bytes::from(bytes.clone())).await.unwrap();
    assert_eq!(store.head(&key(1)).await.unwrap(), Some(100_000));
    for range in [0..100_000, 0..1, 99_999..100_000, 10..20, 65_000..70_000, 5..5] {
        let expected = &bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
        assert_eq!(read(&**store, &key(1), range).await.unwrap(), expected);
    }
}

pub async fn what_is_not_there_is_none(store: &Arc<impl ObjectStore>) {
    assert_eq!(store.head(&key(1)).await.unwrap(), None);
    assert_eq!(read(&**store, &key(1), 0..1).await, None);
}

pub async fn delete_can_be_repeated(store: &Arc<impl ObjectStore>) {
    store.put(&key(1), Bytes::from_static(b"one")).await.unwrap();
    store.delete(&key(1)).await.unwrap();
    store.delete(&key(1)).await.unwrap();
    assert_eq!(store.head(&key(1)).await.unwrap(), None);
    assert_eq!(read(&**store, &key(1), 0..3).await, None);
}

pub async fn an_upload_is_invisible_until_it_is_finished(store: &Arc<impl ObjectStore>) {
    let state = append(&**store, &key(1), &AppendState::default(), b"one").await;
    assert_eq!(store.head(&key(1)).await.unwrap(), None);
    assert_eq!(read(&**store, &key(1), 0..3).await, None);
    store.finish(&key(1), &state).await.unwrap();
    assert_eq!(read(&**store, &key(1), 0..3).await.unwrap(), b"one");
}

pub async fn appends_follow_one_another(store: &Arc<impl ObjectStore>) {
    let mut state = AppendState::default();
    for part in [&b"one"[..], b"", b"two", b"three"] {
        state = append(&**store, &key(1), &state, part).await;
    }
    store.finish(&key(1), &state).await.unwrap();
    assert_eq!(read(&**store, &key(1), 0..11).await.unwrap(), b"onetwothree");
}

pub async fn an_append_from_an_older_state_overwrites_what_came_after(store: &Arc<impl ObjectStore>) {
    let first = append(&**store, &key(1), &AppendState::default(), b"one").await;
    append(&**store, &key(1), &first, b"a longer text that nobody acknowledged").await;
    let second = append(&**store, &key(1), &first, b"two").await;
    store.finish(&key(1), &second).await.unwrap();
    assert_eq!(store.head(&key(1)).await.unwrap(), Some(6));
    assert_eq!(read(&**store, &key(1), 0..6).await.unwrap(), b"onetwo");
}

pub async fn what_arrived_before_a_body_broke_off_is_kept(store: &Arc<impl ObjectStore>) {
    let first = append(&**store, &key(1), &AppendState::default(), b"one").await;
    let first = reserved(&**store, &first, 3);
    let appended = store.append(&key(1), &first, broken_body(b"two")).await.unwrap();
    assert!(appended.interrupted.is_some());
    assert_eq!(appended.state.size_bytes, 6);
    let last = append(&**store, &key(1), &appended.state, b"three").await;
    store.finish(&key(1), &last).await.unwrap();
    assert_eq!(read(&**store, &key(1), 0..11).await.unwrap(), b"onetwothree");
}

pub async fn an_upload_without_bytes_is_an_empty_object(store: &Arc<impl ObjectStore>) {
    store.finish(&key(1), &AppendState::default()).await.unwrap();
    assert_eq!(store.head(&key(1)).await.unwrap(), Some(0));
    assert_eq!(read(&**store, &key(1), 0..0).await.unwrap(), b"");
    let state = append(&**store, &key(2), &AppendState::default(), b"").await;
    store.finish(&key(2), &state).await.unwrap();
    assert_eq!(store.head(&key(2)).await.unwrap(), Some(0));
}

pub async fn finish_and_abort_can_be_repeated(store: &Arc<impl ObjectStore>) {
    let state = append(&**store, &key(1), &AppendState::default(), b"one").await;
    store.finish(&key(1), &state).await.unwrap();
    if let Err(again) = store.finish(&key(1), &state).await {
        assert_eq!(again.kind, StoreErrorKind::AlreadyFinished);
    }
    store.abort(&key(1), &state).await.unwrap();
    assert_eq!(read(&**store, &key(1), 0..3).await.unwrap(), b"one");
    let state = append(&**store, &key(2), &AppendState::default(), b"two").await;
    store.abort(&key(2), &state).await.unwrap();
    store.abort(&key(2), &state).await.unwrap();
    assert_eq!(store.head(&key(2)).await.unwrap(), None);
}

pub async fn an_upload_that_was_aborted_becomes_no_object_or_a_whole_one(store: &Arc<impl ObjectStore>) {
    let state = append(&**store, &key(1), &AppendState::default(), b"one").await;
    store.abort(&key(1), &state).await.unwrap();
    // A store may have the bytes still.
    match store.finish(&key(1), &state).await {
        Ok(()) => assert_eq!(read(&**store, &key(1), 0..3).await.unwrap(), b"one"),
        Err(refused) => {
            assert_eq!(refused.kind, StoreErrorKind::AlreadyFinished);
            assert_eq!(store.head(&key(1)).await.unwrap(), None);
        }
    }
}

pub async fn of_an_upload_that_is_finished_twice_at_once_there_is_one_object(
    store: &Arc<impl ObjectStore + 'static>,
) {
    for number in 1..20 {
        let state = append(&**store, &key(number), &AppendState::default(), b"one").await;
        let finishes = [0, 1].map(|_| {
            let (store, state) = (Arc::clone(store), state.clone());
            tokio::spawn(async move { store.finish(&key(number), &state).await })
        });
        for finish in finishes {
            if let Err(again) = finish.await.unwrap() {
                assert_eq!(again.kind, StoreErrorKind::AlreadyFinished);
            }
        }
        assert_eq!(read(&**store, &key(number), 0..3).await.unwrap(), b"one");
    }
}

pub async fn a_finished_upload_takes_no_more_bytes(store: &Arc<impl ObjectStore>) {
    let first = append(&**store, &key(1), &AppendState::default(), b"one").await;
    let both = append(&**store, &key(1), &first, b"two").await;
    store.finish(&key(1), &both).await.unwrap();
    for state in [&AppendState::default(), &first, &both] {
        // A store that does not look before it appends finds out when it finishes.
        let state = reserved(&**store, state, 5);
        let refused = match store.append(&key(1), &state, body(vec![b"three".to_vec()])).await {
            Ok(appended) => store.finish(&key(1), &appended.state).await.unwrap_err(),
            Err(refused) => refused,
        };
        assert_eq!(refused.kind, StoreErrorKind::AlreadyFinished);
    }
    assert_eq!(store.finish(&key(1), &first).await.unwrap_err().kind, StoreErrorKind::AlreadyFinished);
    assert_eq!(read(&**store, &key(1), 0..6).await.unwrap(), b"onetwo");
}

pub async fn a_large_object_comes_back_as_it_went(store: &Arc<impl ObjectStore>) {
    let bytes = noise(9_000_001);
    let pieces = bytes.chunks(300_007).map(<[u8]>::to_vec).collect();
    let appended = store.append(&key(1), &AppendState::default(), body(pieces)).await.unwrap();
    store.finish(&key(1), &appended.state).await.unwrap();
    assert_eq!(store.head(&key(1)).await.unwrap(), Some(9_000_001));
    assert!(read(&**store, &key(1), 0..9_000_001).await.unwrap() == bytes);
    assert!(read(&**store, &key(1), 4_000_000..8_500_000).await.unwrap() == bytes[4_000_000..8_500_000]);
}

pub async fn many_small_pieces_make_one_object(store: &Arc<impl ObjectStore>) {
    let bytes = noise(50_000);
    let pieces = bytes.chunks(7).map(<[u8]>::to_vec).collect();
    let appended = store.append(&key(1), &AppendState::default(), body(pieces)).await.unwrap();
    store.finish(&key(1), &appended.state).await.unwrap();
    assert_eq!(read(&**store, &key(1), 0..50_000).await.unwrap(), bytes);
}

pub async fn a_listing_tells_objects_from_unfinished_uploads(store: &Arc<impl ObjectStore + ObjectScan>) {
    store.put(&key(1), Bytes::from_static(b"one")).await.unwrap();
    append(&**store, &key(2), &AppendState::default(), b"four").await;
    let mut listed = store.scan().await.unwrap();
    listed.sort_by(|left, right| left.key.cmp(&right.key));
    let listed: Vec<_> =
        listed.into_iter().map(|info| (info.key, info.size_bytes, info.is_unfinished)).collect();
    assert_eq!(listed, [(key(1), 3, false), (key(2), 4, true)]);
}

/// Enough for a part wherever bytes are kept in parts.
const PART_BYTES: usize = 6 * 1024 * 1024;

/// Fails unless the upload becomes an object of these bytes.
async fn assert_finishes_as(
    store: &impl ObjectStore,
    key: &ObjectKey,
    state: &AppendState,
    pieces: &[&[u8]],
) {
    let (state, whole) = (reserved(store, state, 0), pieces.concat());
    store.finish(key, &state).await.unwrap();
    let stored = read(store, key, 0..whole.len() as u64).await.unwrap();
    assert!(stored == whole, "{} bytes of {}", stored.len(), whole.len());
}

pub async fn of_two_appends_from_one_state_either_can_be_kept(store: &Arc<impl ObjectStore>) {
    let bytes = noise(3 * PART_BYTES + 10);
    let (begun, two) = bytes.split_at(PART_BYTES);
    let (one, two) = two.split_at(PART_BYTES);
    let orders = [[0, 1], [1, 0]].into_iter().flat_map(|order| [0, 1].map(|kept| (order, kept)));
    for (number, (order, kept)) in (1..).zip(orders) {
        let key = key(number);
        let state = append(&**store, &key, &AppendState::default(), begun).await;
        let first = store.reserve(&state, Some(one.len() as u64)).unwrap().unwrap();
        let second = store.reserve(&first, Some(two.len() as u64)).unwrap().unwrap();
        let mut appended = [None, None];
        for turn in order {
            let (from, bytes) = if turn == 0 { (&first, one) } else { (&second, two) };
            appended[turn] = Some(append_at(&**store, &key, from, bytes).await);
        }
        let state = appended[kept].take().unwrap();
        assert_finishes_as(&**store, &key, &state, &[begun, if kept == 0 { one } else { two }]).await;
    }
}

pub async fn an_append_that_comes_late_is_in_nobodys_way(store: &Arc<impl ObjectStore>) {
    let bytes = noise(4 * PART_BYTES);
    let pieces: Vec<&[u8]> = bytes.chunks(PART_BYTES).collect();
    let begun = append(&**store, &key(1), &AppendState::default(), pieces[0]).await;
    let late = store.reserve(&begun, Some(PART_BYTES as u64)).unwrap().unwrap();
    let mut state = late.clone();
    for piece in [pieces[1], b"and a few bytes", pieces[2]] {
        state = append(&**store, &key(1), &state, piece).await;
    }
    append_at(&**store, &key(1), &late, pieces[3]).await;
    state = append(&**store, &key(1), &state, b"the end").await;
    let whole = [pieces[0], pieces[1], b"and a few bytes", pieces[2], b"the end"];
    assert_finishes_as(&**store, &key(1), &state, &whole).await;
}

pub async fn appends_whose_length_nobody_knew_before_are_whole(store: &Arc<impl ObjectStore>) {
    let bytes = noise(3 * PART_BYTES);
    let mut state = AppendState::default();
    for piece in bytes.chunks(PART_BYTES) {
        let from = store.reserve(&state, None).unwrap().unwrap_or_else(|| state.clone());
        state = append_at(&**store, &key(1), &from, piece).await;
    }
    assert_finishes_as(&**store, &key(1), &state, &[&bytes]).await;
}
