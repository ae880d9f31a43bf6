//! Deletions beside pushes and reads.

use super::{assert_one_of, in_every_order};
use crate::client::{blob, manifest};
use crate::content::{Content, Image};
use crate::world::World;

/// Fails unless the image can be pulled whole.
pub(super) async fn assert_pullable(world: &World, repository: &str, image: &Image) {
    let client = world.client();
    let reply = client.get(&manifest(repository, &image.manifest.digest)).await.expect(200);
    assert_eq!(reply.body, image.manifest.bytes);
    for content in [&image.config, &image.layer] {
        let reply = client.get(&blob(repository, &content.digest)).await.expect(200);
        assert_eq!(reply.body, content.bytes);
    }
}

#[test]
fn a_tag_moved_while_its_old_manifest_is_deleted_leads_to_the_new_one() {
    in_every_order(&async |world, first, second| {
        let (old, new) = (Image::named("old"), Image::named("new"));
        first.push_image("app", "v1", &old).await.expect(201);
        let path = manifest("app", &old.manifest.digest);
        let (pushed, deleted) = tokio::join!(first.push_image("app", "v1", &new), second.delete(&path));
        pushed.expect(201);
        deleted.expect(202);
        assert_pullable(world, "app", &new).await;
        let client = world.client();
        assert_eq!(client.get(&manifest("app", "v1")).await.expect(200).body, new.manifest.bytes);
        client.get(&path).await.expect(404);
    });
}

#[test]
fn a_manifest_tagged_while_it_is_deleted_is_there_with_its_tag_or_gone() {
    in_every_order(&async |world, first, second| {
        let image = Image::named("app");
        first.push_image("app", "v1", &image).await.expect(201);
        let path = manifest("app", &image.manifest.digest);
        let (tagged, deleted) =
            tokio::join!(first.put_manifest("app", "v2", &image.manifest), second.delete(&path));
        tagged.expect(201);
        deleted.expect(202);
        // What another process has deleted may still be answered by digest, for a second.
        world.clock.advance(std::time::Duration::from_secs(1));
        for client in [world.client(), first, second] {
            let by_tag = client.get(&manifest("app", "v2")).await.status;
            assert_eq!(client.get(&path).await.status, by_tag);
        }
    });
}

#[test]
fn a_blob_deleted_while_a_manifest_that_needs_it_is_pushed_is_kept_or_missed() {
    in_every_order(&async |world, first, second| {
        let image = Image::named("app");
        first.push_blob("app", &image.config).await.expect(201);
        first.push_blob("app", &image.layer).await.expect(201);
        let path = blob("app", &image.layer.digest);
        let (pushed, deleted) =
            tokio::join!(first.put_manifest("app", "v1", &image.manifest), second.delete(&path));
        assert_one_of(&pushed, &[201, 400]);
        assert_one_of(&deleted, &[202, 405]);
        if pushed.status.as_u16() == 201 {
            assert_eq!(deleted.status.as_u16(), 405);
            assert_pullable(world, "app", &image).await;
        }
        if deleted.status.as_u16() == 202 {
            world.client().get(&path).await.expect(404);
        }
    });
}

#[test]
fn a_refused_deletion_of_a_blob_disturbs_no_push() {
    in_every_order(&async |world, first, second| {
        let (old, config) = (Image::named("old"), Content::blob("{}"));
        first.push_image("app", "v1", &old).await.expect(201);
        first.push_blob("app", &config).await.expect(201);
        let new = Content::image(&config, &[&old.layer]);
        let path = blob("app", &old.layer.digest);
        let (pushed, deleted, head) =
            tokio::join!(first.put_manifest("app", "v2", &new), second.delete(&path), second.head(&path));
        pushed.expect(201);
        deleted.expect(405);
        head.expect(200);
        assert_pullable(world, "app", &old).await;
    });
}

#[test]
fn a_child_deleted_while_its_index_is_pushed_is_kept_or_missed() {
    in_every_order(&async |world, first, second| {
        let image = Image::named("app");
        first.push_image("app", "v1", &image).await.expect(201);
        let index = Content::index(&[&image.manifest]);
        let path = manifest("app", &image.manifest.digest);
        let (pushed, deleted) = tokio::join!(first.put_manifest("app", "all", &index), second.delete(&path));
        assert_one_of(&pushed, &[201, 400]);
        assert_one_of(&deleted, &[202, 405]);
        if pushed.status.as_u16() == 201 {
            assert_eq!(deleted.status.as_u16(), 405);
            assert_pullable(world, "app", &image).await;
        } else {
            world.client().get(&manifest("app", "all")).await.expect(404);
        }
        if deleted.status.as_u16() == 202 {
            world.client().get(&path).await.expect(404);
        }
    });
}

#[test]
fn a_refused_deletion_of_a_child_is_never_seen() {
    in_every_order(&async |world, first, second| {
        let image = Image::named("app");
        first.push_image("app", "v1", &image).await.expect(201);
        first.put_manifest("app", "all", &Content::index(&[&image.manifest])).await.expect(201);
        let path = manifest("app", &image.manifest.digest);
        let cold = world.client();
        let read = async {
            for _ in 0..3 {
                cold.head(&path).await.expect(200);
                cold.get(&manifest("app", "v1")).await.expect(200);
            }
        };
        let (deleted, tagged, ()) =
            tokio::join!(first.delete(&path), second.put_manifest("app", "v2", &image.manifest), read);
        deleted.expect(405);
        tagged.expect(201);
        assert_pullable(world, "app", &image).await;
    });
}

#[test]
fn a_manifest_read_while_it_is_deleted_is_gone_afterwards() {
    in_every_order(&async |world, first, second| {
        let image = Image::named("app");
        world.client().push_image("app", "v1", &image).await.expect(201);
        let path = manifest("app", &image.manifest.digest);
        let read_after = async |steps| {
            for _ in 0..steps {
                first.head(&blob("app", &image.layer.digest)).await.expect(200);
            }
            assert_one_of(&first.get(&path).await, &[200, 404]);
        };
        let reads = async { tokio::join!(read_after(1), read_after(2), read_after(3), read_after(4)) };
        let (deleted, _) = tokio::join!(first.delete(&path), reads);
        deleted.expect(202);
        first.get(&path).await.expect(404);
        first.get(&manifest("app", "v1")).await.expect(404);
        second.get(&manifest("app", "v1")).await.expect(404);
    });
}

#[test]
fn a_manifest_pushed_and_deleted_at_once_leaves_no_stale_answer() {
    in_every_order(&async |world, first, second| {
        let image = Image::named("app");
        first.push_image("app", "v1", &image).await.expect(201);
        let path = manifest("app", &image.manifest.digest);
        let (deleted, pushed) =
            tokio::join!(first.delete(&path), first.put_manifest("app", "v1", &image.manifest));
        deleted.expect(202);
        pushed.expect(201);
        let truth = world.client().get(&path).await.status;
        assert_eq!(first.get(&path).await.status, truth);
        assert_eq!(second.get(&manifest("app", "v1")).await.status, truth);
    });
}

#[test]
fn a_manifest_deleted_twice_at_once_is_gone() {
    in_every_order(&async |world, first, second| {
        let image = Image::named("app");
        first.push_image("app", "v1", &image).await.expect(201);
        let path = manifest("app", &image.manifest.digest);
        let (one, two) = tokio::join!(first.delete(&path), second.delete(&path));
        assert_one_of(&one, &[202, 404]);
        assert_one_of(&two, &[202, 404]);
        let client = world.client();
        client.get(&path).await.expect(404);
        assert_eq!(client.get("/v2/app/tags/list").await.expect(200).body, r#"{"name":"app","tags":[]}"#);
        assert_eq!(world.stored().await.get("edge"), None);
    });
}

#[test]
fn a_blob_pushed_while_it_is_deleted_is_either_there_or_gone() {
    in_every_order(&async |world, first, second| {
        let layer = Content::blob("layer");
        first.push_blob("app", &layer).await.expect(201);
        let path = blob("app", &layer.digest);
        let (pushed, deleted) = tokio::join!(first.push_blob("app", &layer), second.delete(&path));
        pushed.expect(201);
        deleted.expect(202);
        let reply = world.client().get(&path).await;
        assert_one_of(&reply, &[200, 404]);
    });
}

#[test]
fn a_referrer_pushed_while_its_twin_is_deleted_is_listed_exactly_if_it_is_there() {
    in_every_order(&async |world, first, second| {
        let image = Image::named("app");
        first.push_image("app", "v1", &image).await.expect(201);
        let referrer = Content::referrer(&image.config, &image.manifest, "application/vnd.example");
        first.put_manifest("app", &referrer.digest, &referrer).await.expect(201);
        let path = manifest("app", &referrer.digest);
        let (pushed, deleted) =
            tokio::join!(first.put_manifest("app", &referrer.digest, &referrer), second.delete(&path));
        pushed.expect(201);
        deleted.expect(202);
        let client = world.client();
        let is_there = client.get(&path).await.status.as_u16() == 200;
        let listed = client.get(&format!("/v2/app/referrers/{}", image.manifest.digest)).await;
        assert_eq!(listed.text().contains(&referrer.digest), is_there);
    });
}
