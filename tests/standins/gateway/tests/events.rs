//! The example events are what the stand-in sends.

use std::collections::BTreeSet;

use gateway_standin::{s3_event, schedule_event, stream_event};
use serde_json::{Value, json};

use crate::api::Api;

fn example(name: &str) -> Value {
    let path = format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn every_example_is_listed_and_is_json() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/events");
    let readme = std::fs::read_to_string(format!("{folder}/README.md")).unwrap();
    let names =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let examples: Vec<String> =
        names.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned())).collect();
    assert_eq!(examples.len(), 17);
    for name in examples {
        assert!(example(&name).is_object());
        assert!(readme.contains(&format!("`{name}.json`")), "{name} is not in the README");
    }
}

#[test]
fn the_s3_event_is_the_example() {
    let key = "uploads/0b6cba7e-04f5-4b4c-a0a5-5aaee4c8c6e2";
    let etag = "d41d8cd98f00b204e9800998ecf8427e";
    let event = s3_event("slipway-example", key, 1 << 32, etag, "0055AED6DCD90281E5");
    assert_eq!(event, example("s3-object-created"));
}

#[test]
fn keys_in_s3_events_are_encoded() {
    let event = s3_event("b", "uploads/a b+c=ä", 1, "", "");
    assert_eq!(event["Records"][0]["s3"]["object"]["key"], "uploads/a+b%2Bc%3D%C3%A4");
}

#[test]
fn the_stream_event_is_the_example() {
    let example = example("stream-insert");
    let image = example["Records"][0]["dynamodb"]["NewImage"].clone();
    assert_eq!(stream_event(std::slice::from_ref(&image)), example);
    let two = stream_event(&[image.clone(), image]);
    assert_ne!(two["Records"][0]["eventID"], two["Records"][1]["eventID"]);
    let numbers = [0, 1].map(|index| two["Records"][index]["dynamodb"]["SequenceNumber"].to_string());
    assert!(numbers[0] < numbers[1]);
}

#[test]
fn the_schedule_event_is_the_example() {
    assert_eq!(schedule_event("slipway-scheduled"), example("schedule"));
}

#[tokio::test]
async fn the_gateway_sends_what_the_examples_show() {
    for (name, headers, body) in [
        ("http-api-get", vec![], b"".as_slice()),
        ("http-api-put-text", vec![("Content-Type", "application/json")], b"{\"schemaVersion\":2}\n"),
        ("http-api-patch-no-type", vec![], b"\x00\xff\x10\xc3\x0a"),
        ("http-api-repeated-headers", vec![("Cookie", "session=abc123; theme=dark")], b""),
    ] {
        let expected = example(name);
        let routes = ["GET", "ANY"].map(|method| (method, "/v2/{proxy+}"));
        let api = Api::routed(&routes).await;
        let headers = [headers, vec![("User-Agent", "docker/28.2.2 go/go1.24"), ("Accept", "*/*")]].concat();
        let method = expected["requestContext"]["http"]["method"].as_str().unwrap();
        let (path, query) = (text(&expected, "rawPath"), text(&expected, "rawQueryString"));
        api.request(method, &format!("{path}?{query}"), &headers, body).await;
        let event = api.event();
        assert_eq!(shape(&event), shape(&expected), "{name}");
        for field in
            ["version", "routeKey", "rawPath", "rawQueryString", "body", "isBase64Encoded", "cookies"]
        {
            assert_eq!(event[field], expected[field], "{name} {field}");
        }
        assert_eq!(event["queryStringParameters"], expected["queryStringParameters"], "{name}");
        assert_eq!(event["pathParameters"], expected["pathParameters"], "{name}");
    }
}

#[tokio::test]
async fn an_encoded_path_arrives_as_the_examples_show() {
    let sent = text(&example("http-api-encoded-path"), "rawPath");
    let event = Api::event_of("GET", &sent, &[], b"").await;
    assert_eq!(event["rawPath"], example("http-api-decoded-path")["rawPath"]);
    assert_ne!(event["rawPath"], json!(sent));
}

fn text(event: &Value, field: &str) -> String {
    event[field].as_str().unwrap().to_owned()
}

/// The names of all fields, down to the headers.
fn shape(value: &Value) -> BTreeSet<String> {
    let Some(object) = value.as_object() else { return BTreeSet::new() };
    let below = |(name, value): (&String, &Value)| {
        let mut names: Vec<String> = shape(value).iter().map(|below| format!("{name}.{below}")).collect();
        names.push(name.clone());
        names
    };
    object.iter().flat_map(below).collect()
}
