//! Refusals are traced where clients meet them, and a flood of them leaves few traces.

use registry::access::{AuditFilter, Limits};
use registry::records::{AuditOutcome, OrganisationRole, Visibility};

use super::house::{House, PASSWORD, ask_token, bearer_of, root};
use crate::client::{Client, manifest, uploads};
use crate::content::Image;
use test_support::access::basic;

const HOME: &str = "192.0.2.7";

async fn house() -> House {
    let house = House::new().await;
    house.repository("team/app", Visibility::Private).await;
    house.repository("team/open", Visibility::Public).await;
    house
}

/// Returns actor, address, action, target and detail of each refusal, in the order of the letters.
async fn refusals(house: &House) -> Vec<String> {
    let filter = AuditFilter { outcome: Some(AuditOutcome::Refused), ..AuditFilter::default() };
    let page = house.access.audit_list(&root(), &filter, None, 1000).await.unwrap();
    let records = page.entries.into_iter().map(|entry| entry.record);
    let line = |record: registry::records::AuditRecord| {
        let words = [record.actor, record.address, record.action, record.target, record.detail];
        words.join(" ")
    };
    let mut lines: Vec<String> = records.map(line).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn a_token_for_less_than_was_asked_for_is_a_refusal_and_one_entry() {
    let house = house().await;
    let alice = house.user("alice").await;
    let client = house.client().at_address(HOME);
    let scopes =
        "scope=repository:team/open:pull,push&scope=repository:team/app:pull&scope=repository:alice/x:push";
    ask_token(&client, &alice, scopes).await.expect(200);
    client.get("/token?scope=repository:team/app:pull").await.expect(200);
    ask_token(&client, &basic("alice", PASSWORD), "scope=repository:alice/x:pull,push").await.expect(200);
    let expected = [
        "alice 192.0.2.7 pull team/app asked for a token: pull; team/open: push",
        "anonymous 192.0.2.7 pull team/app asked for a token: pull",
    ];
    assert_eq!(refusals(&house).await, expected);
}

#[tokio::test]
async fn many_refused_scopes_are_one_short_entry() {
    let house = house().await;
    let alice = house.user("alice").await;
    let scopes: Vec<String> = (0..20).map(|number| format!("scope=repository:team/{number:02}:*")).collect();
    ask_token(&house.client(), &alice, &scopes.join("&")).await.expect(200);
    let refusals = refusals(&house).await;
    assert_eq!(refusals.len(), 1, "{refusals:#?}");
    assert!(
        refusals[0].starts_with("alice  delete team/00 asked for a token: pull, push, delete; team/01: ")
    );
    assert!(refusals[0].ends_with("; team/04: pull, push, delete; and 15 more"), "{refusals:#?}");
}

#[tokio::test]
async fn a_token_shown_at_another_repository_is_a_refusal_and_what_every_client_begins_with_is_none() {
    let house = house().await;
    let all = house.all_in_team().await;
    let client = house.client().at_address(HOME);
    client.get(&manifest("team/app", "v1")).await.expect(401);
    client.showing(&bearer_of(&client, &all, &[]).await).get(&manifest("team/app", "v1")).await.expect(401);
    let pulls = client.showing(&bearer_of(&client, &all, &["repository:team/app:pull"]).await);
    pulls.post(&uploads("team/app"), "").await.expect(401);
    assert_eq!(refusals(&house).await, [""; 0]);
    pulls.get(&manifest("team/other", "v1")).await.expect(401);
    let expected = ["team+all 192.0.2.7 pull team/other the access token is for other repositories"];
    assert_eq!(refusals(&house).await, expected);
}

#[tokio::test]
async fn what_only_administrators_may_do_is_refused_with_a_trace() {
    let house = house().await;
    house.user("alice").await;
    let alice = super::house::login(&house.access, "alice").await;
    house.access.audit_list(&alice, &AuditFilter::default(), None, 1).await.unwrap_err();
    assert_eq!(refusals(&house).await, ["alice  manage  "]);
}

#[tokio::test]
async fn what_only_owners_may_do_and_names_that_are_not_given_are_refused_with_a_trace() {
    let house = house().await;
    house.user("alice").await;
    let alice = super::house::login(&house.access, "alice").await;
    let (team, own) = ("team".parse().unwrap(), "alice".parse().unwrap());
    let access = &house.access;
    access.organisation_create(&alice, &"library".parse().unwrap()).await.unwrap_err();
    access.team_put(&alice, &team, &"devs".parse().unwrap(), "").await.unwrap_err();
    access.member_put(&root(), &team, &own, OrganisationRole::Member).await.unwrap();
    access.organisation_change(&alice, &team, Visibility::Public).await.unwrap_err();
    access.account_delete(&alice, &team).await.unwrap_err();
    let expected = [
        "alice  account.manage team ",
        "alice  account.manage team ",
        "alice  account.manage team ",
        "alice  organisation.create library library is for administrators to make",
    ];
    assert_eq!(refusals(&house).await, expected);
}

/// Asks so often for a token that nobody gives, for manifests with a password, and at another repository.
async fn flood(client: &Client, shown: &str, bearer: &str, times: usize) {
    for number in 0..times {
        match number % 3 {
            0 => drop(ask_token(client, shown, "scope=repository:team/app:pull").await.expect(200)),
            1 => drop(client.showing(shown).get(&manifest("team/app", "v1")).await.expect(403)),
            _ => drop(client.showing(bearer).get(&manifest("team/app", "v1")).await.expect(401)),
        }
    }
}

#[tokio::test]
async fn a_flood_of_refusals_leaves_few_traces_and_shuts_nobody_out() {
    let house = house().await;
    let alice = house.user("alice").await;
    let token = house.personal("alice", Limits::None).await;
    let shown = basic("alice", token.reveal());
    let client = house.client().at_address(HOME);
    client.showing(&house.all_in_team().await).push_image("team/open", "v1", &Image::named("a")).await;
    let bearer = bearer_of(&client, &shown, &["repository:team/open:pull"]).await;
    flood(&client, &shown, &bearer, 200).await;
    let noted = refusals(&house).await;
    assert_eq!(noted.len(), 61, "{noted:#?}");
    assert_eq!(noted.iter().filter(|line| line.contains("too many refusals")).count(), 1, "{noted:#?}");
    house.wait(60);
    flood(&client, &shown, &bearer, 20).await;
    assert_eq!(refusals(&house).await.len(), 63);
    ask_token(&client, &alice, "scope=repository:team/open:pull").await.expect(200);
    // Others are noted all the same, also from the same address.
    client.get("/token?scope=repository:team/app:pull").await.expect(200);
    assert_eq!(refusals(&house).await.len(), 64);
}
