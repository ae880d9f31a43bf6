//! What every object store promises, as tests.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test; the names are the statements")]

use std::ops::Range;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::Notify;
use ulid::Ulid;

use crate::ports::{
    AppendState, Appended, ByteStream, KeptState, ObjectKey, ObjectScan, ObjectStore, StoreError,
    StoreErrorKind,
};

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

async fn append(store: &impl ObjectStore, key: &ObjectKey, state: &AppendState, bytes: &[u8]) -> AppendState {
    let appended = append_pieces(store, key, state, body(vec![bytes.to_vec()])).await.unwrap();
    assert!(appended.interrupted.is_none());
    assert_eq!(appended.state.size_bytes, state.size_bytes + bytes.len() as u64);
    appended.state
}

/// Appends to an upload of which nobody else knows.
async fn append_pieces(
    store: &impl ObjectStore,
    key: &ObjectKey,
    state: &AppendState,
    pieces: ByteStream,
) -> Result<Appended, StoreError> {
    store.append(key, &mut state.clone(), pieces).await
}

/// Finishes such an upload.
async fn finish(store: &impl ObjectStore, key: &ObjectKey, state: &AppendState) -> Result<(), StoreError> {
    store.finish(key, state, &mut state.clone()).await
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
    finish(&**store, &key(1), &state).await.unwrap();
    assert_eq!(read(&**store, &key(1), 0..3).await.unwrap(), b"one");
}

pub async fn appends_follow_one_another(store: &Arc<impl ObjectStore>) {
    let mut state = AppendState::default();
    for part in [&b"one"[..], b"", b"two", b"three"] {
        state = append(&**store, &key(1), &state, part).await;
    }
    finish(&**store, &key(1), &state).await.unwrap();
    assert_eq!(read(&**store, &key(1), 0..11).await.unwrap(), b"onetwothree");
}

pub async fn an_append_from_an_older_state_overwrites_what_came_after(store: &Arc<impl ObjectStore>) {
    let first = append(&**store, &key(1), &AppendState::default(), b"one").await;
    append(&**store, &key(1), &first, b"a longer text that nobody acknowledged").await;
    let second = append(&**store, &key(1), &first, b"two").await;
    finish(&**store, &key(1), &second).await.unwrap();
    assert_eq!(store.head(&key(1)).await.unwrap(), Some(6));
    assert_eq!(read(&**store, &key(1), 0..6).await.unwrap(), b"onetwo");
}

pub async fn what_arrived_before_a_body_broke_off_is_kept(store: &Arc<impl ObjectStore>) {
    let first = append(&**store, &key(1), &AppendState::default(), b"one").await;
    let appended = append_pieces(&**store, &key(1), &first, broken_body(b"two")).await.unwrap();
    assert!(appended.interrupted.is_some());
    assert_eq!(appended.state.size_bytes, 6);
    let last = append(&**store, &key(1), &appended.state, b"three").await;
    finish(&**store, &key(1), &last).await.unwrap();
    assert_eq!(read(&**store, &key(1), 0..11).await.unwrap(), b"onetwothree");
}

pub async fn an_upload_without_bytes_is_an_empty_object(store: &Arc<impl ObjectStore>) {
    finish(&**store, &key(1), &AppendState::default()).await.unwrap();
    assert_eq!(store.head(&key(1)).await.unwrap(), Some(0));
    assert_eq!(read(&**store, &key(1), 0..0).await.unwrap(), b"");
    let state = append(&**store, &key(2), &AppendState::default(), b"").await;
    finish(&**store, &key(2), &state).await.unwrap();
    assert_eq!(store.head(&key(2)).await.unwrap(), Some(0));
}

pub async fn finish_and_abort_can_be_repeated(store: &Arc<impl ObjectStore>) {
    let state = append(&**store, &key(1), &AppendState::default(), b"one").await;
    finish(&**store, &key(1), &state).await.unwrap();
    if let Err(again) = finish(&**store, &key(1), &state).await {
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
    match finish(&**store, &key(1), &state).await {
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
            tokio::spawn(async move { finish(&*store, &key(number), &state).await })
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
    finish(&**store, &key(1), &both).await.unwrap();
    for state in [&AppendState::default(), &first, &both] {
        // A store that does not look before it appends finds out when it finishes.
        let refused = match append_pieces(&**store, &key(1), state, body(vec![b"three".to_vec()])).await {
            Ok(appended) => finish(&**store, &key(1), &appended.state).await.unwrap_err(),
            Err(refused) => refused,
        };
        assert_eq!(refused.kind, StoreErrorKind::AlreadyFinished);
    }
    assert_eq!(finish(&**store, &key(1), &first).await.unwrap_err().kind, StoreErrorKind::AlreadyFinished);
    assert_eq!(read(&**store, &key(1), 0..6).await.unwrap(), b"onetwo");
}

pub async fn a_large_object_comes_back_as_it_went(store: &Arc<impl ObjectStore>) {
    let bytes = noise(9_000_001);
    let pieces = bytes.chunks(300_007).map(<[u8]>::to_vec).collect();
    let appended = append_pieces(&**store, &key(1), &AppendState::default(), body(pieces)).await.unwrap();
    finish(&**store, &key(1), &appended.state).await.unwrap();
    assert_eq!(store.head(&key(1)).await.unwrap(), Some(9_000_001));
    assert!(read(&**store, &key(1), 0..9_000_001).await.unwrap() == bytes);
    assert!(read(&**store, &key(1), 4_000_000..8_500_000).await.unwrap() == bytes[4_000_000..8_500_000]);
}

pub async fn many_small_pieces_make_one_object(store: &Arc<impl ObjectStore>) {
    let bytes = noise(50_000);
    let pieces = bytes.chunks(7).map(<[u8]>::to_vec).collect();
    let appended = append_pieces(&**store, &key(1), &AppendState::default(), body(pieces)).await.unwrap();
    finish(&**store, &key(1), &appended.state).await.unwrap();
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

/// Where processes share the state of an upload: whoever writes it has to have seen it as it is.
#[derive(Default)]
struct Shared(Mutex<(u64, AppendState)>);

/// The state as one process has read it.
struct Reader {
    shared: Arc<Shared>,
    version: u64,
    state: AppendState,
    /// What a process waits for that has just taken its places, and what it says then.
    pause: Option<(Arc<Notify>, Arc<Notify>)>,
}

impl Shared {
    fn read(self: &Arc<Self>) -> Reader {
        let (version, state) = self.0.lock().unwrap().clone();
        Reader { shared: Arc::clone(self), version, state, pause: None }
    }

    fn write(&self, seen: u64, state: &AppendState) -> Result<u64, StoreError> {
        let mut kept = self.0.lock().unwrap();
        if kept.0 != seen {
            return Err(StoreError::new(StoreErrorKind::Overtaken, "the state"));
        }
        *kept = (seen + 1, state.clone());
        Ok(kept.0)
    }
}

#[async_trait]
impl KeptState for Reader {
    fn state(&self) -> &AppendState {
        &self.state
    }

    async fn replace(&mut self, state: AppendState) -> Result<(), StoreError> {
        assert_eq!(state.size_bytes, self.state.size_bytes, "that is not for the store to say");
        self.version = self.shared.write(self.version, &state)?;
        self.state = state;
        if let Some((reached, released)) = &self.pause {
            reached.notify_one();
            released.notified().await;
        }
        Ok(())
    }
}

/// Appends as one of several processes, and keeps what it has appended.
async fn append_shared(
    store: &impl ObjectStore,
    mut reader: Reader,
    bytes: &[u8],
) -> Result<AppendState, StoreError> {
    let appended = store.append(&key(1), &mut reader, body(vec![bytes.to_vec()])).await?;
    reader.shared.write(reader.version, &appended.state)?;
    Ok(appended.state)
}

/// Fails unless the upload becomes an object of these bytes.
async fn assert_finishes_as(store: &impl ObjectStore, shared: &Arc<Shared>, pieces: &[&[u8]]) {
    let (mut reader, whole) = (shared.read(), pieces.concat());
    let state = reader.state.clone();
    store.finish(&key(1), &state, &mut reader).await.unwrap();
    let stored = read(store, &key(1), 0..whole.len() as u64).await.unwrap();
    assert!(stored == whole, "{} bytes of {}", stored.len(), whole.len());
}

/// Enough for a part wherever bytes are kept in parts.
const PART_BYTES: usize = 6 * 1024 * 1024;

pub async fn of_two_appends_from_one_state_one_is_kept(store: &Arc<impl ObjectStore>) {
    let bytes = noise(3 * PART_BYTES);
    let pieces: Vec<&[u8]> = bytes.chunks(PART_BYTES).collect();
    let shared = Arc::<Shared>::default();
    append_shared(&**store, shared.read(), pieces[0]).await.unwrap();
    let (first, second) = (shared.read(), shared.read());
    append_shared(&**store, first, pieces[1]).await.unwrap();
    let refused = append_shared(&**store, second, pieces[2]).await.unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Overtaken);
    assert_finishes_as(&**store, &shared, &[pieces[0], pieces[1]]).await;
}

/// One process has its places, and sleeps while others go on.
pub async fn an_append_that_comes_late_is_in_nobodys_way(store: &Arc<impl ObjectStore>) {
    let bytes = noise(4 * PART_BYTES);
    let pieces: Vec<&[u8]> = bytes.chunks(PART_BYTES).collect();
    let shared = Arc::<Shared>::default();
    append_shared(&**store, shared.read(), pieces[0]).await.unwrap();
    let (reached, released) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let late = Reader { pause: Some((Arc::clone(&reached), Arc::clone(&released))), ..shared.read() };
    let others = async {
        reached.notified().await;
        for piece in [pieces[1], b"and a few bytes", pieces[2]] {
            append_shared(&**store, shared.read(), piece).await.unwrap();
        }
        released.notify_one();
    };
    let (late, ()) = futures_util::future::join(append_shared(&**store, late, pieces[3]), others).await;
    assert_eq!(late.unwrap_err().kind, StoreErrorKind::Overtaken);
    append_shared(&**store, shared.read(), b"the end").await.unwrap();
    let whole = [pieces[0], pieces[1], b"and a few bytes", pieces[2], b"the end"];
    assert_finishes_as(&**store, &shared, &whole).await;
}
