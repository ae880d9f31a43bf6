//! Taking over direct uploads, and the URLs by which they come.

use std::sync::Arc;

use aws::Presigned;
use oci::{Algorithm, Digest, UploadId};
use registry::ports::{
    Arrived, Clock, ObjectKey, ObjectStore, SignedDownloads, SignedUploads, SystemClock, VerifiedCopy,
};
use s3_standin::{Fault, Options};

use crate::world::{Stores, World};

fn id(number: usize) -> UploadId {
    format!("0000000{number}-upload").parse().unwrap()
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::stored(format!("data/00/{name}"))
}

/// Puts the bytes where the client would, by the query that it was given.
async fn upload(stores: &Stores, id: &UploadId, bytes: &[u8]) -> u16 {
    let query = Presigned::new((*stores.objects).clone()).signed_put(id).await.unwrap();
    let url = format!("{}/uploads/{id}?{query}", stores.bucket_url);
    reqwest::Client::new().put(url).body(bytes.to_vec()).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_of_an_upload_is_known_by_its_digest_and_stays_as_it_is() {
    for copy_checksum in [true, false] {
        let world = World::with(Options { copy_checksum, ..Options::default() }).await;
        knows_a_copy(&world).await;
        let reads = world.s3.calls().count("GetObject");
        assert_eq!(reads, u64::from(!copy_checksum), "only without a checksum are the bytes read");
    }
}

pub(crate) async fn knows_a_copy(stores: &Stores) {
    assert_eq!(upload(stores, &id(1), b"a layer").await, 200);
    let copied = stores.objects.copy_upload(&id(1), &key("one")).await.unwrap().unwrap();
    assert_eq!(copied.digest, Digest::of(Algorithm::Sha256, b"a layer"));
    assert_eq!(copied.size_bytes, 7);
    assert_eq!(upload(stores, &id(1), b"other bytes").await, 200, "the URL can be used again");
    assert_eq!(stores.objects.head(&key("one")).await.unwrap(), Some(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_has_not_come_is_none() {
    let world = World::new().await;
    knows_what_has_not_come(&world).await;
}

pub(crate) async fn knows_what_has_not_come(stores: &Stores) {
    assert_eq!(stores.objects.copy_upload(&id(1), &key("one")).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_not_copied_over_what_is_there() {
    let world = World::new().await;
    copies_over_nothing(&world).await;
}

/// An attempt before has made the copy, and its answer was lost.
pub(crate) async fn copies_over_nothing(stores: &Stores) {
    stores.objects.put(&key("one"), "the copy".into()).await.unwrap();
    assert_eq!(upload(stores, &id(1), b"other bytes").await, 200);
    let copied = stores.objects.copy_upload(&id(1), &key("one")).await.unwrap().unwrap();
    assert_eq!(copied.digest, Digest::of(Algorithm::Sha256, b"the copy"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_meets_an_attempt_before_it_waits_until_that_one_has_ended() {
    let world = World::new().await;
    assert_eq!(upload(&world, &id(1), b"a layer").await, 200);
    // The connection broke, S3 copies on, and the SDK asks again.
    world.s3.faults().plan("CopyObject", 1, Fault::AppliedThenLost);
    world.s3.faults().plan("CopyObject", 2, Fault::Conflict);
    world.s3.faults().plan("CopyObject", 3, Fault::Conflict);
    let copied = world.objects.copy_upload(&id(1), &key("one")).await.unwrap().unwrap();
    assert_eq!((copied.digest, world.s3.faults().pending()), (Digest::of(Algorithm::Sha256, b"a layer"), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_have_come_are_listed_in_their_order() {
    let world = World::new().await;
    lists_uploads(&world).await;
}

pub(crate) async fn lists_uploads(stores: &Stores) {
    let before = SystemClock.now();
    for number in [3, 1, 2] {
        upload(stores, &id(number), b"a layer").await;
    }
    let (first, rest) = (
        stores.objects.arrived_uploads(None, 2).await.unwrap(),
        stores.objects.arrived_uploads(Some(&id(2)), 2).await.unwrap(),
    );
    let ids = |arrived: &[Arrived]| arrived.iter().map(|upload| upload.id.clone()).collect::<Vec<_>>();
    assert_eq!((ids(&first), ids(&rest)), (vec![id(1), id(2)], vec![id(3)]));
    // S3 may count in whole seconds.
    let came = before.as_secs()..=SystemClock.now().as_secs();
    assert!(first.iter().chain(&rest).all(|upload| came.contains(&upload.at.as_secs())), "{first:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_query_is_good_for_its_own_upload_only() {
    let world = World::new().await;
    binds_a_query_to_its_upload(&world).await;
}

pub(crate) async fn binds_a_query_to_its_upload(stores: &Stores) {
    let query = Presigned::new((*stores.objects).clone()).signed_put(&id(1)).await.unwrap();
    let client = reqwest::Client::new();
    for key in ["uploads/00000002-upload", "data/00/one", "uploads/00000001-upload/x"] {
        let url = format!("{}/{key}?{query}", stores.bucket_url);
        assert_eq!(client.put(url).body("x").send().await.unwrap().status().as_u16(), 403, "{key}");
    }
    let url = format!("{}/uploads/{}?{query}", stores.bucket_url, id(1));
    assert_eq!(client.get(&url).send().await.unwrap().status().as_u16(), 403, "not for reading");
    assert_eq!(client.delete(&url).send().await.unwrap().status().as_u16(), 403, "not for deleting");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_download_serves_the_object_in_ranges_as_bytes_of_no_type() {
    let world = World::new().await;
    serves_a_signed_download(&world).await;
}

pub(crate) async fn serves_a_signed_download(stores: &Stores) {
    stores.objects.put(&key("one"), "<script>".into()).await.unwrap();
    let url = Presigned::new((*stores.objects).clone()).signed_get(&key("one")).await.unwrap();
    let client = reqwest::Client::new();
    let whole = client.get(&url).send().await.unwrap();
    assert_eq!(whole.headers()["content-type"], "application/octet-stream");
    assert_eq!(whole.text().await.unwrap(), "<script>");
    let part = client.get(&url).header("range", "bytes=1-6").send().await.unwrap();
    assert_eq!((part.status().as_u16(), part.text().await.unwrap()), (206, "script".to_owned()));
    assert_eq!(client.put(&url).body("x").send().await.unwrap().status().as_u16(), 403);
    assert_eq!(client.get(url.replace("one", "two")).send().await.unwrap().status().as_u16(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_head_tells_the_length_and_is_good_for_nothing_else() {
    let world = World::new().await;
    tells_a_length_by_a_signed_head(&world).await;
}

pub(crate) async fn tells_a_length_by_a_signed_head(stores: &Stores) {
    stores.objects.put(&key("one"), "<script>".into()).await.unwrap();
    let presigned = Presigned::new((*stores.objects).clone());
    let url = presigned.signed_head(&key("one")).await.unwrap();
    let client = reqwest::Client::new();
    let head = client.head(&url).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], "8");
    assert_eq!(head.headers()["content-type"], "application/octet-stream");
    assert_eq!(client.get(&url).send().await.unwrap().status().as_u16(), 403);
    let for_get = presigned.signed_get(&key("one")).await.unwrap();
    assert_eq!(client.head(&for_get).send().await.unwrap().status().as_u16(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_asks_nobody() {
    let world = World::new().await;
    let presigned = Arc::new(Presigned::new((*world.objects).clone()));
    presigned.signed_get(&key("one")).await.unwrap();
    presigned.signed_head(&key("one")).await.unwrap();
    presigned.signed_put(&id(1)).await.unwrap();
    assert!(world.s3.calls().counts().is_empty());
}
