//! The OpenAPI document, compared with what the router does.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use regex_lite::Regex;
use serde_json::{Value, json};

use crate::world::{Scene, Show, World};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Issuers that can be trusted.
const ISSUERS: &[&str] = &[
    "https://ci.example",
    "https://ci.example/",
    "https://ci.example:8443/path/",
    "https://192.0.2.7:443",
    "https://[2001:db8::1]/a",
    "https://ci.example/a%20b;c=d,e+f/~g_h-i.j!",
    "http://127.0.0.1",
    "http://127.0.0.1:80/a",
    "http://localhost",
    "http://localhost/",
    "http://localhost:1",
    "http://[::1]:1/a",
];

/// What is none.
const NO_ISSUERS: &[&str] = &[
    "",
    "https://",
    "https:///path",
    "https://:443",
    "https://ci.example:",
    "https://ci.example:port",
    "https://ci.example:+80",
    "https://ci.example:80:80",
    "https://[::1",
    "https://[zz]",
    "https://[::1]x",
    "https://ci[::1]",
    "https://ci example",
    "https://ci.example/a b",
    "https://ci.example/<a>",
    "https://ci.example\n",
    " https://ci.example",
    "https://bücher.example",
    "https://ci.example/bücher",
    "https://user@ci.example",
    "https://ci.example?a=b",
    "https://ci.example/?a=b",
    "https://ci.example#a",
    "HTTPS://ci.example",
    "Xhttps://ci.example",
    "ci.example",
    "ftp://ci.example",
    "http://ci.example",
    "http://localhost.ci.example",
    "http://127.0.0.1.ci.example",
    "http://127.0.0.2",
    "http://127a0b0c1",
    "http://LOCALHOST",
    "http://localhost@ci.example",
    "http://localhost:80@ci.example",
    "http://[::1]x",
    "http://[::1]:80:80",
    "http://[::2]",
];

/// Returns method and route of every operation in the document.
pub(crate) fn operations(document: &Value) -> impl Iterator<Item = (String, String)> + '_ {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        let route = path.strip_prefix("/api/v1").unwrap();
        item.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), route.to_owned()))
    })
}

async fn document() -> Value {
    let reply = World::empty(false).client(&Show::Nothing).get("/openapi.json").await.expect(200);
    assert_eq!(reply.header("content-type"), "application/json");
    reply.json()
}

#[tokio::test]
async fn the_router_has_exactly_the_methods_that_the_document_names() {
    let document = document().await;
    let scene = Scene::new().await;
    let client = scene.world().await.client(&scene.root);
    let mut described = BTreeMap::<String, BTreeSet<String>>::new();
    for (method, route) in operations(&document) {
        described.entry(route).or_default().insert(method);
    }
    assert!(described.len() > 20, "{described:?}");
    for (route, mut methods) in described {
        let path = route.replace(['{', '}'], "");
        let others: Vec<&str> = METHODS.into_iter().filter(|method| !methods.contains(*method)).collect();
        if methods.contains("GET") {
            methods.insert("HEAD".to_owned());
        }
        for method in others {
            let method: Method = method.parse().unwrap();
            let reply = client.send(method, &path, None).await.expect(405);
            let allowed: BTreeSet<String> = reply.header("allow").split(',').map(str::to_owned).collect();
            assert_eq!(allowed, methods, "{route}");
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_operation_has_its_own_id() {
    let document = document().await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let ids: Vec<&Value> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|operation| &operation["operationId"])
        .collect();
    let unique: BTreeSet<&str> = ids.iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(unique.len(), ids.len());
}

fn collect_references(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            references.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| collect_references(value, references));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_references(value, references)),
        _ => {}
    }
}

#[tokio::test]
async fn bodies_admit_no_unknown_fields_and_passwords_are_only_written() {
    let document = document().await;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in ["UserNew", "UserPatch", "OrganisationNew", "OrganisationPatch", "MemberPut", "TeamPut"]
        .into_iter()
        .chain([
            "TokenNew",
            "TrustNew",
            "RepositoryNew",
            "RepositoryPatch",
            "GrantPut",
            "Scope",
            "ImmutableTags",
        ])
    {
        assert_eq!(schemas[name]["additionalProperties"], false, "{name}");
    }
    assert_eq!(schemas["Password"]["writeOnly"], true);
    assert!(schemas["RepositoryPatch"]["properties"].get("name").is_none());
    let security = |path: &str| document["paths"][path]["get"]["security"].clone();
    assert_eq!(security("/api/v1/openapi.json"), serde_json::json!([{}]));
    assert_eq!(security("/api/v1/me"), serde_json::json!([{}, { "basic": [] }, { "bearer": [] }]));
    assert_eq!(security("/api/v1/users"), Value::Null);
    assert_eq!(document["security"], serde_json::json!([{ "basic": [] }, { "bearer": [] }]));
}

#[tokio::test]
async fn a_head_is_answered_like_a_get_without_its_body() {
    let reply = World::empty(false).client(&Show::Nothing).send(Method::HEAD, "/openapi.json", None).await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (200, ""));
}

#[tokio::test]
async fn what_a_token_is_and_what_a_caller_is_are_two_lists_of_words() {
    let document = document().await;
    let words = |schema: &str| {
        let reference = document["components"]["schemas"][schema]["properties"]["kind"]["$ref"].as_str();
        let pointer = reference.unwrap().strip_prefix('#').unwrap();
        document.pointer(pointer).unwrap()["enum"].clone()
    };
    assert_eq!(words("Token"), serde_json::json!(["personal", "robot", "login"]));
    assert_eq!(words("Me"), serde_json::json!(["anonymous", "everybody", "user", "robot"]));
}

#[tokio::test]
async fn an_issuer_on_this_machine_may_be_asked_in_the_clear_and_no_other() {
    let document = document().await;
    let schema = &document["components"]["schemas"]["Issuer"];
    let pattern = Regex::new(schema["pattern"].as_str().unwrap()).unwrap();
    let chars = schema["minLength"].as_u64().unwrap()..=schema["maxLength"].as_u64().unwrap();
    let scene = Scene::new().await;
    let root = scene.world().await.client(&scene.root);
    let longest = format!("https://ci.example/{}", "a".repeat(512 - "https://ci.example/".len()));
    let too_long = format!("{longest}a");
    let accepted = ISSUERS.iter().copied().chain([&*longest]).map(|issuer| (issuer, true));
    let refused = NO_ISSUERS.iter().copied().chain([&*too_long]).map(|issuer| (issuer, false));
    for (issuer, is_accepted) in accepted.chain(refused) {
        let is_described = pattern.is_match(issuer) && chars.contains(&(issuer.chars().count() as u64));
        assert_eq!(is_described, is_accepted, "the document, of {issuer:?}");
        let trust = json!({ "issuer": issuer, "audience": "registry.example", "robot": "ci",
            "claims": { "sub": "7" }, "scopes": [{ "repositories": "team/*", "permissions": ["pull"] }] });
        let reply = root.post("/accounts/team/trusts", trust).await;
        assert_eq!(reply.status.as_u16(), if is_accepted { 201 } else { 422 }, "the registry, of {issuer:?}");
    }
}
