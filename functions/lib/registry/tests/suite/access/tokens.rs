//! What the list of tokens says of each.

use std::time::Duration;

use registry::access::{AccessError, Limits, Permission, TokenState, TokenWanted, UserChange};
use test_support::access::basic;

use super::house::{House, PASSWORD, ask_token, field, limits, name, root};

/// Returns what is said of each of the account's tokens, in the order of the words.
async fn states(house: &House, account: &str) -> Vec<TokenState> {
    let tokens = house.access.token_list(&root(), &name(account)).await.unwrap();
    let mut states: Vec<TokenState> = tokens.into_iter().map(|token| token.state).collect();
    states.sort_by_key(|state| format!("{state:?}"));
    states
}

/// Logs in as a client that keeps the login.
async fn keep(house: &House, user: &str) -> String {
    let kept = ask_token(&house.client(), &basic(user, PASSWORD), "offline_token=true").await.expect(200);
    field(&kept, "refresh_token")
}

#[tokio::test]
async fn a_login_is_revoked_with_the_password_that_it_was_made_with() {
    let house = House::new().await;
    house.user("alice").await;
    house.personal("alice", Limits::None).await;
    keep(&house, "alice").await;
    assert_eq!(states(&house, "alice").await, [TokenState::Good; 2]);
    house.wait(1);
    let change = UserChange { password: Some("tangerine Boat 7 lamp".into()), ..UserChange::default() };
    house.access.user_change(&root(), &name("alice"), &change).await.unwrap();
    assert_eq!(states(&house, "alice").await, [TokenState::Good, TokenState::Revoked], "the token goes on");
}

#[tokio::test]
async fn a_token_whose_time_is_over_says_so() {
    let house = House::new().await;
    house.robot("ci", limits("team/*", &[Permission::Pull])).await;
    assert_eq!(states(&house, "team").await, [TokenState::Good]);
    house.wait(90 * 24 * 60 * 60);
    assert_eq!(states(&house, "team").await, [TokenState::Expired]);
}

#[tokio::test]
async fn the_tokens_of_a_disabled_account_can_be_seen_and_ended() {
    let house = House::new().await;
    house.user("alice").await;
    let personal = house.personal("alice", Limits::None).await;
    let change = UserChange { is_disabled: Some(true), ..UserChange::default() };
    house.access.user_change(&root(), &name("alice"), &change).await.unwrap();
    assert_eq!(states(&house, "alice").await, [TokenState::Disabled]);
    house.access.token_revoke(&root(), &name("alice"), personal.id()).await.unwrap();
    assert_eq!(states(&house, "alice").await, []);
    house.access.account_delete(&root(), &name("alice")).await.unwrap();
    house.access.token_list(&root(), &name("alice")).await.unwrap_err();
}

#[tokio::test]
async fn an_account_has_a_thousand_tokens_that_can_be_used_and_any_number_of_others() {
    let house = House::new().await;
    let wanted = |days: u64| TokenWanted {
        robot: Some(name("ci")),
        label: String::new(),
        limits: limits("team/*", &[Permission::Pull]),
        life: Some(Duration::from_secs(days * 24 * 60 * 60)),
    };
    let make = async |days| house.access.token_create(&root(), &name("team"), wanted(days)).await;
    for number in 0..1000 {
        make(if number < 10 { 1 } else { 90 }).await.unwrap();
    }
    let refused = make(1).await.unwrap_err();
    assert!(matches!(&refused, AccessError::Conflict(why) if why.contains("1000")), "{refused:?}");
    house.wait(2 * 24 * 60 * 60);
    for _ in 0..10 {
        make(90).await.unwrap();
    }
    assert!(matches!(make(1).await.unwrap_err(), AccessError::Conflict(_)));
    let tokens = house.access.token_list(&root(), &name("team")).await.unwrap();
    let live = tokens.iter().find(|token| token.state == TokenState::Good).unwrap();
    house.access.token_revoke(&root(), &name("team"), &live.id).await.unwrap();
    make(1).await.unwrap();
}
