//! Objects: parts, tails, and what S3 does now and then.

use bytes::Bytes;
use futures_util::StreamExt;
use registry::ports::{
    AppendState, Appended, ByteStream, ObjectKey, ObjectScan, ObjectStore, StoreError, StoreErrorKind,
};
use s3_standin::Fault;

use crate::world::World;

const MIB: usize = 1024 * 1024;

fn key() -> ObjectKey {
    ObjectKey::stored("data/00/one")
}

fn noise(bytes: usize, seed: u8) -> Vec<u8> {
    (0..bytes).map(|at| (at % 251) as u8 ^ seed).collect()
}

fn body(bytes: &[u8]) -> ByteStream {
    let pieces: Vec<_> = bytes.chunks(60_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    futures_util::stream::iter(pieces).boxed()
}

async fn read(world: &World, size_bytes: usize) -> Vec<u8> {
    let mut stream = world.objects.get(&key(), 0..size_bytes as u64).await.unwrap().unwrap();
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece.unwrap());
    }
    bytes
}

/// Appends to an upload of which nobody else knows.
async fn append(world: &World, state: &AppendState, bytes: &[u8]) -> Result<Appended, StoreError> {
    world.objects.append(&key(), &mut state.clone(), body(bytes)).await
}

/// Finishes such an upload.
async fn finish(world: &World, state: &AppendState) -> Result<(), StoreError> {
    world.objects.finish(&key(), state, &mut state.clone()).await
}

/// Appends chunks of these sizes, finishes, and returns what was appended.
async fn upload(world: &World, sizes: &[usize]) -> Vec<u8> {
    let (mut state, mut sent) = (AppendState::default(), Vec::new());
    for (size_bytes, seed) in sizes.iter().zip(0..) {
        let bytes = noise(*size_bytes, seed);
        state = append(world, &state, &bytes).await.unwrap().state;
        sent.extend_from_slice(&bytes);
    }
    finish(world, &state).await.unwrap();
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_around_the_smallest_part_come_back_as_they_went() {
    let part = usize::try_from(aws::PART_BYTES_MIN).unwrap();
    for sizes in [
        vec![part - 1],
        vec![part],
        vec![part + 1],
        vec![part - 1, 1],
        vec![part - 1, part - 1, part - 1],
        vec![4 * MIB, 4 * MIB, 4 * MIB, 4 * MIB, 4 * MIB],
        vec![8 * MIB, 8 * MIB, 1],
        vec![1, 20 * MIB, 1],
    ] {
        let world = World::new().await;
        let sent = upload(&world, &sizes).await;
        assert!(read(&world, sent.len()).await == sent, "{sizes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_upload_is_one_put_and_one_copy() {
    let world = World::new().await;
    upload(&world, &[1000]).await;
    let counts: Vec<_> = world.s3.calls().counts().into_iter().collect();
    assert_eq!(counts, [("CopyObject".to_owned(), 1), ("PutObject".to_owned(), 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_made_a_part_are_never_sent_or_copied_again() {
    let world = World::new().await;
    upload(&world, &[32 * MIB]).await;
    let counts: Vec<_> = world.s3.calls().counts().into_iter().collect();
    let expected = [("CompleteMultipartUpload", 1), ("CreateMultipartUpload", 1), ("UploadPart", 4)];
    assert_eq!(counts, expected.map(|(name, count)| (name.to_owned(), count)));
    assert_eq!(world.s3.calls().received_bytes() / MIB as u64, 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_append_leaves_the_state_before_it_good() {
    let world = World::new().await;
    let first = noise(6 * MIB, 1);
    let state = append(&world, &AppendState::default(), &first).await.unwrap().state;
    for call in 1..=8 {
        world.s3.faults().plan("UploadPart", call, Fault::Throttled);
    }
    let refused = append(&world, &state, &noise(9 * MIB, 2)).await.unwrap_err();
    // The refusal may come while bytes are still being sent, and then only the broken connection is seen.
    assert!(matches!(refused.kind, StoreErrorKind::Throttled | StoreErrorKind::Unavailable), "{refused:?}");
    world.s3.faults().clear();
    let second = noise(9 * MIB, 3);
    let state = append(&world, &state, &second).await.unwrap().state;
    finish(&world, &state).await.unwrap();
    assert!(read(&world, 15 * MIB).await == [first, second].concat());
}

/// The tail becomes a part in the end, like any other.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_comes_to_nothing_spoils_no_part_of_a_chunk_beside_it() {
    let world = World::new().await;
    let (first, second) = (noise(8 * MIB + 10, 1), noise(6 * MIB, 2));
    let begun = append(&world, &AppendState::default(), &first).await.unwrap().state;
    for call in 1..=8 {
        world.s3.faults().plan("CompleteMultipartUpload", call, Fault::Throttled);
    }
    let mut kept = begun.clone();
    world.objects.finish(&key(), &begun, &mut kept).await.unwrap_err();
    assert_eq!(world.s3.calls().count("UploadPartCopy"), 1, "the tail was made a part");
    assert_ne!(kept, begun, "and has a number of its own");
    let state = append(&world, &kept, &second).await.unwrap().state;
    // The other commit comes again, late.
    world.objects.finish(&key(), &begun, &mut kept).await.unwrap_err();
    world.s3.faults().clear();
    finish(&world, &state).await.unwrap();
    assert!(read(&world, 14 * MIB + 10).await == [first, second].concat());
}

/// Nobody else knows of a multipart upload that has not begun, and tails are objects of their own.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_part_that_follows_another_needs_a_place() {
    let world = World::new().await;
    let mut state = AppendState::default();
    for (bytes, is_replaced) in
        [(10, false), (9 * MIB, false), (10, false), (5 * MIB, true), (10, false), (20 * MIB, true)]
    {
        let mut kept = state.clone();
        let appended = world.objects.append(&key(), &mut kept, body(&noise(bytes, 1))).await.unwrap();
        assert_eq!(kept != state, is_replaced, "{bytes} after {}", state.size_bytes);
        state = appended.state;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_finish_whose_reply_was_lost_the_object_is_there_and_has_to_be_looked_at() {
    for (sizes, operation) in
        [(vec![0], "PutObject"), (vec![10], "CopyObject"), (vec![6 * MIB], "CompleteMultipartUpload")]
    {
        let world = World::new().await;
        let bytes = noise(sizes[0], 1);
        let state = append(&world, &AppendState::default(), &bytes).await.unwrap().state;
        world.s3.faults().plan(operation, 1, Fault::AppliedThenLost);
        if let Err(lost) = finish(&world, &state).await {
            assert_eq!(lost.kind, StoreErrorKind::AlreadyFinished, "{operation}");
        }
        assert_eq!(world.s3.faults().pending(), 0, "{operation}");
        assert_eq!(world.objects.head(&key()).await.unwrap(), Some(bytes.len() as u64));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finish_that_meets_another_of_its_object_waits_until_that_one_has_ended() {
    for (size_bytes, operation) in
        [(0, "PutObject"), (10, "CopyObject"), (6 * MIB, "CompleteMultipartUpload")]
    {
        for is_there in [false, true] {
            let world = World::new().await;
            let bytes = noise(size_bytes, 1);
            let begun = append(&world, &AppendState::default(), &bytes).await.unwrap();
            if is_there {
                world.objects.put(&key(), bytes.into()).await.unwrap();
            }
            world.s3.faults().plan(operation, 1, Fault::Conflict);
            world.s3.faults().plan(operation, 2, Fault::Conflict);
            let finished = finish(&world, &begun.state).await.map_err(|error| error.kind);
            let expected = if is_there { Err(StoreErrorKind::AlreadyFinished) } else { Ok(()) };
            assert_eq!((finished, world.s3.faults().pending()), (expected, 0), "{operation}");
            assert_eq!(world.objects.head(&key()).await.unwrap(), Some(size_bytes as u64));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_breaks_off_is_an_error_and_never_a_short_object() {
    let world = World::new().await;
    world.objects.put(&key(), noise(MIB, 1).into()).await.unwrap();
    world.s3.faults().plan("GetObject", 1, Fault::CutAtByte(300_000));
    let mut stream = world.objects.get(&key(), 0..MIB as u64).await.unwrap().unwrap();
    let mut ended = None;
    while let Some(piece) = stream.next().await {
        ended = piece.err();
    }
    assert!(ended.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_another_process_finished_is_not_taken_for_ones_own() {
    for prefix in [0, 6 * MIB] {
        let world = World::new().await;
        let begun = append(&world, &AppendState::default(), &noise(prefix, 1)).await.unwrap();
        let [theirs, ours] = [b"theirs", b"ours !"];
        let state = append(&world, &begun.state, theirs).await.unwrap().state;
        finish(&world, &state).await.unwrap();
        let state = append(&world, &begun.state, ours).await.unwrap().state;
        let refused = finish(&world, &state).await.unwrap_err();
        assert_eq!(refused.kind, StoreErrorKind::AlreadyFinished);
        assert!(read(&world, prefix + 6).await.ends_with(theirs));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aborted_upload_cannot_be_finished() {
    let world = World::new().await;
    let state = append(&world, &AppendState::default(), &noise(6 * MIB, 1)).await.unwrap().state;
    world.objects.abort(&key(), &state).await.unwrap();
    let refused = finish(&world, &state).await.unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::AlreadyFinished);
    assert_eq!(world.objects.head(&key()).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_upload_is_as_long_as_its_parts_and_its_tail() {
    let world = World::new().await;
    let size_in_list = async || {
        let listed = world.objects.scan().await.unwrap();
        assert!(listed.iter().all(|info| info.key == key() && info.is_unfinished), "{listed:?}");
        listed.iter().map(|info| info.size_bytes).sum::<u64>()
    };
    let mut state = AppendState::default();
    for (size_bytes, expected_bytes) in [(10, 10), (6 * MIB, 6 * MIB + 10), (20, 6 * MIB + 30)] {
        state = append(&world, &state, &noise(size_bytes, 1)).await.unwrap().state;
        // The tail that has become a part may be counted for as long as the bucket has it.
        let listed_bytes = size_in_list().await - expected_bytes as u64;
        assert!(listed_bytes <= 10, "{listed_bytes} more than {expected_bytes}");
    }
    finish(&world, &state).await.unwrap();
    let listed = world.objects.scan().await.unwrap();
    assert_eq!(
        listed.iter().map(|info| (info.size_bytes, info.is_unfinished)).collect::<Vec<_>>(),
        [(6 * MIB as u64 + 30, false)]
    );
}
