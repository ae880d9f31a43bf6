//! `WWW-Authenticate`, and the response mapping that repairs it.

use std::collections::HashMap;

use gateway_standin::{Function, GatewayOptions, HeaderMapping, Manners, Route};
use serde_json::{Value, json};

use crate::api::Api;
use crate::wire::Answer;

const REMAPPED: &str = "x-amzn-remapped-www-authenticate";
const CHALLENGE: &str = r#"Bearer realm="https://registry.example.com/token""#;

fn refused(status: u16) -> Value {
    json!({
        "statusCode": status,
        "headers": { "WWW-Authenticate": CHALLENGE, "X-Registry-Challenge": CHALLENGE },
    })
}

fn mapped() -> Route {
    let key = "overwrite:header.www-authenticate";
    let route = Route::new("ANY", "$default", "function");
    route.with_mapping(401, key, "$response.header.x-registry-challenge").unwrap()
}

async fn answer(reply: Value, route: Route, manners: Manners) -> Answer {
    let change = |options: &mut GatewayOptions| {
        options.routes = vec![route];
        options.manners = manners;
    };
    Api::configured(reply, change).await.get("/v2/").await
}

#[tokio::test]
async fn the_challenge_is_renamed() {
    let answer = answer(refused(401), Route::new("ANY", "$default", "function"), Manners::default()).await;
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(answer.header(REMAPPED), Some(CHALLENGE));
}

#[tokio::test]
async fn a_mapping_brings_it_back() {
    let answer = answer(refused(401), mapped(), Manners::default()).await;
    assert_eq!(answer.header("www-authenticate"), Some(CHALLENGE));
    assert_eq!(answer.header(REMAPPED), Some(CHALLENGE));
}

#[tokio::test]
async fn a_mapping_is_of_one_status() {
    let answer = answer(refused(403), mapped(), Manners::default()).await;
    assert_eq!(answer.header("www-authenticate"), None);
}

#[tokio::test]
async fn a_mapping_without_its_source_changes_nothing() {
    let reply = json!({ "statusCode": 401, "headers": { "www-authenticate": CHALLENGE } });
    let answer = answer(reply, mapped(), Manners::default()).await;
    assert_eq!(answer.header("www-authenticate"), None);
}

#[tokio::test]
async fn the_mapping_is_right_too_where_nothing_is_renamed() {
    let answer = answer(refused(401), mapped(), Manners { keep_challenge: true, ..Manners::default() }).await;
    assert_eq!(answer.header("www-authenticate"), Some(CHALLENGE));
    assert_eq!(answer.header(REMAPPED), None);
}

#[tokio::test]
async fn a_gateway_may_rename_what_a_mapping_has_set() {
    let manners = Manners { rename_challenge_despite_mapping: true, ..Manners::default() };
    let answer = answer(refused(401), mapped(), manners).await;
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(answer.header(REMAPPED), Some(CHALLENGE));
}

#[tokio::test]
async fn mappings_append_and_remove() {
    let reply = json!({ "statusCode": 200, "headers": { "x-a": "1", "x-b": "2" } });
    let route = Route::new("ANY", "$default", "function")
        .with_mapping(200, "append:header.X-A", "more")
        .and_then(|route| route.with_mapping(200, "remove:header.x-b", "''"))
        .unwrap();
    let answer = answer(reply, route, Manners::default()).await;
    assert_eq!(answer.values("x-a"), ["1", "more"]);
    assert_eq!(answer.header("x-b"), None);
}

#[test]
fn reserved_headers_cannot_be_mapped() {
    for header in ["Content-Length", "x-amzn-anything", "authorization", "Access-Control-Allow-Origin"] {
        assert!(HeaderMapping::parse(&format!("overwrite:header.{header}"), "a").is_err(), "{header}");
    }
    assert!(HeaderMapping::parse("overwrite:header.www-authenticate", "a").is_ok());
}

#[test]
fn mappings_that_are_not_known_are_refused() {
    for (key, value) in [
        ("overwrite:statuscode", "403"),
        ("change:header.a", "b"),
        ("append:header.a b", "c"),
        ("append:header.a", "$context.requestId"),
    ] {
        assert!(HeaderMapping::parse(key, value).is_err(), "{key} {value}");
    }
}

#[tokio::test]
#[should_panic(expected = "route `GET /` names the unknown function `other`")]
async fn a_route_to_no_function_does_not_start() {
    let functions = HashMap::from([("one".to_owned(), Function::in_process(|_| async { Value::Null }))]);
    let options = GatewayOptions::new(vec![Route::new("GET", "/", "other")], functions);
    drop(gateway_standin::Gateway::start(options).await);
}
