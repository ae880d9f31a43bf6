//! Where a client is told to send its bytes: it depends on the way by which it came.

use crate::client::{Client, committing, mounting, upload_id, uploads};
use crate::content::{Content, sha512};
use crate::world::World;

/// Begins an upload; returns its location and the location without anything of the edge.
async fn locations(client: &Client) -> (String, String) {
    let begun = client.post(&uploads("app"), "").await.expect(202);
    let plain = format!("/v2/app/blobs/uploads/{}", begun.header("docker-upload-uuid"));
    (begun.location(), plain)
}

fn signed(plain: &str) -> String {
    format!("{plain}?X-Amz-Signature={}", upload_id(plain))
}

#[tokio::test]
async fn by_the_edge_it_is_relative_and_carries_the_signed_query() {
    let (location, plain) = locations(&World::direct().client().by_edge()).await;
    assert_eq!(location, signed(&plain));
}

#[tokio::test]
async fn by_the_registry_itself_it_has_no_query() {
    let (location, plain) = locations(&World::direct().client()).await;
    assert_eq!(location, plain);
}

#[tokio::test]
async fn by_the_registry_itself_it_leads_to_the_edge_whose_host_is_known() {
    let client = World::direct().client().of_edge_host("edge.example");
    let (location, plain) = locations(&client).await;
    assert_eq!(location, format!("https://edge.example{}", signed(&plain)));
}

#[tokio::test]
async fn by_the_edge_it_stays_on_the_clients_own_host_whatever_other_is_known() {
    let client = World::direct().client().of_edge_host("edge.example").by_edge();
    let (location, plain) = locations(&client).await;
    assert_eq!(location, signed(&plain));
}

#[tokio::test]
async fn without_the_ability_nothing_about_an_edge_matters() {
    let client = World::new().client().of_edge_host("edge.example");
    for client in [client.clone(), client.by_edge()] {
        let (location, plain) = locations(&client).await;
        assert_eq!(location, plain);
    }
}

#[tokio::test]
async fn after_a_chunk_and_when_asked_for_it_has_no_query_any_more() {
    let client = World::direct().client().by_edge();
    let (location, plain) = locations(&client).await;
    assert_eq!(client.get(&location).await.expect(204).location(), plain);
    assert_eq!(client.patch(&location, "abc").await.expect(202).location(), plain);
    let late = client.patch_at(&location, "5-5", "f").await.expect(416);
    assert_eq!(late.location(), plain);
}

#[tokio::test]
async fn a_mount_that_comes_to_nothing_offers_a_direct_upload_too() {
    let (client, layer) = (World::direct().client().by_edge(), Content::blob("layer"));
    let begun = client.post(&mounting("app", &layer.digest, "other"), "").await.expect(202);
    assert!(begun.location().contains("?X-Amz-Signature="), "{begun:#?}");
}

#[tokio::test]
async fn a_blob_posted_whole_is_taken_at_once() {
    let world = World::direct();
    let (client, layer) = (world.client().by_edge(), Content::blob("layer"));
    client.post(&committing(&uploads("app"), &layer.digest), layer.bytes.clone()).await.expect(201);
    assert_eq!(world.read_blob(&client, "app", &layer.digest).await, layer.bytes);
}

#[tokio::test]
async fn an_upload_of_another_algorithm_is_not_offered_directly_because_the_store_knows_one_only() {
    let world = World::direct();
    let (client, layer) = (world.client().by_edge(), Content::blob("layer"));
    let path = format!("{}?digest-algorithm=sha512", uploads("app"));
    let location = client.post(&path, "").await.expect(202).location();
    assert!(!location.contains('?'), "{location}");
    let digest = sha512(&layer.bytes);
    client.put(&committing(&location, &digest), layer.bytes.clone()).await.expect(201);
    assert_eq!(world.read_blob(&client, "app", &digest).await, layer.bytes);
}
