//! Damage that a check has to notice.

use gateway_standin::Manners;
use serde_json::json;

use crate::api::{Api, ok};

#[tokio::test]
async fn location_can_lose_its_query() {
    let reply = json!({ "statusCode": 202, "headers": { "location": "/v2/a?X-Amz-Date=1&b" } });
    let api = Api::mannered(reply, Manners { mangle_location: true, ..Manners::default() }).await;
    assert_eq!(api.get("/").await.header("location"), Some("/v2/a"));
}

#[tokio::test]
async fn the_length_of_a_head_can_be_counted() {
    let manners = Manners { count_head_length: true, ..Manners::default() };
    for (body, counted) in [("four", "4"), ("", "0")] {
        let reply = json!({ "statusCode": 200, "headers": { "content-length": "7" }, "body": body });
        let api = Api::mannered(reply, manners).await;
        let head = api.request("HEAD", "/", &[], b"").await;
        assert_eq!((head.header("content-length"), head.text()), (Some(counted), ""));
        assert_eq!(api.get("/").await.header("content-length"), Some(counted));
    }
}

#[tokio::test]
async fn the_length_of_a_head_can_be_lost() {
    let reply = json!({ "statusCode": 200, "headers": { "content-length": "7" }, "body": "four" });
    let lost = Api::mannered(reply, Manners { drop_head_length: true, ..Manners::default() }).await;
    assert_eq!(lost.request("HEAD", "/", &[], b"").await.header("content-length"), None);
    assert_eq!(lost.get("/").await.header("content-length"), Some("4"));
}

#[tokio::test]
async fn bodies_can_lose_a_byte_on_the_way_in() {
    let api = Api::mannered(ok(), Manners { cut_body_bytes: true, ..Manners::default() }).await;
    api.request("PUT", "/", &[("Content-Type", "text/plain")], b"abc").await;
    assert_eq!(api.event()["body"], "ab");
}

#[tokio::test]
async fn answers_can_lose_a_byte_on_the_way_out() {
    let reply = json!({ "statusCode": 200, "body": "abc" });
    let api = Api::mannered(reply, Manners { cut_answer_bytes: true, ..Manners::default() }).await;
    let answer = api.get("/").await;
    assert_eq!((answer.text(), answer.header("content-length")), ("ab", Some("2")));
}

#[tokio::test]
async fn the_query_can_be_decoded() {
    let api = Api::mannered(ok(), Manners { decode_query: true, ..Manners::default() }).await;
    api.get("/?digest=sha256%3Aab").await;
    assert_eq!(api.event()["rawQueryString"], "digest=sha256:ab");
}
