//! Pushes beside pushes.

use super::{assert_one_of, in_every_order};
use crate::client::{blob, manifest, mounting};
use crate::content::{Content, Image};

#[test]
fn the_same_image_pushed_twice_at_once_has_both_tags() {
    in_every_order(&async |world, first, second| {
        let image = Image::named("app");
        let (one, two) =
            tokio::join!(first.push_image("app", "one", &image), second.push_image("app", "two", &image));
        one.expect(201);
        two.expect(201);
        for reference in ["one", "two", &image.manifest.digest] {
            let reply = world.client().get(&manifest("app", reference)).await.expect(200);
            assert_eq!(reply.body, image.manifest.bytes);
        }
    });
}

#[test]
fn first_pushes_to_a_repository_at_once_are_both_there() {
    in_every_order(&async |world, first, second| {
        let (left, right) = (Image::named("left"), Image::named("right"));
        let (one, two) =
            tokio::join!(first.push_image("app", "left", &left), second.push_image("app", "right", &right));
        one.expect(201);
        two.expect(201);
        let client = world.client();
        assert_eq!(client.get("/v2/app/tags/list").await.body, r#"{"name":"app","tags":["left","right"]}"#);
        assert_eq!(client.get("/v2/_catalog").await.body, r#"{"repositories":["app"]}"#);
    });
}

#[test]
fn a_tag_that_two_images_want_goes_to_one_of_them() {
    in_every_order(&async |world, first, second| {
        let (left, right) = (Image::named("left"), Image::named("right"));
        let (one, two) =
            tokio::join!(first.push_image("app", "v1", &left), second.push_image("app", "v1", &right));
        one.expect(201);
        two.expect(201);
        let tagged = world.client().get(&manifest("app", "v1")).await.expect(200);
        assert!([left.manifest.bytes, right.manifest.bytes].contains(&tagged.body));
        let history = world.stored().await.get("history").copied();
        assert_eq!(history, Some(1), "whoever came second moved the tag");
    });
}

#[test]
fn a_blob_uploaded_twice_at_once_is_stored_once() {
    in_every_order(&async |world, first, second| {
        let layer = Content::blob("layer");
        let (one, two) =
            tokio::join!(first.push_blob("app", &layer), second.push_blob_by_put("other", &layer));
        one.expect(201);
        two.expect(201);
        for repository in ["app", "other"] {
            let reply = world.client().get(&blob(repository, &layer.digest)).await.expect(200);
            assert_eq!(reply.body, layer.bytes);
        }
        assert_eq!(world.stored().await["blob"], 1);
    });
}

#[test]
fn of_two_mounts_at_once_one_at_least_succeeds() {
    in_every_order(&async |world, first, second| {
        let layer = Content::blob("layer");
        first.push_blob("app", &layer).await.expect(201);
        let path = mounting("other", &layer.digest, "app");
        let (one, two) = tokio::join!(first.post(&path, ""), second.post(&path, ""));
        assert_one_of(&one, &[201, 202]);
        assert_one_of(&two, &[201, 202]);
        assert!([&one, &two].iter().any(|reply| reply.status.as_u16() == 201));
        world.client().get(&blob("other", &layer.digest)).await.expect(200);
    });
}

#[test]
fn a_mount_beside_a_deletion_of_its_source_holds_if_it_was_acknowledged() {
    in_every_order(&async |world, first, second| {
        let layer = Content::blob("layer");
        first.push_blob("app", &layer).await.expect(201);
        let (mounted, source) = (mounting("other", &layer.digest, "app"), blob("app", &layer.digest));
        let (mounted, deleted) = tokio::join!(first.post(&mounted, ""), second.delete(&source));
        deleted.expect(202);
        assert_one_of(&mounted, &[201, 202]);
        let is_mounted = mounted.status.as_u16() == 201;
        let client = world.client();
        client.get(&source).await.expect(404);
        let reply = client.get(&blob("other", &layer.digest)).await;
        assert_eq!(reply.status.as_u16(), if is_mounted { 200 } else { 404 });
    });
}
