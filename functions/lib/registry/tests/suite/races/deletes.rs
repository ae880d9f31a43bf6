//! Deletions beside pushes and reads.

use super::{assert_one_of, in_every_order};
use crate::client::{Client, blob, manifest};
use crate::content::{Content, Image};
use crate::probe::Fault;
use crate::world::World;

/// Fails unless the image can be pulled whole.
async fn assert_pullable(world: &World, repository: &str, image: &Image) {
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

/// Returns the repository's tags but `latest`.
pub(super) async fn tags_of(client: &Client) -> Vec<String> {
    let list: serde_json::Value =
        serde_json::from_slice(&client.get("/v2/app/tags/list").await.expect(200).body).unwrap();
    let tags = list["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned());
    tags.filter(|tag| tag != "latest").collect()
}

/// Pushes the image with so many tags that a deletion takes them in several transactions, and returns these.
pub(super) async fn push_with_many_tags(client: &Client, image: &Image) -> Vec<String> {
    let mut tags: Vec<String> = (0..60).map(|number| format!("v{number:02}")).collect();
    client.push_image("app", "v00", image).await.expect(201);
    for tags in tags.chunks(10) {
        let query: Vec<String> = tags.iter().map(|tag| format!("tag={tag}")).collect();
        let path = format!("{}?{}", image.manifest.digest, query.join("&"));
        client.put_manifest("app", &path, &image.manifest).await.expect(201);
    }
    tags.sort();
    tags
}

#[test]
fn a_refused_deletion_of_a_child_with_many_tags_leaves_them_all() {
    in_every_order(&async |world, first, second| {
        let image = Image::named("app");
        let tags = push_with_many_tags(&first, &image).await;
        let index = Content::index(&[&image.manifest]);
        let path = manifest("app", &image.manifest.digest);
        let (pushed, deleted) =
            tokio::join!(first.put_manifest("app", "latest", &index), second.delete(&path));
        assert_one_of(&pushed, &[201, 400]);
        assert_one_of(&deleted, &[202, 405]);
        let client = world.client();
        if deleted.status.as_u16() == 405 {
            pushed.expect(201);
            assert_eq!(tags_of(&client).await, tags, "a deletion that was refused took tags away");
            assert_pullable(world, "app", &image).await;
        } else {
            pushed.expect(400);
            assert_eq!(tags_of(&client).await, Vec::<String>::new());
            client.get(&path).await.expect(404);
        }
    });
}

#[test]
fn a_manifest_with_many_tags_pushed_anew_beside_its_deletion_has_all_of_them_or_the_new_one() {
    in_every_order(&async |world, first, second| {
        let image = Image::named("app");
        let tags = push_with_many_tags(&first, &image).await;
        let index = Content::index(&[&image.manifest]);
        let path = manifest("app", &image.manifest.digest);
        let push = async {
            first.put_manifest("app", "w1", &image.manifest).await.expect(201);
            first.put_manifest("app", "latest", &index).await
        };
        let (pushed, deleted) = tokio::join!(push, second.delete(&path));
        let left = tags_of(&world.client()).await;
        match deleted.status.as_u16() {
            405 => assert_eq!(left, [tags, vec!["w1".to_owned()]].concat(), "tags went, or the push did"),
            202 => assert!(left.is_empty() || left == ["w1"], "{left:?} are left"),
            _ => panic!("{deleted:#?}"),
        }
        if left.is_empty() {
            assert_one_of(&pushed, &[400]);
        } else {
            pushed.expect(201);
            assert_pullable(world, "app", &image).await;
        }
    });
}

/// Begins a deletion that dies when its first tags are gone; others are not.
async fn delete_half(world: &World, image: &Image) {
    let dying = world.client();
    world.probe.plan(4, Fault::Killed);
    dying.delete(&manifest("app", &image.manifest.digest)).await.expect(503);
    world.probe.reset();
    let left = tags_of(&world.client()).await.len();
    assert!((1..60).contains(&left), "{left} of 60 tags are left");
}

#[test]
fn a_manifest_whose_deletion_died_half_way_leaves_for_whoever_needs_it() {
    in_every_order(&async |world, first, second| {
        let image = Image::named("app");
        let tags = push_with_many_tags(&first, &image).await;
        delete_half(world, &image).await;
        let path = manifest("app", &image.manifest.digest);
        // It can be pulled as long as tags lead to it.
        first.get(&path).await.expect(200);
        first.get(&manifest("app", &tags[59])).await.expect(200);
        let index = Content::index(&[&image.manifest]);
        let (one, two) = tokio::join!(
            first.put_manifest("app", "latest", &index),
            second.put_manifest("app", "latest", &index)
        );
        for reply in [one, two] {
            reply.expect(400);
        }
        // What was missing is missing for whoever looks.
        world.client().get(&path).await.expect(404);
        assert_eq!(tags_of(&first).await, Vec::<String>::new());
        first.push_image("app", "v1", &image).await.expect(201);
        first.put_manifest("app", "latest", &index).await.expect(201);
        assert_pullable(world, "app", &image).await;
    });
}

#[test]
fn a_manifest_pushed_after_a_deletion_that_died_half_way_has_none_of_its_old_tags() {
    in_every_order(&async |world, first, second| {
        let image = Image::named("app");
        push_with_many_tags(&first, &image).await;
        delete_half(world, &image).await;
        // Both know it, as it was when it could still be pulled.
        for client in [&first, &second] {
            client.get(&manifest("app", &image.manifest.digest)).await.expect(200);
        }
        let (one, two) = tokio::join!(
            first.put_manifest("app", "w1", &image.manifest),
            second.put_manifest("app", "w2", &image.manifest)
        );
        one.expect(201);
        two.expect(201);
        assert_eq!(tags_of(&world.client()).await, ["w1", "w2"]);
        assert_pullable(world, "app", &image).await;
    });
}

#[test]
fn a_deletion_that_died_half_way_is_ended_by_whoever_deletes_again_and_by_a_collector() {
    in_every_order(&async |world, first, second| {
        let image = Image::named("app");
        push_with_many_tags(&first, &image).await;
        delete_half(world, &image).await;
        world.clock.advance(std::time::Duration::from_secs(2 * 24 * 60 * 60));
        let path = manifest("app", &image.manifest.digest);
        let (one, two, report) = tokio::join!(first.delete(&path), second.delete(&path), world.collect());
        assert_one_of(&one, &[202, 404]);
        assert_one_of(&two, &[202, 404]);
        assert_eq!(report.error, None);
        assert_eq!(tags_of(&world.client()).await, Vec::<String>::new());
        world.client().get(&path).await.expect(404);
    });
}

#[test]
fn whoever_helps_to_end_a_deletion_of_many_tags_comes_through() {
    super::in_orders(15, World::yielding, super::Processes::Two, &async |world, first, second| {
        let image = Image::named("app");
        push_with_many_tags(&first, &image).await;
        for number in 0..2400 {
            first.put_manifest("app", &format!("x{number}"), &image.manifest).await.expect(201);
        }
        world.probe.plan(4, Fault::Killed);
        world.client().delete(&manifest("app", &image.manifest.digest)).await.expect(503);
        world.probe.reset();
        let path = manifest("app", &image.manifest.digest);
        let (third, fourth) = (world.client(), world.client());
        let (one, two, three, four) = tokio::join!(
            first.put_manifest("app", "w1", &image.manifest),
            second.put_manifest("app", "w2", &image.manifest),
            third.put_manifest("app", "w3", &image.manifest),
            fourth.delete(&path)
        );
        for reply in [one, two, three] {
            reply.expect(201);
        }
        four.expect(202);
        let left = tags_of(&world.client()).await;
        assert!(left.iter().all(|tag| tag.starts_with('w')), "{left:?}");
    });
}
