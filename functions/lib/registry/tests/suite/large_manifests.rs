//! Manifests that are large: they are in memory while they come, so not all at once.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::client::{Client, Reply, manifest};
use crate::content::Image;
use crate::slowness::stalled;
use crate::world::World;

/// As many are held at one moment.
const PLACES: usize = 8;

/// Begins to push a large manifest, which does not end.
fn begin(client: &Client, headers: &'static [(&str, &str)], bytes: usize) -> JoinHandle<Reply> {
    let client = client.clone();
    tokio::spawn(async move {
        let (body, _end) = stalled(vec![b' '; bytes]);
        client.send(Method::PUT, &manifest("app", "slow"), headers, body).await
    })
}

async fn too_many(headers: &'static [(&str, &str)], bytes: usize) {
    let (world, image) = (World::new(), Image::named("a"));
    let client = world.client();
    let slow: Vec<_> = (0..PLACES).map(|_| begin(&client, headers, bytes)).collect();
    sleep(Duration::from_millis(1)).await;
    let late = begin(&client, headers, bytes).await.unwrap().expect(429);
    assert_ne!(late.header("retry-after"), "");
    client.push_image("app", "latest", &image).await;
    let large = Bytes::from(vec![b' '; 100_000]);
    client.put(&manifest("app", "large"), large.clone()).await.expect(429);
    for slow in slow {
        let reply = slow.await.unwrap().expect(400);
        assert!(reply.text().contains("in time"), "{reply:?}");
    }
    client.put(&manifest("app", "large"), large).await.expect(400);
}

#[tokio::test(start_paused = true)]
async fn who_sends_large_manifests_slowly_keeps_others_from_sending_large_ones_alone() {
    too_many(&[("content-length", "4194304")], 10).await;
    too_many(&[], 100_000).await;
}

#[tokio::test(start_paused = true)]
async fn a_place_is_waited_for() {
    let client = World::new().client();
    let began = Instant::now();
    let slow: Vec<_> = (0..PLACES).map(|_| begin(&client, &[], 100_000)).collect();
    sleep(Duration::from_secs(55)).await;
    begin(&client, &[], 5_000_000).await.unwrap().expect(413);
    let large = vec![b' '; 100_000];
    client.put(&manifest("app", "large"), large).await.expect(400);
    assert_eq!(began.elapsed().as_secs(), 60);
    drop(slow);
}
