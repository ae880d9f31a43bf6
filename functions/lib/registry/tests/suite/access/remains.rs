//! What a deletion of an account leaves that breaks off, or that others overtake: no membership of it stays.

use std::sync::atomic::{AtomicUsize, Ordering};

use registry::access::{Access, AccessError, Caller};
use registry::ports::{Clock, Condition, Item, ItemStore, StoreErrorKind, Version, Write};
use registry::records::OrganisationRole::Owner;
use registry::records::{MemberRecord, Record, keys};
use registry::testing::{Call, Outcome};

use super::house::{House, login, name, root};
use super::meanwhile::{Interrupted, at_once};
use crate::probe::{Fault, Probe};

/// More members than one transaction of a deletion takes away.
const MEMBERS: usize = 90;

/// Makes many members of `team`, before and behind the owner in its list; returns the owner.
async fn large_team(house: &House) -> Caller {
    house.user("mm").await;
    house.access.member_put(&root(), &name("team"), &name("mm"), Owner).await.unwrap();
    for number in 0..MEMBERS {
        let user = name(&format!("{}{number}", if number % 2 == 0 { "a" } else { "z" }));
        let put =
            |key, record| Write::Put(Item { key, version: Version::new("made"), record }, Condition::Absent);
        let member = Record::Member(MemberRecord::new(house.world.clock.now()));
        let member = put(keys::member(&name("team"), &user), member);
        let membership = put(keys::membership(&user, &name("team")), Record::Listed);
        house.world.items.transact(vec![member, membership]).await.unwrap();
    }
    login(&house.access, "mm").await
}

/// Returns the keys of all memberships.
async fn memberships(house: &House) -> Vec<String> {
    let items = house.world.all_items().await.into_iter().map(|item| item.key);
    let is_one = |sk: &str| sk.starts_with(keys::MEMBERS) || sk.starts_with(keys::MEMBERSHIPS);
    items.filter(|key| is_one(&key.sk)).map(|key| format!("{} {}", key.pk, key.sk)).collect()
}

#[tokio::test]
async fn an_owner_ends_a_deletion_of_a_large_organisation_wherever_it_broke_off() {
    for at in 0.. {
        let house = House::new().await;
        let owner = large_team(&house).await;
        let killed = Probe::default();
        killed.plan(at, Fault::Killed);
        let process = house.world.access_hooked(killed);
        if process.account_delete(&owner, &name("team")).await.is_ok() {
            break;
        }
        let ended = house.access.account_deletion_end(&owner, &name("team")).await;
        let deleted = house.access.account_delete(&owner, &name("team")).await;
        for result in [ended, deleted] {
            assert!(matches!(result, Ok(()) | Err(AccessError::Unknown(_))), "at {at}: {result:?}");
        }
        assert_eq!(memberships(&house).await, [""; 0], "at {at}");
    }
}

#[tokio::test]
async fn only_who_may_delete_an_account_ends_a_deletion_of_it() {
    let house = House::new().await;
    large_team(&house).await;
    house.user("a0").await;
    house.user("stranger").await;
    house.access.account_deletion_end(&root(), &name("team")).await.unwrap();
    let all = memberships(&house).await;
    assert_eq!(all.len(), 2 * (MEMBERS + 1), "an organisation that is there has lost members");
    let ends = AtomicUsize::new(0);
    let ended_alone = house.world.access_hooked(move |call| {
        // The first flags, the second ends.
        let is_tidied = call == Call::ItemsTransact && ends.fetch_add(1, Ordering::SeqCst) >= 2;
        if is_tidied { Outcome::Failed(StoreErrorKind::Unavailable) } else { Outcome::Done }
    });
    ended_alone.account_delete(&root(), &name("team")).await.unwrap_err();
    for user in ["a0", "stranger"] {
        let caller = login(&house.access, user).await;
        house.access.account_deletion_end(&caller, &name("team")).await.unwrap_err();
    }
    assert_eq!(memberships(&house).await, all);
    house.access.account_deletion_end(&root(), &name("team")).await.unwrap();
    assert_eq!(memberships(&house).await, [""; 0]);
}

#[tokio::test]
async fn nobody_becomes_a_member_of_an_organisation_that_ends_meanwhile() {
    for at in 0.. {
        let house = House::new().await;
        house.user("alice").await;
        let delete = |other: &Access| at_once(other.account_delete(&root(), &name("team")));
        let process = Interrupted::new(&house, at, delete);
        let put = process.access.member_put(&root(), &name("team"), &name("alice"), Owner).await;
        if process.is_past() {
            put.unwrap();
            break;
        }
        assert!(matches!(put, Err(AccessError::Unknown(_))), "at {at}: {put:?}");
        assert_eq!(memberships(&house).await, [""; 0], "at {at}");
    }
}
