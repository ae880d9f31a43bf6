//! How often a collector asks the stores.

use super::{DAY, HOUR};
use crate::client::manifest;
use crate::content::Content;
use crate::probe::Calls;
use crate::world::World;

/// The queue is read once for each of its shards, and once more for what follows.
const QUEUE: usize = 3 * 16;

async fn with_blobs(blobs: usize, is_needed: bool) -> World {
    let world = World::new();
    let (client, config) = (world.client(), Content::blob("{}"));
    let layers: Vec<Content> =
        (0..blobs - 1).map(|number| Content::blob(format!("layer {number}"))).collect();
    for content in layers.iter().chain([&config]) {
        client.push_blob_by_put("app", content).await.expect(201);
    }
    let image = Content::image(&config, &layers.iter().collect::<Vec<_>>());
    client.put_manifest("app", "v1", &image).await.expect(201);
    if !is_needed {
        client.delete(&manifest("app", &image.digest)).await.expect(202);
    }
    world.probe.reset();
    world
}

/// Returns what it takes to collect, from the lease's end until the object is gone.
async fn collected(world: &World) -> Calls {
    world.clock.advance(DAY);
    world.collect().await;
    world.clock.advance(HOUR);
    world.collect().await;
    world.probe.count()
}

#[tokio::test]
async fn a_collected_blob_takes_five_item_calls_and_one_of_objects_at_most() {
    const BLOBS: usize = 400;
    let world = with_blobs(BLOBS, false).await;
    let calls = collected(&world).await;
    println!("{BLOBS} blobs: {calls:?}, {:.2} item calls each", calls.items as f64 / BLOBS as f64);
    assert_eq!(calls.objects, BLOBS);
    assert!(calls.items <= 5 * BLOBS + QUEUE, "{calls:?}");
    assert_eq!(world.stored().await.get("object"), None);
}

#[tokio::test]
async fn a_blob_that_is_needed_takes_one_item_call_and_a_share_of_a_few() {
    const BLOBS: usize = 400;
    let world = with_blobs(BLOBS, true).await;
    let calls = collected(&world).await;
    println!("{BLOBS} blobs: {calls:?}, {:.2} item calls each", calls.items as f64 / BLOBS as f64);
    assert_eq!(calls.objects, 0);
    assert!(calls.items <= BLOBS + BLOBS / 4 + QUEUE, "{calls:?}");
}

#[tokio::test]
async fn what_is_not_garbage_costs_nothing_however_much_it_is() {
    let mut seen = Vec::new();
    for blobs in [10, 200] {
        let world = with_blobs(blobs, true).await;
        world.clock.advance(DAY);
        world.collect().await;
        world.probe.reset();
        world.clock.advance(DAY);
        world.collect().await;
        seen.push(world.probe.count());
    }
    assert_eq!(seen, [Calls { items: 16, objects: 0 }; 2]);
}
