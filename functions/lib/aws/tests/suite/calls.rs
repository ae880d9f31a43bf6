//! How often `DynamoDB` and S3 are asked: at most as often as the design allows for each operation.

use bytes::Bytes;
use http::Method;

use crate::client::{Client, blob, digest, image, manifest};
use crate::world::World;

/// How many calls went to `DynamoDB` and to S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Calls {
    items: u64,
    objects: u64,
}

/// Returns what the registry asks while `work` runs.
async fn counted<T>(world: &World, work: impl Future<Output = T>) -> Calls {
    world.dynamodb.calls().reset();
    world.s3.calls().reset();
    work.await;
    let (items, objects) = (world.dynamodb.calls().all(), world.s3.calls().counts());
    println!("{items:?}, {objects:?}");
    Calls { items: world.dynamodb.calls().total(), objects: objects.values().sum() }
}

/// Fails unless there are at most so many calls, and any at all where some are allowed.
#[track_caller]
fn assert_at_most(calls: Calls, items: u64, objects: u64) {
    assert!(calls.items <= items && calls.objects <= objects, "{calls:?}");
    assert!(calls.items > 0 || items == 0, "nothing was counted");
}

/// A world with an image in it, pushed by docker.
struct Pushed {
    world: World,
    client: Client,
    layer: Bytes,
    manifest: Bytes,
}

impl Pushed {
    async fn new() -> Self {
        let world = World::new().await;
        let client = Client::new(&world);
        let (config, layer) = (Bytes::from("{}"), Bytes::from("layer"));
        client.push_blob(&config).await;
        client.push_blob(&layer).await;
        let image = image(&config, &[&layer]);
        client.put(&manifest("v1"), &image).await.expect(201);
        Self { client, layer, manifest: image, world }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_or_get_of_a_blob_is_one_item_read_and_s3_is_not_asked() {
    let Pushed { world, client, layer, .. } = Pushed::new().await;
    let path = blob(&layer);
    let head = counted(&world, async { client.head(&path).await.expect(200) }).await;
    let get = counted(&world, async { client.get(&path).await.expect(307) }).await;
    assert_eq!([head, get], [Calls { items: 1, objects: 0 }; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_by_digest_is_one_item_read_and_none_when_warm() {
    let Pushed { world, manifest: image, .. } = Pushed::new().await;
    let (client, path) = (Client::new(&world), manifest(&digest(&image)));
    let cold = counted(&world, async { client.get(&path).await.expect(200) }).await;
    let warm = counted(&world, async { client.head(&path).await.expect(200) }).await;
    assert_eq!([cold, warm], [Calls { items: 1, objects: 0 }, Calls { items: 0, objects: 0 }]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_by_tag_is_two_item_reads_and_one_when_warm() {
    let Pushed { world, .. } = Pushed::new().await;
    let (client, path) = (Client::new(&world), manifest("v1"));
    let cold = counted(&world, async { client.head(&path).await.expect(200) }).await;
    let warm = counted(&world, async { client.get(&path).await.expect(200) }).await;
    assert_eq!([cold, warm], [Calls { items: 2, objects: 0 }, Calls { items: 1, objects: 0 }]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_pushed_is_at_most_seven_item_calls_and_two_of_objects() {
    let world = World::new().await;
    let client = Client::new(&world);
    assert_at_most(counted(&world, client.push_blob(&"layer".into())).await, 7, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mount_is_at_most_four_item_calls_and_no_object() {
    let Pushed { world, client, layer, .. } = Pushed::new().await;
    for (repository, from) in [("one", "&from=app"), ("two", "")] {
        let path = format!("/v2/{repository}/blobs/uploads/?mount={}{from}", digest(&layer));
        let calls = counted(&world, async { client.post(&path).await.expect(201) }).await;
        assert_at_most(calls, 4, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_put_is_at_most_four_item_calls_with_up_to_97_references() {
    for layers in [1, 96] {
        let world = World::new().await;
        let (client, config) = (Client::new(&world), Bytes::from("{}"));
        let layers: Vec<Bytes> = (0..layers).map(|number| format!("layer {number}").into()).collect();
        for content in layers.iter().chain([&config]) {
            let path = format!("/v2/app/blobs/uploads/?digest={}", digest(content));
            client.send(Method::POST, &path, content.clone()).await.expect(201);
        }
        let image = image(&config, &layers.iter().collect::<Vec<_>>());
        let put = async { client.put(&manifest("v1"), &image).await.expect(201) };
        assert_at_most(counted(&world, put).await, 4, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_push_of_one_layer_is_at_most_twenty_calls_in_all() {
    let world = World::new().await;
    let (client, config, layer) = (Client::new(&world), Bytes::from("{}"), Bytes::from("layer"));
    let push = async {
        client.push_blob(&layer).await;
        client.push_blob(&config).await;
        client.put(&manifest("v1"), &image(&config, &[&layer])).await.expect(201);
    };
    let calls = counted(&world, push).await;
    assert!(calls.items + calls.objects <= 20, "{calls:?}");
    assert!(calls.items > 0 && calls.objects > 0, "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_direct_push_of_one_layer_is_at_most_twenty_calls_beside_the_clients_own() {
    for has_events in [true, false] {
        let world = World::new().await;
        let client = Client::new(&world).by_edge();
        let (config, layer) = (Bytes::from("{}"), Bytes::from("layer"));
        let push = async {
            for content in [&config, &layer] {
                client.head(&blob(content)).await.expect(404);
                let id = client.send_direct(&world, content).await;
                if has_events {
                    client.registry.upload_adopt(&id).await.unwrap().unwrap();
                }
            }
            client.put(&manifest("v1"), &image(&config, &[&layer])).await.expect(201);
        };
        let calls = counted(&world, push).await;
        let own = world.s3.calls().count("PutObject");
        assert_eq!(own, 2, "the registry puts nothing itself");
        assert!(calls.items + calls.objects - own <= 20, "{calls:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adoption_is_four_item_calls_a_copy_and_a_head() {
    let world = World::new().await;
    let client = Client::new(&world).by_edge();
    let id = client.send_direct(&world, &"layer".into()).await;
    let calls = counted(&world, async { client.registry.upload_adopt(&id).await.unwrap().unwrap() }).await;
    assert_eq!(calls, Calls { items: 4, objects: 2 });
    let counts: Vec<_> = world.s3.calls().counts().into_iter().collect();
    assert_eq!(counts, [("CopyObject".to_owned(), 1), ("HeadObject".to_owned(), 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_tags_or_referrers_is_one_item_call() {
    let Pushed { world, client, manifest: image, .. } = Pushed::new().await;
    let referrers = format!("/v2/app/referrers/{}", digest(&image));
    for path in ["/v2/app/tags/list", "/v2/app/tags/list?n=1", &referrers] {
        let calls = counted(&world, async { client.get(path).await.expect(200) }).await;
        assert_eq!(calls, Calls { items: 1, objects: 0 }, "{path}");
    }
}

/// The manifest and its repository are read, the manifest is flagged, what leads to it is looked at: decision 23.
#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_delete_is_three_item_calls_and_one_transaction_for_every_24_tags() {
    for (tags, transactions) in [(0, 2), (1, 2), (20, 2), (24, 3), (25, 3), (100, 6)] {
        let Pushed { world, client, manifest: image, .. } = Pushed::new().await;
        client.delete(&manifest("v1")).await.expect(202);
        for number in 0..tags {
            client.put(&manifest(&format!("v{number}")), &image).await.expect(201);
        }
        let path = manifest(&digest(&image));
        let calls = counted(&world, async { client.delete(&path).await.expect(202) }).await;
        assert_eq!(calls, Calls { items: 2 + transactions, objects: 0 }, "{tags} tags");
        let [reads, looks, writes] =
            ["BatchGetItem", "Query", "TransactWriteItems"].map(|name| world.dynamodb.calls().of(name));
        assert_eq!([reads, looks, writes], [1, 1, transactions], "{tags} tags");
        client.get(&path).await.expect(404);
    }
}
