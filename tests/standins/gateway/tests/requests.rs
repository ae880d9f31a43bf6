//! What of a request is in the event.

use serde_json::{Value, json};

use crate::api::{Api, ok};

#[tokio::test]
async fn header_names_are_lower_cased_and_repeated_headers_joined() {
    let headers = [("X-Probe", "first"), ("x-probe", "second"), ("Accept", "a/b")];
    let event = Api::event_of("GET", "/v2/", &headers, b"").await;
    assert_eq!(event["headers"]["x-probe"], "first,second");
    assert_eq!(event["headers"]["accept"], "a/b");
}

#[tokio::test]
async fn cookies_have_a_list_and_are_no_header() {
    let headers = [("Cookie", "session=abc; theme=dark"), ("Cookie", "third=3")];
    let event = Api::event_of("GET", "/", &headers, b"").await;
    assert_eq!(event["cookies"], json!(["session=abc", "theme=dark", "third=3"]));
    assert_eq!(event["headers"].get("cookie"), None);
}

#[tokio::test]
async fn what_is_not_there_is_absent() {
    let event = Api::event_of("GET", "/v2/", &[], b"").await;
    for name in ["cookies", "body", "queryStringParameters", "pathParameters"] {
        assert_eq!(event.get(name), None, "{name}");
    }
    assert_eq!(event["rawQueryString"], "");
    assert_eq!(event["isBase64Encoded"], false);
}

#[tokio::test]
async fn the_query_is_there_as_sent_and_decoded() {
    let query = "repeat=one&repeat=two&digest=sha256%3Aab&literal=a+b&encoded=a%2Bb&bare";
    let event = Api::event_of("GET", &format!("/v2/?{query}"), &[], b"").await;
    assert_eq!(event["rawQueryString"], query);
    let decoded =
        json!({ "repeat": "one,two", "digest": "sha256:ab", "literal": "a b", "encoded": "a+b", "bare": "" });
    assert_eq!(event["queryStringParameters"], decoded);
}

#[tokio::test]
async fn the_context_says_who_asked_for_what() {
    let api = Api::answering(ok()).await;
    let answer = api.request("DELETE", "/v2/app/tags/1", &[("User-Agent", "probe/1")], b"").await;
    let context = &api.event()["requestContext"];
    let http = json!({
        "method": "DELETE", "path": "/v2/app/tags/1", "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1", "userAgent": "probe/1",
    });
    assert_eq!(context["http"], http);
    assert_eq!(context["stage"], "$default");
    assert_eq!(context["routeKey"], "$default");
    assert_eq!(context["domainName"], api.host());
    assert_eq!(context["requestId"].as_str(), answer.header("apigw-requestid"));
    assert!(context["timeEpoch"].as_i64().unwrap() > 1_600_000_000_000);
}

#[tokio::test]
async fn the_client_is_told_in_forwarded_headers() {
    let headers = [("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", "https")];
    let api = Api::configured(ok(), |options| options.forwarded_proto = "http".to_owned()).await;
    api.request("GET", "/", &headers, b"").await;
    let event = api.event();
    assert_eq!(event["headers"]["x-forwarded-for"], "203.0.113.7,127.0.0.1");
    assert_eq!(event["headers"]["x-forwarded-proto"], "http");
    assert_eq!(event["headers"]["x-forwarded-port"], api.host().rsplit_once(':').unwrap().1);
}

#[tokio::test]
async fn the_domain_name_can_be_that_of_aws() {
    let name = "abc.execute-api.us-east-1.amazonaws.com";
    let api = Api::configured(ok(), |options| options.domain_name = Some(name.to_owned())).await;
    api.get("/").await;
    assert_eq!(api.event()["requestContext"]["domainName"], name);
    assert_eq!(api.event()["requestContext"]["domainPrefix"], "abc");
}

#[tokio::test]
async fn whoever_shows_no_credential_can_be_given_one() {
    let api = Api::configured(ok(), |options| options.authorization = Some("Basic eDp5".to_owned())).await;
    api.get("/").await;
    assert_eq!(api.event()["headers"]["authorization"], "Basic eDp5");
    let api = Api::configured(ok(), |options| options.authorization = Some("Basic eDp5".to_owned())).await;
    api.request("GET", "/", &[("Authorization", "Bearer x")], b"").await;
    assert_eq!(api.event()["headers"]["authorization"], "Bearer x");
}

#[tokio::test]
async fn a_chunked_body_arrives_whole_with_its_length() {
    let api = Api::answering(ok()).await;
    let head = "PATCH /v2/ HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\ncontent-type: text/plain\r\n";
    let answer = api.send(head, b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n").await;
    assert_eq!(answer.status, 200);
    let event = api.event();
    assert_eq!(event["body"], "abcdefg");
    assert_eq!(event["headers"]["content-length"], "7");
    assert_eq!(event["headers"].get("transfer-encoding"), None);
    assert_eq!(event["headers"].get("connection"), None);
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_gets_it() {
    let api = Api::answering(ok()).await;
    let head = "PUT / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n";
    assert_eq!(api.send(head, b"ab").await.status, 100);
    assert_eq!(api.event()["body"], Value::from("ab"));
}
