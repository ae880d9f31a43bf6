//! How often each operation asks the stores: exactly as often as it does now, so that more or less is noticed.

use registry::testing::Call::{ItemsGet, ItemsTransact, ObjectAppend, ObjectFinish};

use crate::client::{Client, blob, committing, manifest, mounting, uploads};
use crate::content::{Content, Image};
use crate::probe::Calls;
use crate::world::World;

/// Returns what `work` asks of the stores.
async fn counted<T>(world: &World, work: impl Future<Output = T>) -> Calls {
    world.probe.reset();
    work.await;
    let calls = world.probe.count();
    println!("{calls:?}: {:?}", world.probe.calls());
    calls
}

fn items(items: usize) -> Calls {
    Calls { items, objects: 0 }
}

async fn pushed(world: &World, repository: &str, reference: &str) -> (Client, Image) {
    let (client, image) = (world.client(), Image::named("app"));
    client.push_image(repository, reference, &image).await.expect(201);
    (client, image)
}

#[tokio::test]
async fn a_blob_head_is_one_item_read() {
    let world = World::new();
    let (client, image) = pushed(&world, "app", "v1").await;
    let calls = counted(&world, client.head(&blob("app", &image.layer.digest))).await;
    assert_eq!((calls, world.probe.calls()), (items(1), vec![ItemsGet]));
}

#[tokio::test]
async fn a_blob_get_is_one_item_read_and_the_bytes() {
    let world = World::new();
    let (client, image) = pushed(&world, "app", "v1").await;
    let calls = counted(&world, client.get(&blob("app", &image.layer.digest))).await;
    assert_eq!(calls, Calls { items: 1, objects: 1 });
}

#[tokio::test]
async fn a_manifest_by_digest_is_one_item_read_and_none_when_warm() {
    let world = World::new();
    let (warm, image) = pushed(&world, "app", "v1").await;
    let (cold, path) = (world.client(), manifest("app", &image.manifest.digest));
    assert_eq!(counted(&world, warm.get(&path)).await, items(0));
    assert_eq!(counted(&world, cold.get(&path)).await, items(1));
    assert_eq!(counted(&world, cold.get(&path)).await, items(0));
    assert_eq!(counted(&world, cold.head(&path)).await, items(0));
}

#[tokio::test]
async fn a_manifest_by_tag_is_two_item_reads_and_one_when_warm() {
    let world = World::new();
    let (warm, _) = pushed(&world, "app", "v1").await;
    let (cold, path) = (world.client(), manifest("app", "v1"));
    assert_eq!(counted(&world, warm.get(&path)).await, items(1));
    assert_eq!(counted(&world, cold.head(&path)).await, items(2));
    assert_eq!(counted(&world, cold.get(&path)).await, items(1));
}

#[tokio::test]
async fn a_blob_pushed_by_patch_is_six_item_calls_and_two_of_objects() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let client = world.client();
    let push = async {
        client.head(&blob("app", &layer.digest)).await.expect(404);
        client.push_blob("app", &layer).await.expect(201);
    };
    assert_eq!(counted(&world, push).await, Calls { items: 6, objects: 2 });
}

/// The first chunk meets nobody. Another process may have read what a further one goes on from.
#[tokio::test]
async fn a_further_chunk_reserves_its_place_with_one_item_call_more() {
    let world = World::new();
    let client = world.client();
    let location = client.begin("app").await;
    let first = counted(&world, client.patch(&location, "one")).await;
    assert_eq!(first, Calls { items: 2, objects: 1 });
    let second = counted(&world, client.patch(&location, "two")).await;
    assert_eq!(second, Calls { items: 3, objects: 1 });
    assert_eq!(world.probe.calls(), [ItemsGet, ObjectAppend, ItemsTransact, ItemsTransact]);
    let layer = Content::blob("onetwothree");
    let commit = counted(&world, client.put(&committing(&location, &layer.digest), "three")).await;
    assert_eq!(commit, Calls { items: 3, objects: 2 });
}

#[tokio::test]
async fn a_commit_that_takes_a_place_is_one_item_call_more() {
    let world = World::with_tails();
    let client = world.client();
    let (location, layer) = (client.begin("app").await, Content::blob("layer"));
    client.patch(&location, "layer").await.expect(202);
    counted(&world, client.put(&committing(&location, &layer.digest), "")).await;
    assert_eq!(world.probe.calls(), [ItemsGet, ObjectFinish, ItemsTransact, ItemsTransact]);
}

#[tokio::test]
async fn a_blob_pushed_by_put_is_four_item_calls_and_two_of_objects() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let client = world.client();
    let push = async {
        client.head(&blob("app", &layer.digest)).await.expect(404);
        client.push_blob_by_put("app", &layer).await.expect(201);
    };
    assert_eq!(counted(&world, push).await, Calls { items: 4, objects: 2 });
}

#[tokio::test]
async fn a_blob_pushed_in_one_request_is_three_item_calls_and_two_of_objects() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let client = world.client();
    let path = committing(&uploads("app"), &layer.digest);
    let calls = counted(&world, client.post(&path, layer.bytes.clone())).await;
    assert_eq!(calls, Calls { items: 3, objects: 2 });
}

#[tokio::test]
async fn a_mount_is_two_item_calls_and_no_object() {
    let world = World::new();
    let (client, image) = pushed(&world, "app", "v1").await;
    let path = mounting("other", &image.layer.digest, "app");
    assert_eq!(counted(&world, client.post(&path, "")).await, items(2));
}

#[tokio::test]
async fn a_mount_without_a_source_is_one_item_call_more() {
    let world = World::new();
    let (client, image) = pushed(&world, "app", "v1").await;
    let path = format!("{}?mount={}", uploads("other"), image.layer.digest);
    assert_eq!(counted(&world, client.post(&path, "")).await, items(3));
}

#[tokio::test]
async fn a_mount_from_the_repository_itself_is_one_item_read() {
    let world = World::new();
    let (client, image) = pushed(&world, "app", "v1").await;
    let path = mounting("app", &image.layer.digest, "app");
    assert_eq!(counted(&world, client.post(&path, "")).await, items(1));
}

#[tokio::test]
async fn a_manifest_put_is_three_item_calls_with_up_to_97_references() {
    for layers in [1, 96] {
        let world = World::new();
        let client = world.client();
        let config = Content::blob("{}");
        let layers: Vec<Content> =
            (0..layers).map(|number| Content::blob(format!("layer {number}"))).collect();
        for blob in layers.iter().chain([&config]) {
            client.push_blob("app", blob).await.expect(201);
        }
        let image = Content::image(&config, &layers.iter().collect::<Vec<_>>());
        assert_eq!(counted(&world, client.put_manifest("app", "v1", &image)).await, items(3));
    }
}

#[tokio::test]
async fn tagging_a_manifest_again_is_two_item_calls_when_warm() {
    let world = World::new();
    let (client, image) = pushed(&world, "app", "v1").await;
    assert_eq!(counted(&world, client.put_manifest("app", "v2", &image.manifest)).await, items(2));
    let cold = world.client();
    assert_eq!(counted(&world, cold.put_manifest("app", "v3", &image.manifest)).await, items(3));
}

#[tokio::test]
async fn ten_tags_in_one_put_are_one_transaction() {
    let world = World::new();
    let client = world.client();
    let image = Image::named("app");
    client.push_blob("app", &image.config).await.expect(201);
    client.push_blob("app", &image.layer).await.expect(201);
    let tags: Vec<String> = (0..10).map(|number| format!("tag=v{number}")).collect();
    let reference = format!("{}?{}", image.manifest.digest, tags.join("&"));
    assert_eq!(counted(&world, client.put_manifest("app", &reference, &image.manifest)).await, items(3));
}

#[tokio::test]
async fn a_whole_push_of_one_layer_is_fifteen_item_calls_and_four_of_objects() {
    let (world, image) = (World::new(), Image::named("app"));
    let client = world.client();
    let push = async {
        for content in [&image.layer, &image.config] {
            client.head(&blob("app", &content.digest)).await.expect(404);
            client.push_blob("app", content).await.expect(201);
        }
        client.put_manifest("app", "v1", &image.manifest).await.expect(201);
    };
    assert_eq!(counted(&world, push).await, Calls { items: 15, objects: 4 });
}

#[tokio::test]
async fn a_whole_push_by_put_is_eleven_item_calls_and_four_of_objects() {
    let (world, image) = (World::new(), Image::named("app"));
    let client = world.client();
    let push = async {
        for content in [&image.layer, &image.config] {
            client.head(&blob("app", &content.digest)).await.expect(404);
            client.push_blob_by_put("app", content).await.expect(201);
        }
        client.put_manifest("app", "v1", &image.manifest).await.expect(201);
    };
    assert_eq!(counted(&world, push).await, Calls { items: 11, objects: 4 });
}

#[tokio::test]
async fn the_first_page_of_any_list_is_one_item_query() {
    let world = World::new();
    let (client, image) = pushed(&world, "app", "v1").await;
    let referrers = format!("/v2/app/referrers/{}", image.manifest.digest);
    for path in ["/v2/app/tags/list", "/v2/_catalog", "/v2/app/tags/list?n=1", &referrers] {
        assert_eq!(counted(&world, client.get(path)).await, items(1), "{path}");
    }
}

#[tokio::test]
async fn tags_of_a_repository_without_any_are_one_item_read_more() {
    let world = World::new();
    let client = world.client();
    assert_eq!(counted(&world, client.get("/v2/app/tags/list")).await, items(2));
}

#[tokio::test]
async fn a_manifest_delete_takes_one_transaction_for_every_24_tags() {
    for (tags, calls) in [(0, 4), (1, 4), (20, 4), (24, 5), (25, 5), (100, 8)] {
        let world = World::new();
        let (client, image) = pushed(&world, "app", &Image::named("app").manifest.digest).await;
        for number in 0..tags {
            client.put_manifest("app", &format!("v{number}"), &image.manifest).await.expect(201);
        }
        let path = manifest("app", &image.manifest.digest);
        let delete = async { client.delete(&path).await.expect(202) };
        assert_eq!(counted(&world, delete).await, items(calls), "{tags} tags");
    }
}

#[tokio::test]
async fn a_tag_delete_is_two_item_calls() {
    let world = World::new();
    let (client, _) = pushed(&world, "app", "v1").await;
    assert_eq!(counted(&world, client.delete(&manifest("app", "v1"))).await, items(2));
}

#[tokio::test]
async fn a_blob_delete_is_four_item_calls() {
    let world = World::new();
    let (client, layer) = (world.client(), Content::blob("layer"));
    client.push_blob("app", &layer).await.expect(201);
    assert_eq!(counted(&world, client.delete(&blob("app", &layer.digest))).await, items(4));
}
