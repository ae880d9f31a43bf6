//! Who is always overtaken: the answer is that others are changing the same thing, and not that it is not there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use registry::ports::{Conflict, Item, ItemStore, Key, Query, StoreError, TransactError, Write};
use registry::testing::{Call, MemoryItems, Outcome};

use crate::client::{blob, manifest};
use crate::content::{Content, Image};
use crate::world::World;

/// Items of which each is changed by somebody else before it is written.
pub(crate) struct Overtaken(pub(crate) Arc<MemoryItems>);

#[async_trait]
impl ItemStore for Overtaken {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        self.0.get(keys).await
    }

    async fn query(&self, query: Query) -> Result<Vec<Item>, StoreError> {
        self.0.query(query).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactError> {
        let key = writes[0].key().clone();
        let found = self.0.get(std::slice::from_ref(&key)).await?.pop().flatten();
        Err(TransactError::Conflict(Box::new(Conflict { key, found })))
    }
}

#[tokio::test]
async fn who_is_always_overtaken_is_asked_to_come_again() {
    let (world, image) = (World::new(), Image::named("app"));
    world.client().push_image("app", "v1", &image).await.expect(201);
    world.clock.advance(Duration::from_secs(13 * 60 * 60));
    let client = world.client_overtaken();
    let layer = blob("app", &image.layer.digest);
    client.head(&layer).await.expect(429);
    client.delete(&layer).await.expect(429);
    client.delete(&manifest("app", "v1")).await.expect(429);
    client.delete(&manifest("app", &image.manifest.digest)).await.expect(429);
    client.put_manifest("app", "v2", &image.manifest).await.expect(429);
    for path in [blob("app", &image.manifest.digest), manifest("app", "v2")] {
        client.head(&path).await.expect(404);
        client.delete(&path).await.expect(404);
    }
}

/// An image that is too large for an item.
fn large() -> (Image, Content) {
    let image = Image::named("large");
    let fields = serde_json::json!({ "annotations": { "note": "x".repeat(400 * 1024) } });
    let manifest = Content::image_with(&image.config, &[&image.layer], &fields);
    (image, manifest)
}

#[tokio::test]
async fn a_deletion_that_stalls_until_somebody_else_has_ended_it_is_done() {
    let (world, (image, large)) = (Arc::new(World::new()), large());
    let client = world.client();
    client.push_image("app", "v1", &image).await.expect(201);
    client.put_manifest("app", "large", &large).await.expect(201);
    let path = manifest("app", &large.digest);
    let (others, other_path, is_over) = (Arc::clone(&world), path.clone(), AtomicBool::new(false));
    let stalled = world.client_hooked(move |call| {
        if call == Call::ObjectGet && !is_over.swap(true, Ordering::SeqCst) {
            let deleted = others.client().delete(&other_path).now_or_never().expect("nothing waits");
            deleted.expect(202);
            let hours = others.collect_for(10).now_or_never().expect("nothing waits");
            assert!(hours.objects_deleted > 0, "{hours:#?}");
        }
        Outcome::Done
    });
    stalled.delete(&path).await.expect(202);
    stalled.delete(&path).await.expect(404);
    world.fsck().await;
}

#[tokio::test]
async fn a_large_manifest_that_another_process_deleted_and_pushed_anew_is_read_where_it_is_now() {
    let (world, (image, large)) = (World::new(), large());
    let (reader, other) = (world.client(), world.client());
    other.push_image("app", "v1", &image).await.expect(201);
    other.put_manifest("app", "large", &large).await.expect(201);
    assert_eq!(reader.get(&manifest("app", "large")).await.expect(200).body, large.bytes);
    other.delete(&manifest("app", &large.digest)).await.expect(202);
    let hours = world.collect_for(10).await;
    assert!(hours.objects_deleted > 0, "{hours:#?}");
    other.put_manifest("app", "large", &large).await.expect(201);
    assert_eq!(reader.get(&manifest("app", "large")).await.expect(200).body, large.bytes);
}
