//! What the list of tokens says of each.

use registry::access::{Limits, Permission, TokenState, UserChange};
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
async fn keep(house: &House, user: &str, secret: &str) -> String {
    let kept = ask_token(&house.client(), &basic(user, secret), "offline_token=true").await.expect(200);
    field(&kept, "refresh_token")
}

#[tokio::test]
async fn a_login_is_revoked_with_the_password_or_the_token_that_it_was_made_with() {
    let house = House::new().await;
    house.user("alice").await;
    let personal = house.personal("alice", Limits::None).await;
    keep(&house, "alice", PASSWORD).await;
    keep(&house, "alice", personal.reveal()).await;
    assert_eq!(states(&house, "alice").await, [TokenState::Good; 3]);
    house.wait(1);
    let change = UserChange { password: Some("tangerine Boat 7 lamp".into()), ..UserChange::default() };
    house.access.user_change(&root(), &name("alice"), &change).await.unwrap();
    assert_eq!(
        states(&house, "alice").await,
        [TokenState::Good, TokenState::Good, TokenState::Revoked],
        "the token, and the login by it, go on"
    );
    house.access.token_revoke(&root(), &name("alice"), personal.id()).await.unwrap();
    assert_eq!(states(&house, "alice").await, [TokenState::Revoked; 2]);
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
