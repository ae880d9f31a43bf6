//! The HTTP API: who answers what, and what the gateway is told to do with it.

use infra_tests::{HeaderMapping, Route};
use serde_json::json;

use crate::template;

#[test]
fn each_request_goes_to_the_function_whose_rights_it_needs() {
    let routes = template().routes().unwrap();
    let mut found: Vec<_> =
        routes.iter().map(|it| format!("{} {} {}", it.method, it.path, it.function)).collect();
    found.sort();
    let expected = [
        "ANY $default ApiReadFunction",
        "DELETE /api/v1/{proxy+} ApiWriteFunction",
        "DELETE /v2/{proxy+} ApiWriteFunction",
        "GET /api/v1/{proxy+} ApiWriteFunction",
        "GET /token ApiTokenFunction",
        "GET /v2/{proxy+} ApiReadFunction",
        "HEAD /api/v1/{proxy+} ApiWriteFunction",
        "HEAD /token ApiTokenFunction",
        "HEAD /v2/{proxy+} ApiReadFunction",
        "PATCH /api/v1/{proxy+} ApiWriteFunction",
        "PATCH /v2/{proxy+} ApiWriteFunction",
        "POST /api/v1/{proxy+} ApiWriteFunction",
        "POST /token ApiTokenFunction",
        "POST /v2/{proxy+} ApiWriteFunction",
        "PUT /api/v1/{proxy+} ApiWriteFunction",
        "PUT /v2/{proxy+} ApiWriteFunction",
    ];
    assert_eq!(found, expected);
}

#[test]
fn every_integration_brings_the_challenge_back() {
    let challenge = HeaderMapping {
        action: "overwrite".to_owned(),
        header: "www-authenticate".to_owned(),
        source: "$response.header.x-registry-challenge".to_owned(),
    };
    for route in template().routes().unwrap() {
        let Route { method, path, response_headers, payload_format_version, .. } = route;
        let mapped = response_headers.get(&401).cloned().unwrap_or_default();
        assert_eq!(mapped, std::slice::from_ref(&challenge), "{method} {path}");
        assert_eq!(response_headers.len(), 1, "{method} {path}");
        assert_eq!(payload_format_version, "2.0", "{method} {path}");
    }
}

#[test]
fn bodies_are_binary() {
    let template = template();
    let definition = &template.properties("HttpApi")["DefinitionBody"];
    assert_eq!(definition["x-amazon-apigateway-binary-media-types"], json!(["*/*"]));
}

#[test]
fn api_gateway_may_call_exactly_the_three_functions() {
    let template = template();
    let mut callable = Vec::new();
    for id in template.resources_of_type("AWS::Lambda::Permission") {
        let permission = template.properties(id);
        if permission["Principal"] == "apigateway.amazonaws.com" {
            assert!(permission["SourceArn"]["Fn::Sub"].as_str().unwrap().ends_with(":${HttpApi}/*"), "{id}");
            callable.push(permission["FunctionName"]["Ref"].as_str().unwrap().to_owned());
        }
    }
    callable.sort();
    assert_eq!(callable, ["ApiReadFunction", "ApiTokenFunction", "ApiWriteFunction"]);
}

#[test]
fn the_stage_logs_no_query_and_limits_the_rate() {
    let template = template();
    let api = template.properties("HttpApi");
    assert_eq!(api["StageName"], "$default");
    let format = api["AccessLogSettings"]["Format"].as_str().unwrap();
    // The query of an upload is a capability, and a header may be a password.
    for secret in ["querystring", "rawQuery", "header", "authorizer"] {
        assert!(!format.to_lowercase().contains(&secret.to_lowercase()), "{secret} is logged");
    }
    serde_json::from_str::<serde_json::Value>(format).unwrap();
    let limits = &api["DefaultRouteSettings"];
    assert_eq!(limits["ThrottlingRateLimit"], json!({"Ref": "RequestsPerSecond"}));
    assert_eq!(limits["ThrottlingBurstLimit"], json!({"Ref": "RequestBurst"}));
}

/// What began must not be refused where it ends: each layer is one POST and one PUT, each image one PUT more.
#[test]
fn commits_have_twice_the_room_of_what_begins_them() {
    let template = template();
    let routes = template.properties("HttpApi")["RouteSettings"].as_object().unwrap();
    let limits = json!({
        "ThrottlingRateLimit": {"Ref": "CommitsPerSecond"}, "ThrottlingBurstLimit": {"Ref": "CommitBurst"},
    });
    let expected = ["PATCH /v2/{proxy+}", "PUT /v2/{proxy+}"];
    assert_eq!(routes.keys().collect::<Vec<_>>(), expected);
    assert!(routes.values().all(|found| *found == limits));
    let routed: Vec<_> =
        template.routes().unwrap().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert!(expected.iter().all(|route| routed.contains(&(*route).to_owned())));
    let default = |name: &str| template.section("Parameters")[name]["Default"].as_u64().unwrap();
    assert_eq!(default("CommitsPerSecond"), 2 * default("RequestsPerSecond"));
    assert_eq!(default("CommitBurst"), 2 * default("RequestBurst"));
}
