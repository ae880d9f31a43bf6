//! The recorded events as they are, each with the registry's answer.

use serde_json::{Value, json};

use crate::pushing::{manifest, push_layer, put_manifest};
use crate::reply::Reply;
use crate::source::recorded;
use crate::world::World;

/// Events that are refused: status, code and a part of the message that tells what the registry has understood.
const REFUSED: [(&str, u64, &str, &str); 9] = [
    ("function-url", 400, "TAG_INVALID", r#"tag "a b" is"#),
    ("load-balancer", 400, "TAG_INVALID", r#"tag "a b" is"#),
    ("rest-api", 400, "MANIFEST_INVALID", "config is missing"),
    ("http-api-put-base64", 400, "MANIFEST_INVALID", "config is missing"),
    ("http-api-put-text", 400, "MANIFEST_INVALID", "no mediaType"),
    ("http-api-put-empty", 404, "BLOB_UPLOAD_UNKNOWN", UPLOAD),
    ("http-api-patch-no-type", 404, "BLOB_UPLOAD_UNKNOWN", UPLOAD),
    ("sam-local-patch", 404, "BLOB_UPLOAD_UNKNOWN", UPLOAD),
    ("http-api-decoded-path", 404, "MANIFEST_UNKNOWN", EMPTY_DIGEST),
];

const UPLOAD: &str = "upload 0b6cba7e-04f5-4b4c-a0a5-5aaee4c8c6e2 is unknown to repository team/app";
const EMPTY_DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A registry with one image under the tags that the events ask for.
async fn pushed() -> (World, Vec<u8>) {
    let (world, manifest) = (World::new(), manifest(&json!({})));
    push_layer(&world, "http-api-get").await;
    for tag in ["1.0", "v2"] {
        put_manifest(&world, "http-api-get", tag, &manifest, false).await;
    }
    (world, manifest)
}

async fn answer_of(name: &str) -> Reply {
    pushed().await.0.ask(&recorded(name)).await
}

#[tokio::test]
async fn an_event_that_asks_for_nonsense_is_told_which() {
    for (name, status, code, message) in REFUSED {
        let reply = answer_of(name).await.expect(status);
        let (said_code, said) = reply.error();
        assert!(said_code == code && said.contains(message), "{name}: {said_code} {said}");
        assert_eq!(reply.header("content-type"), "application/json", "{name}");
    }
}

#[tokio::test]
async fn an_encoded_path_is_answered_as_the_decoded_one() {
    let [decoded, encoded] = ["http-api-decoded-path", "http-api-encoded-path"].map(answer_of);
    let (decoded, encoded) = (decoded.await, encoded.await);
    assert_eq!((decoded.status, &decoded.headers), (encoded.status, &encoded.headers));
    assert_eq!(decoded.body, encoded.body);
}

#[tokio::test]
async fn the_base_is_answered() {
    let reply = answer_of("sam-local-get").await.expect(200);
    assert_eq!((reply.body.as_slice(), reply.is_base64), (&b"{}"[..], false));
}

#[tokio::test]
async fn a_list_goes_on_after_the_last_one() {
    let reply = answer_of("http-api-get").await.expect(200);
    let list: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(list, json!({ "name": "team/app", "tags": ["v2"] }));
}

#[tokio::test]
async fn a_manifest_is_headed_and_got() {
    let (world, manifest) = pushed().await;
    let head = world.ask(&recorded("http-api-head")).await.expect(200);
    assert_eq!(head.header("content-length"), manifest.len().to_string());
    let got = world.ask(&recorded("http-api-repeated-headers")).await.expect(200);
    assert_eq!(got.body, manifest);
    assert_eq!(got.header("docker-content-digest"), head.header("docker-content-digest"));
}

#[tokio::test]
async fn every_recorded_request_has_an_answer_here() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/standins/gateway/events");
    let mut requests = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = name.strip_suffix(".json") else { continue };
        if recorded(name)["requestContext"].is_object() {
            requests += 1;
            assert_ne!(answer_of(name).await.status, 500, "{name}");
        }
    }
    let others = [
        "http-api-encoded-path",
        "sam-local-get",
        "http-api-get",
        "http-api-head",
        "http-api-repeated-headers",
    ];
    assert_eq!(requests, REFUSED.len() + others.len(), "an event is new: say what it is answered with");
}

#[tokio::test]
async fn a_function_that_only_reads_refuses_to_write() {
    for name in ["function-url", "rest-api", "load-balancer", "http-api-put-base64", "sam-local-patch"] {
        let reply = pushed().await.0.ask_reader(&recorded(name)).await.expect(405);
        assert_eq!(reply.error().0, "UNSUPPORTED", "{name}");
    }
}
