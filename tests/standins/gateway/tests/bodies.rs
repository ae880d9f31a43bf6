//! Which bodies are text and which are base64.

use gateway_standin::Manners;

use crate::api::{Api, ok};

async fn is_base64(content_type: Option<&str>) -> bool {
    let headers: Vec<_> = content_type.iter().map(|value| ("Content-Type", *value)).collect();
    let event = Api::event_of("PUT", "/v2/", &headers, b"{ \"a\":1}\n").await;
    let is_base64 = event["isBase64Encoded"].as_bool().unwrap();
    assert_eq!(event["body"], if is_base64 { "eyAiYSI6MX0K" } else { "{ \"a\":1}\n" });
    is_base64
}

#[tokio::test]
async fn text_types_are_passed_as_text() {
    for text in ["text/plain", "text/x-other; charset=utf-8", "application/json", "application/xml"] {
        assert!(!is_base64(Some(text)).await, "{text}");
    }
    assert!(!is_base64(Some("Application/JSON; charset=utf-8")).await);
    assert!(!is_base64(Some("application/javascript")).await);
}

#[tokio::test]
async fn every_other_type_is_base64() {
    for binary in [
        "application/octet-stream",
        "application/vnd.oci.image.manifest.v1+json",
        "application/x-www-form-urlencoded",
        "application/jsonl",
    ] {
        assert!(is_base64(Some(binary)).await, "{binary}");
    }
}

#[tokio::test]
async fn a_body_without_a_type_is_base64() {
    assert!(is_base64(None).await);
}

#[tokio::test]
async fn binary_bytes_arrive_unchanged() {
    let event = Api::event_of("PATCH", "/", &[], b"\x00\xff\x10\xc3\x0a").await;
    assert_eq!(event["body"], "AP8Qwwo=");
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_damaged() {
    let event = Api::event_of("PUT", "/", &[("Content-Type", "text/plain")], b"a\xffb").await;
    assert_eq!(event["body"], "a\u{fffd}b");
}

#[tokio::test]
async fn a_gateway_may_pass_every_body_as_text() {
    let api = Api::mannered(ok(), Manners { bodies_as_text: true, ..Manners::default() }).await;
    api.request("PATCH", "/", &[], b"a\xffb").await;
    assert_eq!(api.event()["body"], "a\u{fffd}b");
    assert_eq!(api.event()["isBase64Encoded"], false);
}

#[tokio::test]
async fn a_gateway_may_pass_bodies_without_a_type_as_text() {
    let octets: &[(&str, &str)] = &[("Content-Type", "application/octet-stream")];
    for (headers, is_base64) in [(&[][..], false), (octets, true)] {
        let api = Api::mannered(ok(), Manners { untyped_as_text: true, ..Manners::default() }).await;
        api.request("PATCH", "/", headers, b"a\xffb").await;
        assert_eq!(api.event()["isBase64Encoded"], is_base64);
    }
}

#[tokio::test]
async fn the_bytes_of_bodies_are_counted_without_base64() {
    let reply = serde_json::json!({ "statusCode": 200, "body": "AAECAw==", "isBase64Encoded": true });
    let api = Api::answering(reply).await;
    api.request("PATCH", "/", &[], &[7; 1000]).await;
    api.request("PUT", "/", &[("Content-Type", "text/plain")], b"12345").await;
    let bytes = api.function.bytes();
    assert_eq!((bytes.request, bytes.response), (1005, 8));
}
