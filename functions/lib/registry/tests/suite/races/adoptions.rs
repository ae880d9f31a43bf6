//! A direct upload, taken over while somebody else does something with it.

use super::{Processes, assert_one_of, in_every_order_in};
use crate::client::{Client, blob, committing, manifest, upload_id};
use crate::content::{Content, Image};
use crate::world::World;

/// Runs the race in every order, on one process and on two, with clients that come by the edge.
fn in_every_direct_order(race: &impl AsyncFn(&World, Client, Client)) {
    for processes in Processes::BOTH {
        in_every_order_in(World::direct_yielding, processes, &async |world: &World, first, second| {
            race(world, Client::by_edge(first), Client::by_edge(second)).await;
        });
    }
}

/// Fails unless the blob can be read, byte for byte.
async fn assert_readable(world: &World, content: &Content) {
    assert_eq!(world.read_blob(&world.client(), "app", &content.digest).await, content.bytes);
}

#[test]
fn of_two_adoptions_at_once_one_makes_the_blob() {
    in_every_direct_order(&async |world, first, second| {
        let layer = Content::blob("layer");
        let id = world.send_direct(&first, "app", &layer).await;
        let (one, two) = tokio::join!(first.adopt(&id), second.adopt(&id));
        assert!(one.unwrap().or(two.unwrap()).is_some());
        assert_eq!(world.stored().await["blob"], 1);
        assert_readable(world, &layer).await;
    });
}

#[test]
fn of_two_adoptions_whose_bytes_change_in_between_one_makes_the_blob() {
    in_every_direct_order(&async |world, first, second| {
        let (layer, other) = (Content::blob("layer"), Content::blob("other bytes"));
        let id = world.send_direct(&first, "app", &layer).await;
        let changing = async {
            for content in [&other, &layer, &other] {
                for _ in 0..8 {
                    tokio::task::yield_now().await;
                }
                world.objects.receive(id.clone(), content.bytes.clone());
            }
        };
        let (one, two, ()) = tokio::join!(first.adopt(&id), second.adopt(&id), changing);
        let adopted = one.unwrap().or(two.unwrap()).unwrap();
        let content = if adopted.digest.as_str() == layer.digest { &layer } else { &other };
        assert_eq!(world.stored().await["blob"], 1);
        assert_readable(world, content).await;
    });
}

#[test]
fn two_uploads_of_the_same_bytes_adopted_at_once_are_one_blob() {
    in_every_direct_order(&async |world, first, second| {
        let layer = Content::blob("layer");
        let here = world.send_direct(&first, "app", &layer).await;
        let there = world.send_direct(&second, "other", &layer).await;
        let (one, two) = tokio::join!(first.adopt(&here), second.adopt(&there));
        assert!(one.unwrap().is_some() && two.unwrap().is_some());
        assert_eq!(world.stored().await["blob"], 1);
        assert_readable(world, &layer).await;
    });
}

#[test]
fn an_adoption_beside_a_put_of_the_same_bytes_leaves_both_content() {
    in_every_direct_order(&async |world, first, second| {
        let layer = Content::blob("layer");
        let location = first.begin("app").await;
        world.objects.receive(upload_id(&location), layer.bytes.clone());
        let path = committing(&location, &layer.digest);
        let id = upload_id(&location);
        let (adopted, put) = tokio::join!(first.adopt(&id), second.put(&path, layer.bytes.clone()));
        adopted.unwrap();
        put.expect(201);
        assert_readable(world, &layer).await;
    });
}

#[test]
fn of_an_adoption_and_a_put_of_other_bytes_one_ends_the_session() {
    in_every_direct_order(&async |world, first, second| {
        let (sent, put) = (Content::blob("sent past the registry"), Content::blob("put"));
        let location = first.begin("app").await;
        let id = upload_id(&location);
        world.objects.receive(id.clone(), sent.bytes.clone());
        let path = committing(&location, &put.digest);
        let (adopted, reply) = tokio::join!(first.adopt(&id), second.put(&path, put.bytes.clone()));
        assert_one_of(&reply, &[201, 404]);
        let is_put = reply.status.as_u16() == 201;
        assert_eq!(adopted.unwrap().is_none(), is_put);
        let (there, gone) = if is_put { (&put, &sent) } else { (&sent, &put) };
        assert_readable(world, there).await;
        world.client().head(&blob("app", &gone.digest)).await.expect(404);
    });
}

#[test]
fn of_an_adoption_and_a_chunk_one_is_too_late() {
    in_every_direct_order(&async |world, first, second| {
        let layer = Content::blob("layer");
        let location = first.begin("app").await;
        let id = upload_id(&location);
        world.objects.receive(id.clone(), layer.bytes.clone());
        let (adopted, appended) = tokio::join!(first.adopt(&id), second.patch(&location, "chunk"));
        assert_one_of(&appended, &[202, 404]);
        let is_appended = appended.status.as_u16() == 202;
        assert_eq!(adopted.unwrap().is_none(), is_appended);
        if is_appended {
            let chunk = Content::blob("chunk");
            second.put(&committing(&location, &chunk.digest), "").await.expect(201);
        }
    });
}

#[test]
fn an_upload_is_either_cancelled_or_adopted() {
    in_every_direct_order(&async |world, first, second| {
        let layer = Content::blob("layer");
        let location = first.begin("app").await;
        let id = upload_id(&location);
        world.objects.receive(id.clone(), layer.bytes.clone());
        let (adopted, cancelled) = tokio::join!(first.adopt(&id), second.delete(&location));
        let is_cancelled = cancelled.status.as_u16() == 204;
        assert_one_of(&cancelled, &[204, 404]);
        assert_eq!(adopted.unwrap().is_none(), is_cancelled);
        let readable = if is_cancelled { 404 } else { 200 };
        world.client().head(&blob("app", &layer.digest)).await.expect(readable);
    });
}

#[test]
fn an_adoption_beside_a_deletion_of_the_same_blob_breaks_nothing() {
    in_every_direct_order(&async |world, first, second| {
        let layer = Content::blob("layer");
        first.push_blob("app", &layer).await.expect(201);
        let id = world.send_direct(&first, "app", &layer).await;
        let path = blob("app", &layer.digest);
        let (adopted, deleted) = tokio::join!(first.adopt(&id), second.delete(&path));
        assert!(adopted.unwrap().is_some());
        deleted.expect(202);
    });
}

#[test]
fn a_manifest_beside_the_events_of_its_blobs_is_pushed() {
    in_every_direct_order(&async |world, first, second| {
        let image = Image::named("app");
        let config = world.send_direct(&first, "app", &image.config).await;
        let layer = world.send_direct(&first, "app", &image.layer).await;
        let (pushed, one, two) = tokio::join!(
            first.put_manifest("app", "v1", &image.manifest),
            second.adopt(&config),
            second.adopt(&layer),
        );
        pushed.expect(201);
        one.unwrap();
        two.unwrap();
        assert_readable(world, &image.config).await;
        assert_readable(world, &image.layer).await;
    });
}

#[test]
fn two_manifests_that_take_over_the_same_blobs_are_both_pushed() {
    in_every_direct_order(&async |world, first, second| {
        let image = Image::named("app");
        world.send_direct(&first, "app", &image.config).await;
        world.send_direct(&first, "app", &image.layer).await;
        let other = Content::image(&image.config, &[&image.layer, &image.config]);
        let (one, two) = tokio::join!(
            first.put_manifest("app", "one", &image.manifest),
            second.put_manifest("app", "two", &other),
        );
        one.expect(201);
        two.expect(201);
        world.client().get(&manifest("app", "one")).await.expect(200);
        world.client().get(&manifest("app", "two")).await.expect(200);
    });
}
