//! What the client gets for an answer of a function.

use gateway_standin::Manners;
use serde_json::{Value, json};

use crate::api::Api;

const INTERNAL: &str = r#"{"message":"Internal Server Error"}"#;

#[tokio::test]
async fn status_headers_and_body_pass() {
    let location = "/v2/app/blobs/uploads/7?X-Amz-Signature=a%2Fb%3D&_state=%2B";
    let headers = json!({ "Location": location, "Docker-Content-Digest": "sha256:ab", "x-number": 5 });
    let api = Api::answering(json!({ "statusCode": 202, "headers": headers, "body": "{}" })).await;
    let answer = api.get("/").await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.header("location"), Some(location));
    assert_eq!(answer.header("docker-content-digest"), Some("sha256:ab"));
    assert_eq!(answer.header("x-number"), Some("5"));
    assert_eq!(answer.header("content-length"), Some("2"));
    assert_eq!(answer.text(), "{}");
}

#[tokio::test]
async fn base64_bodies_become_bytes() {
    let api = Api::answering(json!({ "statusCode": 200, "body": "AP8Qwwo=", "isBase64Encoded": true })).await;
    assert_eq!(api.get("/").await.body, b"\x00\xff\x10\xc3\x0a");
}

#[tokio::test]
async fn each_cookie_becomes_a_header() {
    let api = Api::answering(json!({ "statusCode": 200, "cookies": ["a=1; Secure", "b=2"] })).await;
    assert_eq!(api.get("/").await.values("set-cookie"), ["a=1; Secure", "b=2"]);
}

#[tokio::test]
async fn multi_value_headers_are_lost_unless_the_gateway_takes_them() {
    let reply = json!({ "statusCode": 200, "multiValueHeaders": { "link": ["<a>", "<b>"] } });
    let api = Api::answering(reply.clone()).await;
    assert!(api.get("/").await.values("link").is_empty());
    let api = Api::mannered(reply, Manners { take_multi_value_headers: true, ..Manners::default() }).await;
    assert_eq!(api.get("/").await.values("link"), ["<a>", "<b>"]);
}

#[tokio::test]
async fn the_gateway_tells_the_length_of_a_body() {
    let reply = json!({ "statusCode": 200, "headers": { "Content-Length": "999" }, "body": "four" });
    let answer = Api::answering(reply).await.get("/").await;
    assert_eq!((answer.header("content-length"), answer.text()), (Some("4"), "four"));
}

#[tokio::test]
async fn head_keeps_the_length_that_the_function_tells() {
    let reply = json!({ "statusCode": 200, "headers": { "content-length": "123456" } });
    let answer = Api::answering(reply).await.request("HEAD", "/", &[], b"").await;
    assert_eq!(answer.header("content-length"), Some("123456"));
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn head_with_a_body_tells_its_length_and_drops_it() {
    let answer = Api::answering(json!({ "statusCode": 200, "body": "four" })).await;
    let answer = answer.request("HEAD", "/", &[], b"").await;
    assert_eq!(answer.header("content-length"), Some("4"));
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn a_body_without_a_type_is_called_plain_text() {
    let answer = Api::answering(json!({ "statusCode": 201, "body": "{}" })).await.get("/").await;
    assert_eq!(answer.header("content-type"), Some("text/plain;charset=UTF-8"));
    let answer = Api::answering(json!({ "statusCode": 202 })).await.get("/").await;
    assert_eq!(answer.header("content-type"), None);
}

#[tokio::test]
async fn a_gateway_may_call_everything_json() {
    let manners = Manners { default_to_json: true, ..Manners::default() };
    for (status, expected) in [(200, Some("application/json")), (202, Some("application/json")), (304, None)]
    {
        let answer = Api::mannered(json!({ "statusCode": status }), manners).await.get("/").await;
        assert_eq!(answer.header("content-type"), expected, "{status}");
    }
}

#[tokio::test]
async fn json_without_a_status_is_the_body_of_a_200() {
    let answer = Api::answering(json!({ "message": "hello" })).await.get("/").await;
    assert_eq!((answer.status, answer.text()), (200, r#"{"message":"hello"}"#));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_malformed_answer_is_500() {
    for reply in [
        json!({ "statusCode": "ok" }),
        json!({ "statusCode": 99 }),
        json!({ "statusCode": 200, "body": { "not": "a text" } }),
        json!({ "statusCode": 200, "body": "%%%", "isBase64Encoded": true }),
        json!({ "statusCode": 200, "headers": { "bad name": "1" } }),
        json!({ "statusCode": 200, "headers": { "a": ["1"] } }),
        json!({ "statusCode": 200, "headers": { "a": "line\nbreak" } }),
    ] {
        let answer = Api::answering(reply.clone()).await.get("/").await;
        assert_eq!((answer.status, answer.text()), (500, INTERNAL), "{reply}");
    }
}

#[tokio::test]
async fn a_function_error_is_500_and_counted() {
    let api = Api::answering(json!({ "errorType": "Error", "errorMessage": "broken" })).await;
    let answer = api.get("/").await;
    assert_eq!((answer.status, answer.text()), (500, INTERNAL));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!((api.function.invocations(), api.function.errors()), (1, 1));
}

#[tokio::test]
async fn a_function_that_panics_is_500() {
    let function = gateway_standin::Function::in_process(|event: Value| async move {
        assert_eq!(event, Value::Null, "a panic, for the test");
        event
    });
    let api = Api::configured(json!({}), |options| {
        options.functions.insert("function".to_owned(), function);
    });
    assert_eq!(api.await.get("/").await.status, 500);
}
