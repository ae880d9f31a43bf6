//! Chunks of one upload that come at once, each to a process of its own, as on Lambda.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::Method;
use s3_standin::Fault;

use crate::client::{Client, Reply, assert_sound, blob, digest};
use crate::world::World;

const CHUNK_BYTES: usize = 3 << 20;

fn noise(number: usize) -> Bytes {
    (0..CHUNK_BYTES + number).map(|at| (at * 31 / 7 + number * 89) as u8).collect()
}

/// Returns how many bytes the answer says are there.
fn standing(reply: &Reply) -> usize {
    let range = reply.headers["range"].to_str().unwrap();
    range.strip_prefix("0-").unwrap().parse::<usize>().unwrap() + 1
}

/// Sends the chunks at once; returns those that were taken, in the order in which they were.
async fn at_once(world: &World, location: &str, chunks: &[Bytes]) -> Vec<Bytes> {
    let send = |chunk: &Bytes| {
        let (client, location, chunk) = (Client::new(world), location.to_owned(), chunk.clone());
        tokio::spawn(async move { (client.send(Method::PATCH, &location, chunk.clone()).await, chunk) })
    };
    acknowledged(join_all(chunks.iter().map(send)).await.into_iter().map(Result::unwrap))
}

/// Returns the chunks that were taken, in the order in which they were; the others have to be refused for a while.
fn acknowledged(replies: impl Iterator<Item = (Reply, Bytes)>) -> Vec<Bytes> {
    let mut taken = Vec::new();
    for (reply, chunk) in replies {
        match reply.status {
            202 => taken.push((standing(&reply), chunk)),
            429 => assert_eq!(reply.headers["retry-after"], "1"),
            _ => panic!("{reply:?}"),
        }
    }
    assert!(!taken.is_empty(), "somebody has to get on");
    taken.sort_by_key(|(standing, _)| *standing);
    taken.into_iter().map(|(_, chunk)| chunk).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_of_chunks_that_overlap_becomes_the_blob() {
    for begun in 0..4 {
        let world = World::new().await;
        let client = Client::new(&world);
        let location = client.post("/v2/app/blobs/uploads/").await.expect(202).location().to_owned();
        let mut acknowledged: Vec<Bytes> = (0..begun).map(noise).collect();
        for chunk in &acknowledged {
            client.send(Method::PATCH, &location, chunk.clone()).await.expect(202);
        }
        for round in 1..4 {
            let chunks: Vec<Bytes> = (0..3).map(|number| noise(10 * round + number)).collect();
            let taken = at_once(&world, &location, &chunks).await;
            acknowledged.extend(taken);
        }
        let layer = Bytes::from(acknowledged.concat());
        assert_eq!(standing(&client.get(&location).await.expect(204)), layer.len());
        client.put(&format!("{location}?digest={}", digest(&layer)), &Bytes::new()).await.expect(201);
        assert!(client.read_blob(&layer).await == layer);
        assert_sound(&world).await;
    }
}

/// Gives up one chunk after the other while they are at work, and cuts the same bytes elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_gives_up_chunks_and_goes_on_gets_its_layer_there() {
    let layer = Bytes::from((0..8).flat_map(noise).collect::<Vec<u8>>());
    for cut in [1 << 20, 2_500_000, 5 << 20] {
        let world = World::new().await;
        let client = Client::new(&world);
        let location = client.post("/v2/app/blobs/uploads/").await.expect(202).location().to_owned();
        let (mut offset, mut given_up) = (0, Vec::new());
        while offset < layer.len() {
            let late = layer.slice(offset..layer.len().min(offset + cut));
            let (other, path) = (Client::new(&world), location.clone());
            given_up.push(tokio::spawn(async move { other.chunk_at(&path, offset, late).await.status }));
            tokio::task::yield_now().await;
            let chunk = layer.slice(offset..layer.len().min(offset + CHUNK_BYTES));
            let reply = Client::new(&world).chunk_at(&location, offset, chunk).await;
            assert!([202, 416, 429].contains(&reply.status), "{reply:?}");
            let now = standing(&client.get(&location).await.expect(204));
            let acknowledged = if reply.status == 202 { standing(&reply) } else { offset };
            assert!(now >= acknowledged, "{now} of {acknowledged}");
            offset = if now == 1 { 0 } else { now };
        }
        let path = format!("{location}?digest={}", digest(&layer));
        client.put(&path, &Bytes::new()).await.expect(201);
        for status in join_all(given_up).await {
            assert!([202, 404, 416, 429].contains(&status.unwrap()));
        }
        assert_eq!(
            client.head(&blob(&layer)).await.expect(200).headers["content-length"],
            layer.len().to_string()
        );
        assert!(client.read_blob(&layer).await == layer);
        assert_sound(&world).await;
    }
}

/// The part of a chunk that was given up arrives last of all, unless the machine is slow; then the other chunk is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_arrives_late_is_not_taken_for_the_one_that_was_acknowledged() {
    let world = World::new().await;
    let client = Client::new(&world);
    let location = client.post("/v2/app/blobs/uploads/").await.expect(202).location().to_owned();
    let [begun, late, prompt] = [0, 1, 2].map(|number| Bytes::from(noise(number).repeat(2)));
    client.send(Method::PATCH, &location, begun.clone()).await.expect(202);
    let parts = world.s3.calls().count("UploadPart");
    world.s3.faults().plan("UploadPart", parts + 1, Fault::Delayed(Duration::from_secs(3)));
    let sending = {
        let (other, path, late) = (Client::new(&world), location.clone(), late.clone());
        tokio::spawn(async move { other.send(Method::PATCH, &path, late).await })
    };
    while world.s3.calls().count("UploadPart") == parts {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let replies = [(client.send(Method::PATCH, &location, prompt.clone()).await, prompt)];
    let replies = replies.into_iter().chain([(sending.await.unwrap(), late)]);
    let layer = Bytes::from([vec![begun], acknowledged(replies)].concat().concat());
    client.put(&format!("{location}?digest={}", digest(&layer)), &Bytes::new()).await.expect(201);
    assert!(client.read_blob(&layer).await == layer);
}
