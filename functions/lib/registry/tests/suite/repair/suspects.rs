//! What the collector's queue has to have of upload sessions.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use oci::UploadId;
use registry::jobs::repair::Shop;
use registry::ports::{Condition, Item, ItemScan, Key, StoreError, Write};
use registry::records::SuspectRecord;
use registry::testing::MemoryItems;

use super::{repair, write};
use crate::client::Client;
use crate::content::{Content, Image};
use crate::world::World;

async fn adopted(world: &World, client: &Client, blob: &Content) -> UploadId {
    let id = world.send_direct(client, "app", blob).await;
    client.adopt(&id).await.unwrap().unwrap();
    id
}

/// Takes what the queue has of the session itself; what it has of its copies stays. Returns how many suspects that were.
async fn lose_suspects(world: &World, session: &str) -> usize {
    let mut lost = 0;
    for item in world.all_items().await {
        let suspect = item.record.as_suspect();
        if matches!(suspect, Some(SuspectRecord::Upload { id, .. }) if id == session) {
            write(world, Write::Delete(item.key, Condition::Always)).await;
            lost += 1;
        }
    }
    lost
}

/// A registry with a session of each kind: open, cancelled, and committed by itself, by an adoption, and by one whose blob
/// was there already and whose copy is still watched.
async fn with_sessions() -> World {
    let world = World::direct();
    let (client, layer) = (world.client().by_edge(), Content::blob("layer"));
    client.begin("app").await;
    let cancelled = client.begin("app").await;
    client.delete(&cancelled).await.expect(204);
    client.push_blob("app", &Content::blob("sent")).await.expect(201);
    adopted(&world, &client, &layer).await;
    adopted(&world, &client, &layer).await;
    world
}

#[tokio::test]
async fn a_registry_that_took_over_direct_uploads_has_nothing_to_mend() {
    let world = World::direct();
    let (client, image) = (world.client().by_edge(), Image::named("app"));
    for tag in ["first", "the same again"] {
        for blob in [&image.config, &image.layer] {
            adopted(&world, &client, blob).await;
            assert_eq!(repair(&world).await.mends, [], "{tag}");
        }
    }
    client.put_manifest("app", "1", &image.manifest).await.expect(201);
    assert_eq!(repair(&world).await.mends, []);
    world.collect_for(16 * 24).await;
    assert_eq!(world.stored().await.get("upload"), None, "the collector has taken every session");
    assert_eq!(world.read_blob(&client, "app", &image.layer.digest).await, image.layer.bytes);
}

/// The items as somebody reads them whom a commit overtakes the first time: what it wrote is not there yet, and what it took
/// away is not there any more.
struct Overtaken<'a> {
    items: &'a MemoryItems,
    hidden: Vec<Key>,
    walks: AtomicUsize,
}

#[async_trait]
impl ItemScan for Overtaken<'_> {
    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Item>, StoreError> {
        let walks = self.walks.fetch_add(usize::from(after.is_none()), SeqCst) + usize::from(after.is_none());
        let mut items = self.items.scan(after, limit).await?;
        items.retain(|item| walks > 1 || !self.hidden.contains(&item.key));
        Ok(items)
    }
}

#[tokio::test]
async fn an_object_that_a_commit_takes_while_the_items_are_read_is_nobodys_garbage() {
    let world = World::direct();
    let (client, image) = (world.client().by_edge(), Image::named("app"));
    adopted(&world, &client, &image.config).await;
    adopted(&world, &client, &image.layer).await;
    client.put_manifest("app", "1", &image.manifest).await.expect(201);
    let hidden: Vec<Key> = world.all_items().await.into_iter().map(|item| item.key).collect();
    let items = Overtaken { items: &world.items, hidden, walks: AtomicUsize::new(0) };
    let registry = world.registry();
    let (objects, quarantine) = (&*world.objects, None);
    let shop = Shop { registry: &registry, items: &items, objects, quarantine, is_deep: false };
    shop.repair(&|_, _| {}).await.unwrap();
    assert!(items.walks.load(SeqCst) > 1);
    world.collect_for(16 * 24).await;
    assert_eq!(world.read_blob(&client, "app", &image.layer.digest).await, image.layer.bytes);
}

#[tokio::test]
async fn every_session_of_which_the_queue_knows_nothing_is_put_into_it_again() {
    let count = with_sessions().await.stored().await["upload"];
    assert_eq!(count, 5);
    for number in 0..5 {
        let world = with_sessions().await;
        let sessions: Vec<_> =
            world.all_items().await.into_iter().filter(|item| item.record.as_upload().is_some()).collect();
        let session = &sessions[number];
        let state = &session.record.as_upload().unwrap().state;
        assert_eq!(lose_suspects(&world, session.key.pk.strip_prefix("U#").unwrap()).await, 1, "{state:?}");
        let mends = repair(&world).await.mends;
        assert!(
            matches!(&mends[..], [mend] if mend.what == "the collector's queue"),
            "{state:?}: {mends:#?}"
        );
        assert_eq!(repair(&world).await.mends, [], "{state:?}");
        world.collect_for(16 * 24).await;
        world.assert_clean().await;
        assert_eq!(world.stored().await.get("upload"), None, "{state:?}");
    }
}
