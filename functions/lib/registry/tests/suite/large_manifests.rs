//! Manifests that are large: they are in memory while they come, so not all at once.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::access::two_pushers;
use crate::client::{Client, Reply, manifest};
use crate::content::Image;
use crate::slowness::stalled;
use crate::world::World;

/// As many are held at one moment.
const PLACES: usize = 8;

/// As many of one network or account.
const PLACES_OF_ONE: usize = 4;

/// Begins to push a large manifest, which does not end.
fn begin(client: &Client, headers: &'static [(&str, &str)], bytes: usize) -> JoinHandle<Reply> {
    let client = client.clone();
    tokio::spawn(async move {
        let (body, _end) = stalled(vec![b' '; bytes]);
        client.send(Method::PUT, &manifest("team/app", "slow"), headers, body).await
    })
}

/// Begins as many as are held, from two addresses.
fn begin_all(client: &Client, headers: &'static [(&str, &str)], bytes: usize) -> Vec<JoinHandle<Reply>> {
    let addresses = [client.at_address("192.0.2.1"), client.at_address("192.0.2.2")];
    (0..PLACES).map(|at| begin(&addresses[at % 2], headers, bytes)).collect()
}

async fn too_many(headers: &'static [(&str, &str)], bytes: usize) {
    let (world, image) = (World::new(), Image::named("a"));
    let client = world.client();
    let slow = begin_all(&client, headers, bytes);
    sleep(Duration::from_millis(1)).await;
    let late = begin(&client, headers, bytes).await.unwrap().expect(429);
    assert_ne!(late.header("retry-after"), "");
    client.push_image("app", "latest", &image).await;
    let large = Bytes::from(vec![b' '; 100_000]);
    client.put(&manifest("team/app", "large"), large.clone()).await.expect(429);
    for slow in slow {
        let reply = slow.await.unwrap().expect(400);
        assert!(reply.text().contains("in time"), "{reply:?}");
    }
    client.put(&manifest("team/app", "large"), large).await.expect(400);
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
    let slow = begin_all(&client, &[], 100_000);
    sleep(Duration::from_secs(55)).await;
    begin(&client, &[], 5_000_000).await.unwrap().expect(413);
    let large = vec![b' '; 100_000];
    client.put(&manifest("team/app", "large"), large).await.expect(400);
    assert_eq!(began.elapsed().as_secs(), 60);
    drop(slow);
}

/// Has one client begin as many as there are places, from these addresses, and another push beside them.
async fn leaves_places(one: &Client, addresses: impl Fn(usize) -> String, other: &Client) {
    let slow: Vec<_> = (0..PLACES).map(|at| begin(&one.at_address(&addresses(at)), &[], 100_000)).collect();
    sleep(Duration::from_secs(1)).await;
    other.put(&manifest("team/app", "large"), vec![b' '; 100_000]).await.expect(400);
    let mut refused = 0;
    for slow in slow {
        refused += usize::from(slow.await.unwrap().status == 429);
    }
    assert_eq!(refused, PLACES - PLACES_OF_ONE);
}

#[tokio::test(start_paused = true)]
async fn one_network_leaves_places_to_others() {
    let client = World::new().client();
    leaves_places(&client, |at| format!("2001:db8::{at}"), &client.at_address("192.0.2.1")).await;
}

#[tokio::test(start_paused = true)]
async fn one_account_leaves_places_to_others() {
    let [one, two] = two_pushers().await;
    leaves_places(&one, |at| format!("192.0.2.{at}"), &two).await;
}
