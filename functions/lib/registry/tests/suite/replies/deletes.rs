//! Answers to deletions, and what they leave.

use super::{assert_error, assert_reply, pushed, stored};
use crate::client::{blob, manifest};
use crate::content::Content;

#[tokio::test]
async fn what_is_still_needed_is_not_deleted_and_the_answer_names_who_needs_it() {
    let (world, client, image) = pushed().await;
    let index = Content::index(&[&image.manifest]);
    client.put_manifest("app", "all", &index).await.expect(201);
    let before = world.stored().await;
    let blob_delete = client.delete(&blob("app", &image.layer.digest)).await;
    let (layer, digest) = (&image.layer.digest, &image.manifest.digest);
    let message = format!("blob {layer} is referenced by manifest {digest}; delete that manifest first");
    assert_error(&blob_delete, 405, &[("allow", "GET, HEAD")], "UNSUPPORTED", &message);
    let child_delete = client.delete(&manifest("app", digest)).await;
    let message =
        format!("manifest {digest} is referenced by index {}; delete that index first", index.digest);
    assert_error(&child_delete, 405, &[("allow", "GET, HEAD, PUT")], "UNSUPPORTED", &message);
    assert_eq!(world.stored().await, before);
    world.fsck().await;
}

#[tokio::test]
async fn a_deleted_tag_leaves_its_manifest_and_its_history() {
    let (world, client, image) = pushed().await;
    assert_reply(&client.delete(&manifest("app", "v1")).await, 202, &[], "");
    client.get(&manifest("app", "v1")).await.expect(404);
    client.get(&manifest("app", &image.manifest.digest)).await.expect(200);
    let json_type = [("content-type", "application/json")];
    assert_reply(&client.get("/v2/app/tags/list").await, 200, &json_type, r#"{"name":"app","tags":[]}"#);
    let left = world.stored().await;
    assert_eq!((left.get("tag"), left["history"], left["edge"], left["event"]), (None, 1, 3, 2));
}

#[tokio::test]
async fn a_deleted_manifest_takes_its_tags_and_leaves_its_blobs() {
    let (world, client, image) = pushed().await;
    client.put_manifest("app", "v2", &image.manifest).await.expect(201);
    assert_reply(&client.delete(&manifest("app", &image.manifest.digest)).await, 202, &[], "");
    for reference in ["v1", "v2", &image.manifest.digest] {
        client.get(&manifest("app", reference)).await.expect(404);
    }
    let expected = stored(&[
        ("blob", 2),
        ("blob_edge", 2),
        ("catalog", 1),
        ("event", 5),
        ("history", 2),
        ("link", 2),
        ("object", 2),
        ("repository", 1),
        ("suspect", 7),
        ("upload", 2),
    ]);
    assert_eq!(world.stored().await, expected);
    client.delete(&blob("app", &image.layer.digest)).await.expect(202);
}
