//! Session tokens: Lambda signs with one, and it is in every URL that goes to a client.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use s3_standin::Options;

use crate::client::{Client, assert_sound, blob, image, manifest};
use crate::world::World;

/// As long as the longest that were seen, one of a role and one of a role with many tags and policies.
const USUAL: usize = 1_197;
const LONG: usize = 5_753;

/// CloudFront takes no longer URL.
const URL_CHARS_MAX: usize = 8_192;

/// The longest that may stand before and behind a query: host, repository and upload; digest and `ns` of the client.
const AROUND_QUERY_CHARS: usize = 1_024;

/// Returns a token like those of AWS: base64, some of which has to be escaped.
fn token(chars: usize) -> String {
    STANDARD.encode((0..chars).map(|at| (at * 7 % 256) as u8).collect::<Vec<_>>())[..chars].to_owned()
}

async fn world(chars: usize) -> (World, Client) {
    let world = World::with(Options { session_token: Some(token(chars)), ..Options::default() }).await;
    let client = Client::new(&world).by_edge();
    (world, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn urls_that_are_signed_with_a_session_token_are_good_for_upload_and_download() {
    for chars in [USUAL, LONG] {
        let (world, client) = world(chars).await;
        let (config, layer) = (Bytes::from("{}"), Bytes::from("layer"));
        client.send_direct(&world, &config).await;
        client.send_direct(&world, &layer).await;
        client.put(&manifest("v1"), &image(&config, &[&layer])).await.expect(201);
        assert!(client.read_blob(&layer).await == layer);
        let begun = client.post("/v2/app/blobs/uploads/").await.expect(202);
        let (_, query) = begun.location().split_once('?').unwrap();
        assert!(query.contains("X-Amz-Security-Token=") && query.len() > chars, "{query}");
        assert!(query.len() + AROUND_QUERY_CHARS <= URL_CHARS_MAX, "{} characters", query.len());
        assert_sound(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_with_another_session_token_is_refused() {
    let (world, client) = world(USUAL).await;
    let layer = Bytes::from("layer");
    client.push_blob(&layer).await;
    let signed = client.get(&blob(&layer)).await.expect(307).location().to_owned();
    let start = &token(USUAL)[..10];
    assert!(signed.contains(start), "{signed}");
    for (url, status) in [(signed.clone(), 200), (signed.replace(start, "0123456789"), 400)] {
        assert_eq!(reqwest::get(url).await.unwrap().status().as_u16(), status);
    }
    assert_eq!(world.s3.calls().count("GetObject"), 1);
}

/// The edge would answer 413 to the layer itself, in words that are not the registry's.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_url_the_edge_would_not_take_is_not_offered() {
    let (_world, client) = world(URL_CHARS_MAX - AROUND_QUERY_CHARS).await;
    let refused = client.post("/v2/app/blobs/uploads/").await.expect(503);
    assert!(String::from_utf8_lossy(&refused.body).contains("UNAVAILABLE"), "{refused:?}");
}
