//! Nobody loses anything by being made an owner, and nobody gets rid of an organisation by making somebody one.

use registry::access::{Access, AccessError, AccessOptions, AccountName, Caller};
use registry::records::OrganisationRole::{Member, Owner};

use super::house::{House, login, name, root};

/// Mallory has an organisation and makes alice an owner of it.
async fn house() -> (House, Caller, Caller, AccountName) {
    let house = House::new().await;
    for user in ["alice", "mallory"] {
        house.user(user).await;
    }
    let (alice, mallory) = (login(&house.access, "alice").await, login(&house.access, "mallory").await);
    let trap = name("trap");
    house.access.organisation_create(&mallory, &trap).await.unwrap();
    house.access.member_put(&mallory, &trap, &name("alice"), Owner).await.unwrap();
    (house, alice, mallory, trap)
}

fn assert_conflict(result: &Result<(), AccessError>, word: &str) {
    assert!(matches!(result, Err(AccessError::Conflict(why)) if why.contains(word)), "{result:?}");
}

/// Makes organisations until the user may make no more, and returns how many.
async fn fill(access: &Access, user: &Caller, prefix: &str) -> usize {
    let mut made = 0;
    while access.organisation_create(user, &name(&format!("{prefix}-{made}"))).await.is_ok() {
        made += 1;
    }
    made
}

#[tokio::test]
async fn whoever_was_made_an_owner_unasked_can_leave_and_nobody_can_leave_it_to_them() {
    let (house, alice, mallory, trap) = house().await;
    let access = &house.access;
    assert_conflict(
        &access.member_delete(&mallory, &trap, &name("mallory")).await,
        "slipway org accept trap",
    );
    assert_conflict(&access.member_put(&mallory, &trap, &name("mallory"), Member).await, "only owner");
    assert_conflict(&access.account_delete(&root(), &name("mallory")).await, "only owner");
    // To be told twice is no agreement.
    access.member_put(&mallory, &trap, &name("alice"), Owner).await.unwrap();
    access.member_put(&mallory, &trap, &name("alice"), Member).await.unwrap();
    access.member_put(&mallory, &trap, &name("alice"), Owner).await.unwrap();
    assert_conflict(&access.member_delete(&mallory, &trap, &name("mallory")).await, "only owner");
    access.member_delete(&alice, &trap, &name("alice")).await.unwrap();
    assert_eq!(access.membership_list(&alice, &name("alice")).await.unwrap(), []);
}

#[tokio::test]
async fn an_account_that_was_made_an_owner_unasked_can_be_deleted() {
    let (house, _, _, trap) = house().await;
    house.access.account_delete(&root(), &name("alice")).await.unwrap();
    assert_eq!(house.access.member_list(&root(), &trap).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_others_made_somebody_an_owner_of_takes_none_of_their_own() {
    let (house, alice, mallory, _) = house().await;
    for number in 0..19 {
        let trap = name(&format!("trap-{number}"));
        house.access.organisation_create(&mallory, &trap).await.unwrap();
        house.access.member_put(&mallory, &trap, &name("alice"), Owner).await.unwrap();
    }
    assert_eq!(fill(&house.access, &alice, "own").await, 20);
}

#[tokio::test]
async fn an_organisation_can_be_left_to_an_owner_who_agreed() {
    let (house, alice, mallory, trap) = house().await;
    let access = &house.access;
    access.member_put(&alice, &trap, &name("alice"), Owner).await.unwrap();
    access.member_delete(&mallory, &trap, &name("mallory")).await.unwrap();
    assert_conflict(&access.member_delete(&alice, &trap, &name("alice")).await, "only owner");
    access.account_delete(&alice, &trap).await.unwrap();
}

#[tokio::test]
async fn nobody_agrees_to_own_more_than_they_could_have_made() {
    let (house, alice, _, trap) = house().await;
    assert_eq!(fill(&house.access, &alice, "own").await, 20);
    assert_conflict(&house.access.member_put(&alice, &trap, &name("alice"), Owner).await, "the most");
}

#[tokio::test]
async fn only_who_is_an_owner_agrees_to_be_one() {
    let (house, alice, mallory, trap) = house().await;
    house.access.member_put(&mallory, &trap, &name("alice"), Member).await.unwrap();
    let refused = house.access.member_put(&alice, &trap, &name("alice"), Owner).await;
    assert!(matches!(refused, Err(AccessError::Forbidden(_))), "{refused:?}");
}

#[tokio::test]
async fn administrators_alone_make_organisations_where_that_is_set() {
    let house = House::new().await;
    house.user("alice").await;
    let options = AccessOptions { organisations_are_for_administrators: true, ..AccessOptions::default() };
    let access = house.world.access_with(options);
    let (alice, admin) = (login(&access, "alice").await, login(&access, "admin").await);
    let refused = access.organisation_create(&alice, &name("band")).await;
    assert!(matches!(refused, Err(AccessError::Forbidden(_))), "{refused:?}");
    access.organisation_create(&admin, &name("band")).await.unwrap();
}
