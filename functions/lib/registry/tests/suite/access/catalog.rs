//! `/v2/_catalog` lists what whoever asks may pull from, in a bounded number of calls.

use registry::access::{Limits, Permission};
use registry::records::Visibility;
use serde_json::Value;
use test_support::access::basic;

use super::house::{House, PASSWORD, bearer_of, limits, name, root};
use crate::client::{Client, Reply};

/// Where the next page is.
fn next(reply: &Reply) -> Option<String> {
    let link = reply.headers.get("link")?.to_str().unwrap();
    Some(link.strip_prefix('<').unwrap().split_once('>').unwrap().0.to_owned())
}

/// Returns the names in each page.
async fn pages(client: &Client, limit: usize) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut path = Some(format!("/v2/_catalog?n={limit}"));
    while let Some(at) = path {
        let reply = client.get(&at).await.expect(200);
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        pages.push(serde_json::from_value(body["repositories"].clone()).unwrap());
        path = next(&reply);
        assert!(pages.len() < 100, "the list has no end");
    }
    pages
}

async fn house() -> House {
    let house = House::new().await;
    house.user("alice").await;
    for repository in ["alice/a", "alice/b", "team/app", "team/private"] {
        house.repository(repository, Visibility::Private).await;
    }
    house.repository("team/open", Visibility::Public).await;
    let role = registry::access::Role::Pull;
    let alice = registry::records::Grantee::User(name("alice"));
    house.access.grant_put(&root(), &name("team/app"), &alice, role).await.unwrap();
    house
}

#[tokio::test]
async fn everybody_who_is_known_sees_what_they_may_pull_from() {
    let house = house().await;
    let client = house.client();
    let personal = house.personal("alice", Limits::None).await;
    let limited = house.personal("alice", limits("alice/a", &[Permission::Pull])).await;
    let robot = house.robot("ci", limits("team/app", &[Permission::Pull])).await;
    let all = ["alice/a", "alice/b", "team/app", "team/open", "team/private"];
    let of_alice = ["alice/a", "alice/b", "team/app", "team/open"];
    for (shown, expected) in [
        (basic("admin", PASSWORD), &all[..]),
        (basic("alice", PASSWORD), &of_alice),
        (basic("alice", personal.reveal()), &of_alice),
        (basic("alice", limited.reveal()), &["alice/a", "team/open"]),
        (basic("team+ci", robot.reveal()), &["team/app", "team/open"]),
    ] {
        for shown in [shown.clone(), bearer_of(&client, &shown, &["registry:catalog:*"]).await] {
            for limit in [1, 2, 100] {
                assert_eq!(
                    pages(&client.showing(&shown), limit).await.concat(),
                    expected,
                    "{shown} by {limit}"
                );
            }
        }
    }
    client.get("/v2/_catalog").await.expect(401);
    let anybody =
        super::house::field(&client.get("/token?scope=registry:catalog:*").await.expect(200), "token");
    client.showing(&test_support::access::bearer(&anybody)).get("/v2/_catalog").await.expect(401);
}

#[tokio::test]
async fn a_page_among_many_hidden_repositories_takes_few_calls_and_tells_no_name() {
    let house = House::new().await;
    let zoe = house.user("zoe").await;
    for number in 0..1100 {
        house.repository(&format!("team/hidden-{number:04}"), Visibility::Private).await;
    }
    house.repository("zoe/app", Visibility::Private).await;
    let client = house.client();
    let client = client.showing(&bearer_of(&client, &zoe, &["registry:catalog:*"]).await);
    house.world.probe.reset();
    let first = client.get("/v2/_catalog").await.expect(200);
    let calls = house.world.probe.calls().len();
    assert!(calls <= 40, "{calls} calls");
    let link = next(&first).unwrap();
    assert!(!link.contains("hidden"), "{link}");
    let second = client.get(&link).await.expect(200);
    assert_eq!(second.body, r#"{"repositories":["zoe/app"]}"#);
}
