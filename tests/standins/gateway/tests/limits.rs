//! What is too large or too slow.

use std::time::Duration;

use gateway_standin::{Function, MAX_BODY_BYTES, MAX_HEAD_BYTES, MAX_PAYLOAD_BYTES};
use serde_json::json;

use crate::api::{Api, ok};

const TOO_LARGE: &str = r#"{"message":"Request Entity Too Large"}"#;
const BINARY: &[(&str, &str)] = &[("Content-Type", "application/octet-stream")];
const TEXT: &[(&str, &str)] = &[("Content-Type", "text/plain")];

#[tokio::test]
async fn a_body_over_10_mb_is_413() {
    let api = Api::answering(ok()).await;
    let answer = api.request("PATCH", "/", TEXT, &vec![b'a'; MAX_BODY_BYTES + 1]).await;
    assert_eq!((answer.status, answer.text()), (413, TOO_LARGE));
    assert_eq!(api.function.invocations(), 0);
}

#[tokio::test]
async fn a_chunked_body_over_10_mb_is_413() {
    let api = Api::answering(ok()).await;
    let chunk = [format!("{:x}\r\n", MAX_BODY_BYTES + 1).into_bytes(), vec![0; MAX_BODY_BYTES + 1]].concat();
    let body = [chunk, b"\r\n0\r\n\r\n".to_vec()].concat();
    let answer = api.send("PATCH / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n", &body).await;
    assert_eq!((answer.status, answer.text()), (413, TOO_LARGE));
}

#[tokio::test]
async fn an_event_over_6_mb_is_413_though_the_body_is_under_10() {
    let api = Api::answering(ok()).await;
    for (headers, length) in [(TEXT, MAX_PAYLOAD_BYTES), (BINARY, MAX_PAYLOAD_BYTES / 4 * 3)] {
        let answer = api.request("PATCH", "/", headers, &vec![b'a'; length]).await;
        assert_eq!((answer.status, answer.text()), (413, TOO_LARGE), "{headers:?}");
    }
    assert_eq!((api.function.invocations(), api.function.errors()), (0, 0));
}

#[tokio::test]
async fn base64_makes_4_mib_fit_and_5_mib_not() {
    let api = Api::answering(ok()).await;
    assert_eq!(api.request("PATCH", "/", BINARY, &vec![0; 4 << 20]).await.status, 200);
    assert_eq!(api.request("PATCH", "/", BINARY, &vec![0; 5 << 20]).await.status, 413);
    assert_eq!(api.request("PATCH", "/", TEXT, &vec![b'a'; 5 << 20]).await.status, 200);
}

#[tokio::test]
async fn an_answer_over_6_mb_is_500() {
    let api = Api::answering(json!({ "statusCode": 200, "body": "a".repeat(MAX_PAYLOAD_BYTES) })).await;
    let answer = api.get("/").await;
    assert_eq!((answer.status, answer.text()), (500, r#"{"message":"Internal Server Error"}"#));
    assert_eq!(api.function.errors(), 1);
}

#[tokio::test]
async fn a_head_over_10_240_bytes_is_431() {
    let api = Api::answering(ok()).await;
    assert_eq!(
        api.request("GET", "/", &[("X-Long", &"a".repeat(MAX_HEAD_BYTES - 200))], b"").await.status,
        200
    );
    let answer = api.request("GET", "/", &[("X-Long", &"a".repeat(MAX_HEAD_BYTES))], b"").await;
    assert_eq!((answer.status, answer.text()), (431, r#"{"message":"Request Header Fields Too Large"}"#));
    assert_eq!(api.get(&format!("/?{}", "a".repeat(MAX_HEAD_BYTES))).await.status, 431);
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_503_and_goes_on() {
    let (sender, mut done) = tokio::sync::mpsc::channel(1);
    let (release, released) = tokio::sync::watch::channel(false);
    let function = Function::in_process(move |_| {
        let (sender, mut released) = (sender.clone(), released.clone());
        async move {
            released.wait_for(|is_released| *is_released).await.unwrap();
            sender.send("answered").await.unwrap();
            ok()
        }
    });
    let api = Api::configured(ok(), |options| {
        options.functions.insert("function".to_owned(), function);
        options.integration_timeout = Duration::from_millis(20);
    })
    .await;
    let answer = api.get("/").await;
    assert_eq!((answer.status, answer.text()), (503, r#"{"message":"Service Unavailable"}"#));
    release.send_replace(true);
    assert_eq!(done.recv().await, Some("answered"));
}

#[tokio::test]
async fn the_limits_are_those_of_aws() {
    assert_eq!((MAX_BODY_BYTES, MAX_HEAD_BYTES, MAX_PAYLOAD_BYTES), (10_485_760, 10_240, 6_291_556));
    let function = Function::in_process(|event| async move { event });
    let longest = "a".repeat(MAX_PAYLOAD_BYTES - "\"\"".len());
    assert!(function.invoke(&json!(longest)).await.is_ok());
    let error = function.invoke(&json!(longest + "a")).await.unwrap_err();
    assert_eq!(error, gateway_standin::InvokeError::EventTooLarge);
}
