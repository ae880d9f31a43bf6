//! Answers to uploads, from their beginning to their commit.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use registry::ports::{ObjectScan, ObjectStore, StoreErrorKind};
use registry::testing::{Call, Outcome};

use super::{CHUNK_MIN, assert_error, assert_reply, stored};
use crate::client::{blob, committing, upload_id, uploads};
use crate::content::Content;
use crate::log::logged;
use crate::world::World;

#[tokio::test]
async fn an_upload_tells_at_every_step_where_it_is_and_how_far() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let client = world.client();
    let begun = client.post(&uploads("app"), "").await;
    let location = begun.location();
    let id = location.rsplit('/').next().unwrap();
    assert_eq!(location, format!("/v2/app/blobs/uploads/{id}"));
    let standing = |range| [("location", location.as_str()), ("range", range), ("docker-upload-uuid", id)];
    let begun_headers = [&standing("0-0")[..], &[CHUNK_MIN]].concat();
    assert_reply(&begun, 202, &begun_headers, "");
    assert_reply(&client.patch(&location, "lay").await, 202, &standing("0-2"), "");
    assert_reply(&client.patch_at(&location, "3-3", "e").await, 202, &standing("0-3"), "");
    assert_reply(&client.get(&location).await, 204, &standing("0-3"), "");
    assert_eq!(
        world.stored().await,
        stored(&[("open_upload", 1), ("suspect", 1), ("upload", 1), ("object", 1)])
    );

    let committed = client.put(&committing(&location, &layer.digest), "r").await;
    let path = blob("app", &layer.digest);
    assert_reply(&committed, 201, &[("location", &path), ("docker-content-digest", &layer.digest)], "");
    let left = [("upload", 1), ("suspect", 2), ("blob", 1), ("blob_edge", 1), ("link", 1), ("object", 1)];
    assert_eq!(world.stored().await, stored(&left));
}

#[tokio::test]
async fn a_chunk_out_of_order_is_told_where_the_upload_stands() {
    let client = World::new().client();
    let location = client.begin("app").await;
    client.patch(&location, "abc").await.expect(202);
    let id = location.rsplit('/').next().unwrap();
    let headers = [("location", location.as_str()), ("range", "0-2")];
    let message = format!("upload {id} stands at byte 3, but the chunk begins at 5");
    let reply = client.patch_at(&location, "5-5", "f").await;
    assert_error(&reply, 416, &headers, "BLOB_UPLOAD_INVALID", &message);
}

#[tokio::test]
async fn a_chunk_of_another_length_than_its_range_is_refused() {
    let client = World::new().client();
    let location = client.begin("app").await;
    let reply = client.patch_at(&location, "0-4", "abc").await;
    let message = "the chunk has 3 bytes, but its Content-Range names 5";
    assert_error(&reply, 400, &[], "SIZE_INVALID", message);
    assert_eq!(client.get(&location).await.header("range"), "0-0");
}

#[tokio::test]
async fn a_wrong_digest_is_refused_with_the_right_one() {
    let client = World::new().client();
    let (right, wrong) = (Content::blob("right"), Content::blob("wrong"));
    let location = client.begin("app").await;
    let reply = client.put(&committing(&location, &wrong.digest), right.bytes).await;
    let message = format!("the content has digest {}, not {}", right.digest, wrong.digest);
    assert_error(&reply, 400, &[], "DIGEST_INVALID", &message);
}

#[tokio::test]
async fn a_cancelled_upload_leaves_no_bytes_and_is_unknown() {
    let world = World::new();
    let client = world.client();
    let location = client.begin("app").await;
    client.patch(&location, "abc").await.expect(202);
    assert_reply(&client.delete(&location).await, 204, &[], "");
    let id = location.rsplit('/').next().unwrap();
    let message = format!("upload {id} is unknown to repository app: it may have ended, or expired");
    for reply in
        [client.get(&location).await, client.delete(&location).await, client.patch(&location, "d").await]
    {
        assert_error(&reply, 404, &[], "BLOB_UPLOAD_UNKNOWN", &message);
    }
    assert_eq!(world.stored().await, stored(&[("suspect", 1), ("upload", 1)]));
}

#[tokio::test]
async fn bytes_of_an_upload_that_are_lost_are_named_in_the_log_and_the_answer_is_that_it_is_unknown() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let client = world.client();
    let location = client.begin("app").await;
    client.patch(&location, "layer").await.expect(202);
    let lost = world.objects.scan().await.unwrap().remove(0).key;
    world.objects.abort(&lost, &Default::default()).await.unwrap();
    let (log, reply) = logged(async { client.put(&committing(&location, &layer.digest), "").await }).await;
    assert!(reply.expect(404).text().contains("BLOB_UPLOAD_UNKNOWN"));
    let line = log.lines().find(|line| line.contains("ERROR")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains(upload_id(&location).as_str()) && line.contains(lost.as_str()), "{line}");
}

#[tokio::test]
async fn who_may_not_ask_for_the_object_says_that_the_bytes_may_be_lost() {
    let world = World::new();
    let location = world.client().begin("app").await;
    let relay = world.client_hooked(|call| match call {
        Call::ObjectAppend => Outcome::Failed(StoreErrorKind::AlreadyFinished),
        Call::ObjectHead => Outcome::Failed(StoreErrorKind::Unavailable),
        _ => Outcome::Done,
    });
    let (log, reply) = logged(async { relay.patch(&location, "layer").await }).await;
    assert!(reply.expect(404).text().contains("BLOB_UPLOAD_UNKNOWN"));
    let line = log.lines().find(|line| line.contains("ERROR")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains(upload_id(&location).as_str()), "{line}");
    assert!(line.contains("may be lost") && line.contains("injected at ObjectHead"), "{line}");
}

#[tokio::test]
async fn bytes_of_an_upload_that_are_an_object_already_are_not_lost() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let location = world.client().begin("app").await;
    world.client().patch(&location, "layer").await.expect(202);
    let killed = AtomicBool::default();
    let broken = world.client_hooked(move |call| match call {
        Call::ObjectFinish => {
            killed.store(true, Ordering::Relaxed);
            Outcome::Done
        }
        _ if killed.load(Ordering::Relaxed) => Outcome::Failed(StoreErrorKind::Unavailable),
        _ => Outcome::Done,
    });
    broken.put(&committing(&location, &layer.digest), "").await.expect(503);
    let (log, reply) = logged(async { world.client().patch(&location, "more").await }).await;
    reply.expect(404);
    assert!(!log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn bytes_of_an_upload_that_somebody_cancels_meanwhile_are_not_lost() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let client = world.client();
    let location = client.begin("app").await;
    client.patch(&location, "layer").await.expect(202);
    let canceller = (client, location.clone());
    let overtaken = world.client_hooked(move |call| {
        let (client, location) = &canceller;
        if call == Call::ObjectFinish {
            client.delete(location).now_or_never().expect("nothing waits").expect(204);
        }
        Outcome::Done
    });
    let committed = async { overtaken.put(&committing(&location, &layer.digest), "").await };
    let (log, reply) = logged(committed).await;
    reply.expect(404);
    assert!(!log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn a_blob_posted_whole_is_there() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let client = world.client();
    let reply = client.post(&committing(&uploads("app"), &layer.digest), "layer").await;
    let headers = [("location", &*blob("app", &layer.digest)), ("docker-content-digest", &layer.digest)];
    assert_reply(&reply, 201, &headers, "");
    let wrong = client.post(&committing(&uploads("app"), &layer.digest), "another").await;
    assert_eq!(wrong.status.as_u16(), 400);
    let left = [("upload", 2), ("suspect", 3), ("blob", 1), ("blob_edge", 1), ("link", 1), ("object", 1)];
    assert_eq!(world.stored().await, stored(&left));
}
