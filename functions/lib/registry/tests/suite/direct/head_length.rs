//! Behind a gateway that counts bytes: a HEAD brings it what a GET would, and leads to the store for a blob.

use std::time::Duration;

use http::Method;
use registry::testing::Call::{ItemsGet, ItemsTransact};

use crate::client::{Client, blob, bytes_body, manifest};
use crate::content::Image;
use crate::world::World;

const HALF_A_LEASE: Duration = Duration::from_secs(12 * 60 * 60);

async fn pushed(world: World) -> (World, Client, Image) {
    let (client, image) = (world.client().counted(), Image::named("app"));
    client.push_image("app", "v1", &image).await.expect(201);
    world.probe.reset();
    (world, client, image)
}

#[tokio::test]
async fn a_head_of_a_manifest_has_the_whole_answer_of_a_get() {
    let (world, client, image) = pushed(World::direct()).await;
    for reference in ["v1", image.manifest.digest.as_str()] {
        let path = manifest("app", reference);
        let reply = client.head(&path).await.expect(200);
        assert_eq!(reply.body, image.manifest.bytes);
        assert_eq!(reply, world.client().get(&path).await);
        let part = client.send(Method::HEAD, &path, &[("range", "bytes=0-2")], bytes_body("")).await;
        assert_eq!(part, reply, "a range is for GET");
    }
}

#[tokio::test]
async fn a_head_of_a_blob_leads_to_the_store_and_nobody_may_keep_that() {
    let (world, client, image) = pushed(World::direct()).await;
    let reply = client.head(&blob("app", &image.layer.digest)).await;
    let (digest, url) = (&image.layer.digest, reply.location());
    assert_eq!(reply.own_text(), format!("307\ndocker-content-digest: {digest}\nlocation: {url}\n\n"));
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(world.objects.serve_head(&url), Some(image.layer.bytes.len() as u64));
    assert_eq!(world.objects.serve(&url), None, "the URL is for a HEAD alone");
    assert_eq!(world.probe.calls(), [ItemsGet]);
    assert_eq!(world.read_blob(&client, "app", digest).await, image.layer.bytes);
}

/// P9: it is the registry that says the blob is there, wherever it sends the client.
#[tokio::test]
async fn a_head_that_leads_to_the_store_holds_the_blob_for_twelve_hours() {
    let (world, client, image) = pushed(World::direct()).await;
    world.clock.advance(HALF_A_LEASE + Duration::from_millis(1));
    client.head(&blob("app", &image.layer.digest)).await.expect(307);
    assert_eq!(world.probe.calls(), [ItemsGet, ItemsTransact]);
    let held = registry::ports::Clock::now(&*world.clock).after(2 * HALF_A_LEASE);
    let items = world.all_items().await;
    let links = items.iter().filter_map(|item| item.record.as_link());
    assert_eq!(links.filter(|link| link.lease_until == held).count(), 1);
}

#[tokio::test]
async fn no_head_betrays_a_blob_of_another_repository() {
    let (_, client, image) = pushed(World::direct()).await;
    for method in [Method::HEAD, Method::GET] {
        let path = blob("other", &image.layer.digest);
        let reply = client.send(method, &path, &[], bytes_body("")).await.expect(404);
        assert!(!reply.headers.contains_key("location"), "{reply:#?}");
        assert!(
            String::from_utf8_lossy(&reply.body).contains("BLOB_UNKNOWN"),
            "the gateway counts this, too"
        );
    }
}

#[tokio::test]
async fn who_has_the_content_is_neither_sent_away_nor_sent_anything() {
    let (_, client, image) = pushed(World::direct()).await;
    for (path, content) in
        [(blob("app", &image.layer.digest), &image.layer), (manifest("app", "v1"), &image.manifest)]
    {
        let etag = format!("\"{}\"", content.digest);
        let headers = [("if-none-match", etag.as_str())];
        let reply = client.send(Method::HEAD, &path, &headers, bytes_body("")).await.expect(304);
        assert!(reply.body.is_empty() && !reply.headers.contains_key("location"), "{reply:#?}");
    }
}

#[tokio::test]
async fn where_the_store_signs_nothing_the_registry_tells_the_length() {
    let (_, client, image) = pushed(World::new()).await;
    let reply = client.head(&blob("app", &image.layer.digest)).await.expect(200);
    assert_eq!(reply.header("content-length"), image.layer.bytes.len().to_string());
}
