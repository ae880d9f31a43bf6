//! What clients keep of a login, and what is left of it.

use registry::access::{Caller, Limits, Permission};
use registry::jobs::expiry;
use registry::ports::{Clock, Condition, Item, ItemScan, ItemStore, Version, Write};
use registry::records::{Record, keys};
use registry::testing::Call;
use serde_json::Value;
use test_support::access::basic;

use super::house::{House, PASSWORD, ask_token, limits, login, name, root};

/// How long a login by password lasts.
const LIFE_SECS: u64 = 90 * 24 * 60 * 60;

async fn keep(house: &House, caller: &Caller) {
    house.access.refresh_issue(caller, "docker").await.unwrap().unwrap();
}

/// Returns how many lines are in the list of alice's tokens.
async fn lines(house: &House) -> usize {
    let items = house.world.items.scan(None, usize::MAX).await.unwrap();
    let (partition, prefix) = (keys::account_partition(&name("alice")), keys::TOKENS);
    items.iter().filter(|item| item.key.pk == partition && item.key.sk.starts_with(prefix)).count()
}

/// Takes away what has ended as DynamoDB does: each item for itself, and no other with it.
async fn vanish(house: &House) {
    house.wait(1);
    let now = house.world.clock.now();
    for item in house.world.items.scan(None, usize::MAX).await.unwrap() {
        if expiry::ends(&item.record).is_some_and(|end| end <= now) {
            house.world.items.transact(vec![Write::Delete(item.key, Condition::Always)]).await.unwrap();
        }
    }
}

#[tokio::test]
async fn whoever_shows_a_stored_token_keeps_that_and_gets_no_login() {
    let house = House::new().await;
    house.user("alice").await;
    let personal = house.personal("alice", Limits::None).await;
    let robot = house.robot("ci", limits("team/*", &[Permission::Pull])).await;
    for (user, secret, is_kept) in
        [("alice", PASSWORD, true), ("alice", personal.reveal(), false), ("team+ci", robot.reveal(), false)]
    {
        let form = format!("grant_type=password&username={user}&password={secret}&access_type=offline");
        let form = form.replace('+', "%2B");
        for reply in [
            ask_token(&house.client(), &basic(user, secret), "offline_token=true").await,
            house.client().post("/token", form).await,
        ] {
            let body: Value = serde_json::from_slice(&reply.expect(200).body).unwrap();
            assert!(body["token"].is_string());
            assert_eq!(body.get("refresh_token").is_some(), is_kept, "{user}");
        }
    }
}

#[tokio::test]
async fn a_line_ends_with_its_token_also_where_each_item_ends_for_itself() {
    let house = House::new().await;
    house.user("alice").await;
    let alice = login(&house.access, "alice").await;
    house.personal("alice", Limits::None).await;
    for _ in 0..10 {
        keep(&house, &alice).await;
    }
    assert_eq!(lines(&house).await, 11);
    vanish(&house).await;
    assert_eq!(lines(&house).await, 11, "none has ended");
    house.wait(LIFE_SECS);
    vanish(&house).await;
    assert_eq!(lines(&house).await, 1, "an expired token is told of for a day");
    house.wait(24 * 60 * 60);
    vanish(&house).await;
    assert_eq!(lines(&house).await, 0);
}

#[tokio::test]
async fn a_line_that_has_ended_is_neither_counted_nor_looked_up() {
    let house = House::new().await;
    house.user("alice").await;
    let alice = login(&house.access, "alice").await;
    for _ in 0..999 {
        keep(&house, &alice).await;
    }
    house.wait(LIFE_SECS);
    // Nothing has come yet to take them away.
    assert!(house.access.token_list(&alice, &name("alice")).await.unwrap().is_empty());
    for _ in 0..10 {
        house.world.probe.reset();
        keep(&house, &alice).await;
        let calls = house.world.probe.calls();
        assert!(!calls.contains(&Call::ItemsGet), "{calls:?}");
    }
    assert_eq!(house.access.token_list(&alice, &name("alice")).await.unwrap().len(), 10);
    house.access.account_delete(&root(), &name("alice")).await.unwrap();
    assert_eq!(lines(&house).await, 0);
}

#[tokio::test]
async fn lines_without_an_end_whose_tokens_are_gone_go_when_they_are_counted() {
    let house = House::new().await;
    house.user("alice").await;
    let alice = login(&house.access, "alice").await;
    for number in 0..2500 {
        let key = keys::token_listed(&name("alice"), &format!("{number:016x}"));
        let line = Item { key, version: Version::new("1"), record: Record::Listed };
        house.world.items.transact(vec![Write::Put(line, Condition::Absent)]).await.unwrap();
    }
    keep(&house, &alice).await;
    assert_eq!(lines(&house).await, 1);
}
