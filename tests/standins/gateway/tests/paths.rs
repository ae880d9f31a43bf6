//! The path in the event, as captured on AWS (events/README.md says where).

use gateway_standin::Manners;

use crate::api::{Api, ok};

const CAPTURED: &[(&str, &str)] = &[
    ("/capture/plain", "/capture/plain"),
    ("/capture/space%20value", "/capture/space value"),
    ("/capture/question%3Fvalue", "/capture/question"),
    ("/capture/hash%23value", "/capture/hash#value"),
    ("/capture/slash%2Fvalue", "/capture/slash/value"),
    ("/capture/unicode-%CE%BB-%E4%B8%96%E7%95%8C", "/capture/unicode-λ-世界"),
    ("/capture/literal%252Fvalue", "/capture/literal/value"),
    ("/capture/literal%253Fvalue", "/capture/literal?value"),
    ("/capture/literal%2525value", "/capture/literal%value"),
    ("/v2/app/manifests/sha256%3Aab", "/v2/app/manifests/sha256:ab"),
    ("/v2//a+b/", "/v2//a+b/"),
];

async fn path_of(sent: &str, manners: Manners) -> String {
    let api = Api::mannered(ok(), manners).await;
    api.get(&format!("{sent}?marker=1%3F")).await;
    let event = api.event();
    assert_eq!(event["rawQueryString"], "marker=1%3F");
    assert_eq!(event["rawPath"], event["requestContext"]["http"]["path"]);
    event["rawPath"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_path_is_decoded_as_on_aws() {
    for (sent, expected) in CAPTURED {
        assert_eq!(path_of(sent, Manners::default()).await, *expected, "{sent}");
    }
}

#[tokio::test]
async fn a_percent_sign_that_is_left_over_is_refused() {
    let api = Api::answering(ok()).await;
    for path in ["/capture/percent%25done", "/capture/bad%zz", "/capture/short%2"] {
        assert_eq!(api.get(path).await.status, 400, "{path}");
    }
    assert_eq!(api.function.invocations(), 0);
}

#[tokio::test]
async fn a_gateway_may_leave_the_path_encoded() {
    let manners = Manners { keep_path_encoded: true, ..Manners::default() };
    for (sent, _) in CAPTURED {
        assert_eq!(path_of(sent, manners).await, *sent);
    }
}

#[tokio::test]
async fn a_gateway_may_decode_the_path_once() {
    let manners = Manners { decode_path_once: true, ..Manners::default() };
    assert_eq!(path_of("/a%2Fb%252Fc", manners).await, "/a/b%2Fc");
    assert_eq!(path_of("/a%3Fb", manners).await, "/a?b");
}
