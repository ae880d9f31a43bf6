//! Deletions of manifests with more tags than one transaction takes away, beside pushes, collectors and each other.

use super::deletes::assert_pullable;
use super::{Processes, assert_one_of, collections, in_every_order, in_orders};
use crate::client::{Client, manifest};
use crate::content::{Content, Image};
use crate::probe::Fault;
use crate::world::World;

/// Returns the repository's tags but `latest`.
async fn tags_of(client: &Client) -> Vec<String> {
    let list: serde_json::Value =
        serde_json::from_slice(&client.get("/v2/app/tags/list").await.expect(200).body).unwrap();
    let tags = list["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned());
    tags.filter(|tag| tag != "latest").collect()
}

/// Pushes the image with so many tags that a deletion takes them in several transactions, and returns these.
async fn push_with_many_tags(client: &Client, image: &Image) -> Vec<String> {
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
    in_orders(15, World::yielding, Processes::Two, &async |world, first, second| {
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

#[test]
fn a_deletion_that_sleeps_for_days_and_dies_is_ended_or_undone() {
    collections::in_every_order(&async |world, first, _| {
        let image = Image::named("app");
        let tags = push_with_many_tags(&first, &image).await;
        let path = manifest("app", &image.manifest.digest);
        let looker = world.client();
        let until_tags_go = async { while tags_of(&looker).await.len() == tags.len() {} };
        let dies_with_its_first_tags = async {
            tokio::select! {
                () = until_tags_go => {}
                deleted = first.delete(&path) => drop(deleted.expect(202)),
            }
        };
        tokio::join!(dies_with_its_first_tags, collections::days_and_collectors(world, 1, 4));
        collections::collect_the_rest(world).await;
        let client = world.client();
        let left = tags_of(&client).await;
        match client.get(&path).await.status.as_u16() {
            200 => assert_eq!(left, tags),
            status => assert_eq!((status, left.len()), (404, 0)),
        }
    });
}
