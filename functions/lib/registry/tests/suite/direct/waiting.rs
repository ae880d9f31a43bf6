//! A manifest waits for the blobs that are being taken over, but not for ever.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use oci::UploadId;
use registry::ports::{Arrived, Copied, ObjectKey, StoreError, StoreErrorKind, VerifiedCopy};
use tokio::time::Instant;

use super::send_blobs;
use crate::client::{Client, manifest};
use crate::content::{Content, Image};
use crate::world::World;

/// How copies go at the moment.
#[derive(Default)]
struct Mood {
    takes: Duration,
    fails_for: Option<UploadId>,
}

/// Copies that take a while, or fail.
struct Moody {
    inner: Arc<dyn VerifiedCopy>,
    mood: Arc<Mutex<Mood>>,
}

#[async_trait]
impl VerifiedCopy for Moody {
    async fn copy_upload(&self, id: &UploadId, to: &ObjectKey) -> Result<Option<Copied>, StoreError> {
        let (takes, fails) = {
            let mood = self.mood.lock().unwrap();
            (mood.takes, mood.fails_for.as_ref() == Some(id))
        };
        tokio::time::sleep(takes).await;
        if fails {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "not today"));
        }
        self.inner.copy_upload(id, to).await
    }

    async fn arrived_uploads(
        &self,
        after: Option<&UploadId>,
        limit: usize,
    ) -> Result<Vec<Arrived>, StoreError> {
        self.inner.arrived_uploads(after, limit).await
    }
}

fn moody() -> (World, Client, Arc<Mutex<Mood>>) {
    let mood = Arc::new(Mutex::new(Mood::default()));
    let world = World::new().with_abilities(|inner| Arc::new(Moody { inner, mood: Arc::clone(&mood) }));
    let client = world.client().by_edge();
    (world, client, mood)
}

/// Returns a world in which the blobs of an image have arrived, and how copies go there.
async fn slow(image: &Image, takes: Duration) -> (World, Client, Arc<Mutex<Mood>>) {
    let (world, client, mood) = moody();
    send_blobs(&world, &client, "app", image).await;
    mood.lock().unwrap().takes = takes;
    (world, client, mood)
}

#[tokio::test(start_paused = true)]
async fn a_manifest_waits_for_copies_that_end_in_time_and_they_run_side_by_side() {
    let image = Image::named("app");
    let (world, client, _) = slow(&image, Duration::from_secs(10)).await;
    let began = Instant::now();
    client.put_manifest("app", "v1", &image.manifest).await.expect(201);
    assert_eq!(began.elapsed().as_secs(), 10);
    world.fsck().await;
}

#[tokio::test(start_paused = true)]
async fn after_fifteen_seconds_the_client_is_asked_to_come_again_and_then_succeeds() {
    let image = Image::named("app");
    let (world, client, mood) = slow(&image, Duration::from_secs(60)).await;
    let began = Instant::now();
    let reply = client.put_manifest("app", "v1", &image.manifest).await.expect(429);
    assert_eq!(began.elapsed().as_secs(), 15);
    assert!(String::from_utf8_lossy(&reply.body).contains("TOOMANYREQUESTS"), "{reply:#?}");
    let stored = world.stored().await;
    assert_eq!((stored.get("manifest"), stored.get("edge")), (None, None), "the manifest is withdrawn");
    client.get(&manifest("app", "v1")).await.expect(404);
    world.fsck().await;
    mood.lock().unwrap().takes = Duration::ZERO;
    client.put_manifest("app", "v1", &image.manifest).await.expect(201);
    world.fsck().await;
}

#[tokio::test(start_paused = true)]
async fn what_an_event_takes_over_meanwhile_is_found_at_the_end_of_the_wait() {
    let image = Image::named("app");
    let (world, client, mood) = slow(&image, Duration::from_secs(60)).await;
    let events = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        mood.lock().unwrap().takes = Duration::ZERO;
        for upload in world.objects.arrived_uploads(None, 10).await.unwrap() {
            world.client().adopt(&upload.id).await.unwrap().unwrap();
        }
    };
    let (reply, ()) = tokio::join!(client.put_manifest("app", "v1", &image.manifest), events);
    reply.expect(201);
    world.fsck().await;
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_cannot_be_taken_over_is_in_nobodys_way_but_its_own() {
    let ((world, client, mood), image) = (moody(), Image::named("app"));
    let broken = world.send_direct(&client, "app", &Content::blob("another layer")).await;
    mood.lock().unwrap().fails_for = Some(broken);
    let [_, layer] = send_blobs(&world, &client, "app", &image).await;
    client.put_manifest("app", "v1", &image.manifest).await.expect(201);

    let other = Image::named("other");
    let [_, missing] = send_blobs(&world, &client, "app", &other).await;
    mood.lock().unwrap().fails_for = Some(missing);
    client.put_manifest("app", "v2", &other.manifest).await.expect(503);
    client.get(&manifest("app", "v2")).await.expect(404);
    mood.lock().unwrap().fails_for = Some(layer);
    client.put_manifest("app", "v2", &other.manifest).await.expect(201);
    world.fsck().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_last_is_taken_over_first() {
    let ((world, client, mood), image) = (moody(), Image::named("app"));
    for _ in 0..250 {
        client.begin("app").await;
    }
    world.clock.advance(Duration::from_secs(60));
    send_blobs(&world, &client, "app", &image).await;
    mood.lock().unwrap().takes = Duration::from_secs(1);
    client.put_manifest("app", "v1", &image.manifest).await.expect(201);
    world.fsck().await;
}
