//! Which route a request takes.

use crate::api::Api;

/// The example of AWS's page about routes.
const ROUTES: &[(&str, &str)] = &[
    ("GET", "/pets/dog/1"),
    ("GET", "/pets/dog/{id}"),
    ("GET", "/pets/{proxy+}"),
    ("ANY", "/{proxy+}"),
    ("ANY", "$default"),
];

async fn taken(routes: &[(&str, &str)], method: &str, path: &str) -> String {
    let api = Api::routed(routes).await;
    let answer = api.request(method, path, &[], b"").await;
    if answer.status == 404 {
        return answer.text().to_owned();
    }
    api.event()["routeKey"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_most_specific_route_is_taken() {
    let mut backwards = ROUTES.to_vec();
    backwards.reverse();
    for routes in [ROUTES, &backwards] {
        for (method, path, expected) in [
            ("GET", "/pets/dog/1", "GET /pets/dog/1"),
            ("GET", "/pets/dog/2", "GET /pets/dog/{id}"),
            ("GET", "/pets/cat/1", "GET /pets/{proxy+}"),
            ("POST", "/pets/dog/1", "ANY /{proxy+}"),
            ("POST", "/test/5", "ANY /{proxy+}"),
            ("GET", "/", "$default"),
        ] {
            assert_eq!(taken(routes, method, path).await, expected, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_full_match_comes_before_a_greedy_one() {
    let routes = [("ANY", "/v2/{proxy+}"), ("ANY", "/{name}/tags")];
    assert_eq!(taken(&routes, "GET", "/v2/tags").await, "ANY /{name}/tags");
}

#[tokio::test]
async fn a_named_method_comes_before_any() {
    let routes = [("ANY", "/v2/{proxy+}"), ("HEAD", "/v2/{proxy+}")];
    assert_eq!(taken(&routes, "HEAD", "/v2/a").await, "HEAD /v2/{proxy+}");
    assert_eq!(taken(&routes, "GET", "/v2/a").await, "ANY /v2/{proxy+}");
}

#[tokio::test]
async fn a_greedy_variable_needs_something_to_hold() {
    let routes = [("ANY", "/v2/{proxy+}"), ("ANY", "/v2"), ("ANY", "/v2/")];
    assert_eq!(taken(&routes, "GET", "/v2/").await, "ANY /v2/");
    assert_eq!(taken(&routes, "GET", "/v2").await, "ANY /v2");
    assert_eq!(taken(&routes[..1], "GET", "/v2/").await, r#"{"message":"Not Found"}"#);
}

#[tokio::test]
async fn head_does_not_take_the_route_of_get() {
    assert_eq!(taken(&[("GET", "/v2/{proxy+}")], "PUT", "/v2/a").await, r#"{"message":"Not Found"}"#);
    let api = Api::routed(&[("GET", "/v2/{proxy+}")]).await;
    assert_eq!(api.request("HEAD", "/v2/a", &[], b"").await.status, 404);
    assert_eq!(api.function.invocations(), 0);
}

#[tokio::test]
async fn variables_of_the_path_are_in_the_event() {
    let api = Api::routed(&[("GET", "/v2/{name}/blobs/{rest+}")]).await;
    api.get("/v2/app/blobs/uploads/7").await;
    let expected = serde_json::json!({ "name": "app", "rest": "uploads/7" });
    assert_eq!(api.event()["pathParameters"], expected);
}
