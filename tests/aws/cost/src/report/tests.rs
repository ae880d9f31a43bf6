//! Small images: what is counted is what the operations are known to ask for.

use super::*;

const KIB: usize = 1024;

fn size(layers: usize, layer_bytes: usize) -> ImageSize {
    ImageSize { name: "test".to_owned(), layers, layer_bytes, config_bytes: 10 }
}

async fn pushed(lane: Lane, layers: usize, layer_bytes: usize) -> Usage {
    let mut world = World::new().await.unwrap();
    push(&mut world, &Image::new(&size(layers, layer_bytes)), lane, 4 * KIB).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_push_is_three_requests_a_blob_and_three_more() {
    let usage = pushed(Lane::Direct, 2, KIB).await;
    // The PUT of each of the three blobs goes to S3.
    assert_eq!((usage.edge_requests, usage.api_requests(), usage.adoptions), (12, 9, 3));
    // A PUT by the client, a COPY and a HEAD by the adoption.
    assert_eq!((usage.s3_writes, usage.s3_reads), (6, 3));
    assert_eq!((usage.upload_bytes, usage.copied_bytes), (2058, 2058));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_upload_is_looked_at_nineteen_times_in_three_days() {
    let looks = async |days| {
        let mut world = World::new().await.unwrap();
        push(&mut world, &Image::new(&size(2, KIB)), Lane::Direct, KIB).await.unwrap();
        afterwards(&mut world, days).await.unwrap().item_calls
    };
    // Three blobs: every 15 minutes for two hours, and every six hours from then on.
    assert_eq!(looks(3.0).await - looks(0.0).await, 3 * (8 + 11));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inline_push_has_no_edge_and_a_patch_for_each_chunk() {
    let usage = pushed(Lane::Inline, 1, 10 * KIB).await;
    // The ping, the manifest's two, the config's three; HEAD, POST, three chunks and a PUT of the layer.
    assert_eq!((usage.edge_requests, usage.api_requests(), usage.adoptions), (0, 12, 0));
    assert_eq!(usage.function_bytes - 10 * KIB - 10, Image::new(&size(1, 10 * KIB)).manifest.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_by_the_relay_has_a_patch_that_the_api_does_not_see() {
    let usage = pushed(Lane::Relay, 1, 10 * KIB).await;
    assert_eq!((usage.edge_requests, usage.api_requests()), (11, 9));
    assert_eq!((usage.relay_bytes, usage.upload_bytes), (10 * KIB + 10, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_reads_each_blob_once_and_the_manifest_twice() {
    let (mut world, image) = (World::new().await.unwrap(), Image::new(&size(2, KIB)));
    push(&mut world, &image, Lane::Direct, KIB).await.unwrap();
    let usage = pull(&mut world, &image).await.unwrap();
    // The tag, the manifest of a cold process (the second time it is warm), and three links.
    assert_eq!((usage.api_reads, usage.item_calls, usage.s3_reads), (6, 5, 3));
    assert_eq!((usage.read_units, usage.write_units), (5.0, 0.0));
    assert_eq!(usage.downloaded_bytes, 2058);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_push_counts_the_same() {
    assert_eq!(pushed(Lane::Direct, 1, KIB).await, pushed(Lane::Direct, 1, KIB).await);
}
