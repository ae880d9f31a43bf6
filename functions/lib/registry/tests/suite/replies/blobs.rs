//! Answers to pulls and mounts of blobs.

use super::{CHUNK_MIN, assert_error, assert_reply, etag, pushed};
use crate::client::{blob, mounting};

#[tokio::test]
async fn a_mount_is_answered_like_a_commit_and_what_cannot_be_mounted_like_a_begin() {
    let (world, client, image) = pushed().await;
    let digest = &image.layer.digest;
    let objects = world.stored().await["object"];
    let mounted = client.post(&mounting("other", digest, "app"), "").await;
    let headers = [("location", &*blob("other", digest)), ("docker-content-digest", digest)];
    assert_reply(&mounted, 201, &headers, "");
    assert_eq!(world.stored().await["object"], objects);

    let refused = client.post(&mounting("other", digest, "elsewhere"), "").await;
    let location = refused.location();
    let id = location.rsplit('/').next().unwrap();
    let standing = [("location", location.as_str()), ("range", "0-0"), ("docker-upload-uuid", id), CHUNK_MIN];
    assert_reply(&refused, 202, &standing, "");
}

#[tokio::test]
async fn a_blob_comes_whole_in_part_or_not_at_all() {
    let (_, client, image) = pushed().await;
    let (path, etag) = (blob("app", &image.layer.digest), etag(&image.layer));
    let known = [("docker-content-digest", image.layer.digest.as_str()), ("etag", etag.as_str())];
    let with = |more: &[(&'static str, &'static str)]| {
        let typed = [("accept-ranges", "bytes"), ("content-type", "application/octet-stream")];
        more.iter().copied().chain(known).chain(typed).collect::<Vec<_>>()
    };
    let whole = with(&[("content-length", "16")]);
    assert_reply(&client.get(&path).await, 200, &whole, "the layer of app");
    assert_reply(&client.head(&path).await, 200, &whole, "");
    let part = client.get_with(&path, &[("range", "bytes=4-8")]).await;
    let part_headers = with(&[("content-length", "5"), ("content-range", "bytes 4-8/16")]);
    assert_reply(&part, 206, &part_headers, "layer");
    let several = client.get_with(&path, &[("range", "bytes=0-1,4-5")]).await;
    assert_reply(&several, 200, &whole, "the layer of app");
    let beyond = client.get_with(&path, &[("range", "bytes=16-")]).await;
    assert_error(
        &beyond,
        416,
        &[("content-range", "bytes */16")],
        "SIZE_INVALID",
        "the content has 16 bytes",
    );
    let unchanged = client.get_with(&path, &[("if-none-match", &etag)]).await;
    assert_reply(&unchanged, 304, &known, "");
}

#[tokio::test]
async fn a_blob_that_is_elsewhere_is_unknown_here() {
    let (_, client, image) = pushed().await;
    let digest = &image.layer.digest;
    let message = format!("blob {digest} is unknown to repository other");
    assert_error(&client.get(&blob("other", digest)).await, 404, &[], "BLOB_UNKNOWN", &message);
    assert_error(&client.delete(&blob("other", digest)).await, 404, &[], "BLOB_UNKNOWN", &message);
}
