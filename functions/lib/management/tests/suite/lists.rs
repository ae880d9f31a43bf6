//! Lists come in pages that together are the list.

use serde_json::{Value, json};

use crate::world::{Client, Scene};

/// Returns the names in each page of the list.
async fn pages(client: &Client, path: &str, limit: usize, field: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = None;
    let (separator, parameter) = (
        if path.contains('?') { '&' } else { '?' },
        if path.starts_with("/audit") { "before" } else { "after" },
    );
    loop {
        let from =
            next.map(|next: String| format!("&{parameter}={}", next.replace('/', "%2F"))).unwrap_or_default();
        let page = client.get(&format!("{path}{separator}limit={limit}{from}")).await.expect(200);
        pages.push(page.names(field));
        assert!(pages.last().unwrap().len() <= limit);
        match page.json().get("next") {
            None => return pages,
            Some(Value::String(text)) => next = Some(text.clone()),
            Some(other) => panic!("{other:?}"),
        }
        assert!(pages.len() < 100, "the list has no end");
    }
}

#[tokio::test]
async fn the_pages_of_a_list_are_the_whole_list() {
    let scene = Scene::new().await;
    let world = scene.world().await;
    let (root, alice) = (world.client(&scene.root), world.client(&scene.alice));
    for name in ["guild", "art", "band"] {
        alice.post("/organisations", json!({ "name": name })).await.expect(201);
    }
    for user in ["carol", "root"] {
        alice
            .put(&format!("/organisations/team/members/{user}"), json!({ "role": "member" }))
            .await
            .expect(204);
    }
    for name in ["ops", "qa"] {
        alice.put(&format!("/organisations/team/teams/{name}"), json!({})).await.expect(204);
        alice
            .put(&format!("/repositories/team%2Fapp/grants/team:{name}"), json!({ "role": "push" }))
            .await
            .expect(204);
        alice.post("/repositories", json!({ "name": format!("team/{name}") })).await.expect(201);
        alice.post("/repositories", json!({ "name": format!("art/{name}") })).await.expect(201);
        alice.post("/accounts/alice/tokens", json!({ "label": name })).await.expect(201);
        let trust = json!({ "issuer": "https://ci.example", "audience": "x", "claims": { "sub": "x" }, "robot": "ci",
            "scopes": [{ "repositories": "team/*", "permissions": ["pull"] }] });
        root.post("/accounts/team/trusts", trust).await.expect(201);
    }
    for (client, path, field, count) in [
        (&root, "/users", "name", 4),
        (&root, "/organisations", "name", 4),
        (&alice, "/users/alice/organisations", "", 4),
        (&alice, "/organisations/team/members", "name", 4),
        (&alice, "/organisations/team/teams", "name", 3),
        (&alice, "/accounts/alice/tokens", "id", 4),
        (&alice, "/accounts/team/trusts", "id", 3),
        (&alice, "/repositories", "name", 5),
        (&alice, "/repositories?namespace=team", "name", 3),
        (&alice, "/repositories/team%2Fapp/grants", "grantee", 4),
    ] {
        let whole = pages(client, path, 1000, field).await.concat();
        assert_eq!(whole.len(), count, "{path}: {whole:?}");
        assert!(whole.is_sorted(), "{path}: {whole:?}");
        for limit in [1, 2, 3] {
            assert_eq!(pages(client, path, limit, field).await.concat(), whole, "{path} by {limit}");
        }
    }
    let whole = pages(&root, "/audit", 1000, "id").await.concat();
    assert!(whole.len() > 20 && whole.iter().rev().is_sorted());
    assert_eq!(pages(&root, "/audit", 7, "id").await.concat(), whole);
    for (filter, expected) in [
        ("actor=alice&action=team.put&target=team", vec!["team.put"; 3]),
        ("not_action=login&target=carol", vec!["user.create"]),
        ("outcome=refused", vec![]),
        ("since=9999-12-31T23:59:59Z", vec![]),
    ] {
        let actions = pages(&root, &format!("/audit?{filter}"), 1000, "action").await.concat();
        assert_eq!(actions, expected, "{filter}");
    }
}

#[tokio::test]
async fn a_page_has_a_hundred_entries_if_nothing_is_said() {
    let scene = Scene::new().await;
    let client = scene.world().await.client(&scene.alice);
    for number in 0..101 {
        client.put(&format!("/organisations/team/teams/t{number:03}"), json!({})).await.expect(204);
    }
    let page = client.get("/organisations/team/teams").await;
    assert_eq!(page.names("name").len(), 100);
    let next = page.json()["next"].as_str().unwrap().to_owned();
    let rest = client.get(&format!("/organisations/team/teams?after={next}")).await;
    assert_eq!(
        (rest.names("name"), rest.json().get("next")),
        (vec!["t099".to_owned(), "t100".to_owned()], None)
    );
}
