//! The lanes of layer bytes on the real adapters: through the registry, and past it with S3 as the judge.

use bytes::Bytes;
use registry::ports::VerifiedCopy;
use s3_standin::{Delivery, Fault, Options};

use http::Method;

use crate::client::{Client, Reply, assert_sound, blob, digest, image, manifest};
use crate::world::{Stores, World};

/// A store that computes the checksum of a copy, and one that does not.
const COPY_CHECKSUMS: [bool; 2] = [true, false];

fn noise(bytes: usize, seed: u8) -> Bytes {
    (0..bytes).map(|at| (at % 251) as u8 ^ seed).collect::<Vec<u8>>().into()
}

async fn world(copy_checksum: bool) -> (World, Client) {
    let world = World::with(Options { copy_checksum, ..Options::default() }).await;
    let client = Client::new(&world).by_edge();
    (world, client)
}

/// Pushes the manifest of an image whose blobs were sent already, and pulls everything.
async fn assert_pushes(world: &Stores, client: &Client, config: &Bytes, layer: &Bytes) {
    let image = image(config, &[layer]);
    client.put(&manifest("v1"), &image).await.expect(201);
    let cold = Client::new(world);
    assert_eq!(cold.get(&manifest("v1")).await.expect(200).body, image);
    for content in [config, layer] {
        assert!(cold.read_blob(content).await == content, "other bytes came back");
        let head = cold.head(&blob(content)).await.expect(200);
        assert_eq!(head.headers["content-length"].to_str().unwrap(), content.len().to_string());
    }
    assert_sound(world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_upload_is_taken_over_by_its_event() {
    for copy_checksum in COPY_CHECKSUMS {
        let (world, client) = world(copy_checksum).await;
        let mut events = world.s3.events();
        world.s3.deliver(Delivery::Twice);
        let (config, layer) = (Bytes::from("{}"), noise(9_000_000, 1));
        client.send_direct(&world, &config).await;
        client.send_direct(&world, &layer).await;
        world.s3.deliver(Delivery::Dropped);
        let mut adopted = Vec::new();
        for _ in 0..4 {
            let key = events.recv().await.unwrap().key;
            let id = key.strip_prefix("uploads/").unwrap().parse().unwrap();
            adopted.extend(client.registry.upload_adopt(&id).await.unwrap());
        }
        let digests: Vec<String> = adopted.iter().map(|blob| blob.digest.to_string()).collect();
        assert_eq!(digests, [digest(&config), digest(&layer)], "the second event of each changes nothing");
        assert_pushes(&world, &client, &config, &layer).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_upload_is_taken_over_by_the_manifest_that_needs_it() {
    for copy_checksum in COPY_CHECKSUMS {
        pushes_direct(&world(copy_checksum).await.0).await;
    }
}

/// Pushes an image whose bytes nobody announces, and pulls it.
pub(crate) async fn pushes_direct(world: &Stores) {
    let (client, config, layer) = (Client::new(world).by_edge(), Bytes::from("{}"), noise(9_000_000, 2));
    client.send_direct(world, &config).await;
    client.send_direct(world, &layer).await;
    client.head(&blob(&layer)).await.expect(404);
    assert_pushes(world, &client, &config, &layer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_upload_whose_event_was_lost_is_found_by_its_listing() {
    let (world, client) = world(true).await;
    let (config, layer) = (Bytes::from("{}"), Bytes::from("layer"));
    client.send_direct(&world, &config).await;
    client.send_direct(&world, &layer).await;
    for upload in world.objects.arrived_uploads(None, 10).await.unwrap() {
        client.registry.upload_adopt(&upload.id).await.unwrap().unwrap();
    }
    client.head(&blob(&layer)).await.expect(200);
    assert_pushes(&world, &client, &config, &layer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_a_client_sends_again_after_the_adoption_are_nobodys() {
    let (world, client) = world(true).await;
    let (config, layer) = (Bytes::from("{}"), Bytes::from("layer"));
    client.push_blob(&config).await;
    let begun = client.post("/v2/app/blobs/uploads/").await.expect(202);
    let put = async |bytes: &'static str| {
        let id = begun.headers["docker-upload-uuid"].to_str().unwrap();
        let (_, query) = begun.location().split_once('?').unwrap();
        let url = format!("{}/uploads/{id}?{query}", world.bucket_url);
        reqwest::Client::new().put(url).body(bytes).send().await.unwrap().error_for_status().unwrap();
    };
    put("layer").await;
    let id = begun.headers["docker-upload-uuid"].to_str().unwrap().parse().unwrap();
    client.registry.upload_adopt(&id).await.unwrap().unwrap();
    put("other").await;
    assert_eq!(client.registry.upload_adopt(&id).await.unwrap(), None);
    client.head(&blob(&"other".into())).await.expect(404);
    assert_pushes(&world, &client, &config, &layer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_has_not_come_is_told_as_missing() {
    let (world, client) = world(true).await;
    let (config, layer) = (Bytes::from("{}"), Bytes::from("layer"));
    client.send_direct(&world, &config).await;
    client.post("/v2/app/blobs/uploads/").await.expect(202);
    let reply = client.put(&manifest("v1"), &image(&config, &[&layer])).await.expect(400);
    assert!(is_about(&reply, &layer) && !is_about(&reply, &config), "{reply:?}");
    client.get(&manifest("v1")).await.expect(404);
    assert_sound(&world).await;
}

fn is_about(reply: &Reply, bytes: &Bytes) -> bool {
    String::from_utf8_lossy(&reply.body).contains(&digest(bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_answer_was_lost_or_refused_is_made_again() {
    for fault in [Fault::AppliedThenLost, Fault::Throttled] {
        let (world, client) = world(true).await;
        let (config, layer) = (Bytes::from("{}"), Bytes::from("layer"));
        client.push_blob(&config).await;
        client.send_direct(&world, &layer).await;
        world.s3.faults().plan("CopyObject", 1, fault);
        assert_pushes(&world, &client, &config, &layer).await;
        assert_eq!(world.s3.faults().pending(), 0, "the fault has happened");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_bytes_at_all_an_upload_is_a_blob_on_either_lane() {
    let (world, client) = world(true).await;
    let (config, empty) = (Bytes::from("{}"), Bytes::new());
    client.push_blob(&config).await;
    let id = client.send_direct(&world, &empty).await;
    assert_eq!(client.registry.upload_adopt(&id).await.unwrap().unwrap().size_bytes, 0);
    assert_pushes(&world, &client, &config, &empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_through_the_registry_work_where_a_direct_upload_was_offered() {
    let (world, client) = world(true).await;
    let (config, layer) = (Bytes::from("{}"), noise(9_000_000, 3));
    client.push_blob(&config).await;
    let offered = client.post("/v2/app/blobs/uploads/").await.expect(202);
    let mut location = offered.location().to_owned();
    for chunk in layer.chunks(4 << 20) {
        let chunk = Bytes::copy_from_slice(chunk);
        location = client.send(Method::PATCH, &location, chunk).await.expect(202).location().to_owned();
    }
    client.put(&format!("{location}?digest={}", digest(&layer)), &Bytes::new()).await.expect(201);
    assert_pushes(&world, &client, &config, &layer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_ever_deleted_by_a_function_that_may_not() {
    let (world, client) = world(true).await;
    let layer = Bytes::from("layer");
    client.push_blob(&layer).await;
    let id = client.send_direct(&world, &layer).await;
    client.registry.upload_adopt(&id).await.unwrap().unwrap();
    assert_eq!(world.s3.calls().count("DeleteObject"), 0);
    assert!(client.read_blob(&layer).await == layer, "other bytes came back");
    assert_sound(&world).await;
}

/// Something that S3 has of an upload, and has no more.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lost {
    Part,
    Tail,
}

async fn lose(world: &World, lost: Lost) {
    let s3 = world.s3_client();
    match lost {
        Lost::Part => {
            let uploads = s3.list_multipart_uploads().bucket("standin").send().await.unwrap();
            let upload = &uploads.uploads()[0];
            let part = s3.upload_part().bucket("standin").key(upload.key().unwrap()).part_number(1);
            let part = part.upload_id(upload.upload_id().unwrap()).body(b"other bytes".to_vec().into());
            part.send().await.unwrap();
        }
        Lost::Tail => {
            let tails = s3.list_objects_v2().bucket("standin").prefix("tails/").send().await.unwrap();
            for tail in tails.contents() {
                s3.delete_object().bucket("standin").key(tail.key().unwrap()).send().await.unwrap();
            }
        }
    }
}

/// A client that is told 5xx would try the same for ever; one that is told that the upload is unknown begins anew.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_parts_are_lost_is_unknown_and_the_next_one_succeeds() {
    let layer = noise(6 << 20, 3);
    for (lost, method) in [(Lost::Part, Method::PUT), (Lost::Tail, Method::PUT), (Lost::Tail, Method::PATCH)]
    {
        let world = World::new().await;
        let client = Client::new(&world);
        let begun = client.post("/v2/app/blobs/uploads/").await.expect(202);
        let sent_bytes = if lost == Lost::Part { layer.len() } else { 1000 };
        client.send(Method::PATCH, begun.location(), layer.slice(..sent_bytes)).await.expect(202);
        lose(&world, lost).await;
        let target = match method {
            Method::PUT => format!("{}?digest={}", begun.location(), digest(&layer)),
            _ => begun.location().to_owned(),
        };
        let refused = client.send(method.clone(), &target, layer.slice(sent_bytes..)).await.expect(404);
        let error: serde_json::Value = serde_json::from_slice(&refused.body).unwrap();
        assert_eq!(error["errors"][0]["code"], "BLOB_UPLOAD_UNKNOWN", "{lost:?}, {method}");
        client.push_blob(&layer).await;
        assert!(client.read_blob(&layer).await == layer);
    }
}
