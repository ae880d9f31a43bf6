//! Blobs are read from the store; everything else is answered by the registry.

use http::Method;

use crate::client::{blob, bytes_body, manifest};
use crate::content::{Content, Image};
use crate::world::World;

async fn pushed() -> (World, Image) {
    let (world, image) = (World::direct(), Image::named("app"));
    world.client().push_image("app", "v1", &image).await.expect(201);
    (world, image)
}

#[tokio::test]
async fn a_get_of_a_blob_leads_to_the_store_and_nobody_may_keep_that() {
    let (world, image) = pushed().await;
    let reply = world.client().get(&blob("app", &image.layer.digest)).await;
    let (digest, url) = (&image.layer.digest, reply.location());
    let expected = format!("307\ndocker-content-digest: {digest}\nlocation: {url}\n\n");
    assert_eq!(reply.own_text(), expected);
    assert_eq!(reply.header("cache-control"), "no-store");
    let read = world.read_blob(&world.client(), "app", &image.layer.digest).await;
    assert_eq!(read, image.layer.bytes);
}

#[tokio::test]
async fn a_range_is_for_the_store_to_cut() {
    let (world, image) = pushed().await;
    for range in ["bytes=0-2", "bytes=100000-"] {
        let reply = world.client().get_with(&blob("app", &image.layer.digest), &[("range", range)]).await;
        reply.expect(307);
    }
}

#[tokio::test]
async fn a_head_of_a_blob_tells_its_length_and_leads_nowhere() {
    let (world, image) = pushed().await;
    for client in [world.client(), world.client().by_edge()] {
        let reply = client.head(&blob("app", &image.layer.digest)).await.expect(200);
        assert_eq!(reply.header("content-length"), image.layer.bytes.len().to_string());
        assert_eq!(reply.header("docker-content-digest"), image.layer.digest);
        assert!(!reply.headers.contains_key("location"), "{reply:#?}");
    }
}

#[tokio::test]
async fn a_client_that_has_the_blob_is_not_sent_away() {
    let (world, image) = pushed().await;
    let etag = format!("\"{}\"", image.layer.digest);
    for method in [Method::GET, Method::HEAD] {
        let headers = [("if-none-match", etag.as_str())];
        let path = blob("app", &image.layer.digest);
        let reply = world.client().send(method, &path, &headers, bytes_body("")).await.expect(304);
        assert!(!reply.headers.contains_key("location"), "{reply:#?}");
    }
}

#[tokio::test]
async fn a_blob_of_another_repository_is_unknown_and_no_url_betrays_it() {
    let (world, image) = pushed().await;
    let reply = world.client().get(&blob("other", &image.layer.digest)).await.expect(404);
    assert!(!reply.headers.contains_key("location"), "{reply:#?}");
    world.client().head(&blob("other", &image.layer.digest)).await.expect(404);
}

#[tokio::test]
async fn a_manifest_is_answered_by_the_registry_however_large_it_is() {
    let (world, image) = pushed().await;
    let fields = serde_json::json!({ "annotations": { "long": "x".repeat(400 * 1024) } });
    let large = Content::image_with(&image.config, &[&image.layer], &fields);
    world.client().put_manifest("app", "large", &large).await.expect(201);
    for (reference, content) in [("v1", &image.manifest), ("large", &large)] {
        for reference in [reference, content.digest.as_str()] {
            let reply = world.client().by_edge().get(&manifest("app", reference)).await.expect(200);
            assert_eq!(reply.body, content.bytes);
        }
    }
}
