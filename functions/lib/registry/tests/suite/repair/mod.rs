//! Repairs: what storage alone can bring back comes back, and the rest is named and heals by a push.

mod damage;
mod rows;
mod suspects;

use std::sync::Mutex;

use async_trait::async_trait;
use oci::Digest;
use registry::jobs::repair::{Quarantine, Report, Shop};
use registry::ports::{
    Condition, Item, ItemStore, ObjectKey, ObjectStore, StoreError, Unreadable, Version, Write,
};
use registry::records::{Record, keys};

use crate::client::{mounting, uploads};
use crate::content::{Content, Image};
use crate::world::World;

/// Remembers what it was given.
#[derive(Default)]
struct Shed(Mutex<Vec<ObjectKey>>);

struct Keeper<'a> {
    shed: &'a Shed,
    world: &'a World,
}

#[async_trait]
impl Quarantine for Keeper<'_> {
    async fn take_object(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.shed.0.lock().unwrap().push(key.clone());
        self.world.objects.delete(key).await?;
        self.world.objects.abort(key, &Default::default()).await
    }

    async fn take_row(&self, _row: &Unreadable) -> Result<(), StoreError> {
        Ok(())
    }
}

async fn repair(world: &World) -> Report {
    let (registry, shed) = (world.registry(), Shed::default());
    let keeper = Keeper { shed: &shed, world };
    let shop = Shop {
        registry: &registry,
        items: &*world.items,
        objects: &*world.objects,
        quarantine: Some(&keeper),
        is_deep: true,
    };
    let before = world.all_items().await;
    let foreseen = shop.rehearse(&|_, _| {}).await.unwrap();
    assert_eq!(world.all_items().await, before, "a rehearsal changes nothing");
    let is_past = |done: &str| [" was ", " were ", " has "].iter().any(|past| done.contains(past));
    assert!(!foreseen.mends.iter().any(|mend| is_past(mend.done)), "nothing is done yet: {foreseen:#?}");
    let report = shop.repair(&|_, _| {}).await.unwrap();
    assert_eq!(Report { is_rehearsal: false, ..foreseen }, report, "a rehearsal says what a repair does");
    report
}

/// A registry with an image, an index, a referrer, a mount, a large manifest and an open upload.
async fn furnished() -> (World, Image) {
    let world = World::new();
    let (client, image, other) = (world.client(), Image::named("app"), Image::named("arm"));
    client.push_image("team/app", "1", &image).await.expect(201);
    client.push_image("team/app", "2", &image).await.expect(201);
    client.push_image("team/app", &other.manifest.digest, &other).await.expect(201);
    let index = Content::index(&[&image.manifest, &other.manifest]);
    client.put_manifest("team/app", "multi", &index).await.expect(201);
    let signature = Content::referrer(&image.config, &image.manifest, "application/vnd.signature");
    client.put_manifest("team/app", &signature.digest, &signature).await.expect(201);
    for layer in [&image.layer, &image.config] {
        client.post(&mounting("web", &layer.digest, "team/app"), "").await.expect(201);
    }
    client.put_manifest("web", "1", &image.manifest).await.expect(201);
    let long = serde_json::json!({ "annotations": { "long": "x".repeat(400 * 1024) } });
    let large = Content::image_with(&image.config, &[&image.layer], &long);
    client.put_manifest("team/app", "large", &large).await.expect(201);
    let upload = client.post(&uploads("team/app"), "").await.expect(202).location();
    client.patch(&upload, "the first bytes").await.expect(202);
    world.fsck().await;
    (world, image)
}

async fn write(world: &World, write: Write) {
    world.items.transact(vec![write]).await.unwrap();
}

async fn change(world: &World, item: &Item, record: Record) {
    let changed = Item { record, version: Version::new("changed"), key: item.key.clone() };
    write(world, Write::Put(changed, Condition::Always)).await;
}

async fn object_of(world: &World, digest: &str) -> ObjectKey {
    let key = keys::blob(&digest.parse::<Digest>().unwrap());
    let item = world.items.get(&[key]).await.unwrap().pop().unwrap().unwrap();
    item.record.as_blob().unwrap().object.clone()
}

/// What an item says that a client could notice, or a collector.
fn essence(item: &Item) -> Option<(String, String)> {
    let record = match item.record.clone() {
        // What watches over garbage may be written again.
        Record::Suspect(_) => return None,
        Record::Link(mut link) => {
            link.lease_until = Default::default();
            link.origin = registry::records::LinkOrigin::Uploaded;
            Record::Link(link)
        }
        record => record,
    };
    Some((format!("{}/{}", item.key.pk, item.key.sk), format!("{record:?}")))
}

async fn essences(world: &World) -> Vec<(String, String)> {
    world.all_items().await.iter().filter_map(essence).collect()
}
