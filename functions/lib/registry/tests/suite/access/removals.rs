//! Two who take it from each other at the same time: one is left.

use registry::access::{Access, AccessError, Account, Caller, UserChange};
use registry::records::{AccountState, OrganisationRole};
use registry::testing::Call::ItemsTransact;

use super::house::{House, login, name, root};
use crate::world::World;

/// In how many orders of storage calls each race is run.
const ROUNDS: usize = 150;

/// The same where each round needs new users, whose passwords cost time.
const ROUNDS_OF_NEW: usize = 25;

/// Two users, each at a process of their own.
struct Two {
    house: House,
    processes: [Access; 2],
}

impl Two {
    async fn new() -> Self {
        let house = House::on(World::yielding(1)).await;
        let processes = [house.world.access(), house.world.access()];
        Self { house, processes }
    }

    async fn users(&self, names: [&str; 2]) -> [Caller; 2] {
        for user in names {
            self.house.user(user).await;
        }
        [login(&self.processes[0], names[0]).await, login(&self.processes[1], names[1]).await]
    }

    async fn administrator_change(&self, user: &str, is_administrator: bool) {
        let is_disabled = is_administrator.then_some(false);
        let change =
            UserChange { is_administrator: Some(is_administrator), is_disabled, ..UserChange::default() };
        self.house.access.user_change(&root(), &name(user), &change).await.unwrap();
    }

    async fn administrators(&self) -> usize {
        let accounts = self.house.access.account_list(&root(), None, 1000).await.unwrap();
        let is_one = |account: &Account| match account {
            Account::User(user) => user.is_administrator && user.state == AccountState::Active,
            Account::Organisation(_) => false,
        };
        accounts.iter().filter(|(_, account)| is_one(account)).count()
    }

    async fn owners(&self) -> usize {
        let members = self.house.access.member_list(&root(), &name("team")).await.unwrap();
        members.iter().filter(|(_, member)| member.role == OrganisationRole::Owner).count()
    }
}

/// Fails unless both came first at times, and in between too: otherwise there was no race.
fn assert_raced(firsts: &[bool]) {
    assert!(firsts.contains(&true) && firsts.contains(&false), "there was no race");
}

#[tokio::test]
async fn two_administrators_who_demote_or_disable_each_other_leave_one() {
    let two = Two::new().await;
    let [alice, bob] = two.users(["alice", "bob"]).await;
    two.administrator_change("admin", false).await;
    let demoted = UserChange { is_administrator: Some(false), ..UserChange::default() };
    let disabled = UserChange { is_disabled: Some(true), ..UserChange::default() };
    let mut firsts = Vec::new();
    for round in 0..ROUNDS {
        two.administrator_change("alice", true).await;
        two.administrator_change("bob", true).await;
        let [first, second] = [[&demoted, &disabled], [&disabled, &demoted]][round % 2];
        let (by_alice, by_bob) =
            tokio::join!(async { two.processes[0].user_change(&alice, &name("bob"), first).await }, async {
                two.processes[1].user_change(&bob, &name("alice"), second).await
            },);
        assert_eq!(two.administrators().await, 1, "round {round}: {by_alice:?}, {by_bob:?}");
        firsts.push(by_alice.is_ok());
    }
    assert_raced(&firsts);
}

#[tokio::test]
async fn two_administrators_who_delete_each_other_leave_one() {
    let two = Two::new().await;
    two.administrator_change("admin", false).await;
    let mut firsts = Vec::new();
    for round in 0..ROUNDS_OF_NEW {
        let names = [&*format!("alice{round}"), &*format!("bob{round}")];
        let [alice, bob] = two.users(names).await;
        for user in names {
            two.administrator_change(user, true).await;
        }
        let [of_alice, of_bob] = &two.processes;
        let demoted = UserChange { is_administrator: Some(false), ..UserChange::default() };
        let by_alice = async { of_alice.account_delete(&alice, &name(names[1])).await };
        let by_bob = async {
            match round % 2 {
                0 => of_bob.account_delete(&bob, &name(names[0])).await,
                _ => of_bob.user_change(&bob, &name(names[0]), &demoted).await,
            }
        };
        let (by_alice, by_bob) = tokio::join!(by_alice, by_bob);
        assert_eq!(two.administrators().await, 1, "round {round}: {by_alice:?}, {by_bob:?}");
        firsts.push(by_alice.is_ok());
        for user in names {
            // One of them is no account any more.
            drop(two.house.access.account_delete(&root(), &name(user)).await);
        }
    }
    assert_raced(&firsts);
}

#[tokio::test]
async fn two_owners_who_remove_or_demote_each_other_or_leave_leave_one() {
    let two = Two::new().await;
    let [alice, bob] = two.users(["alice", "bob"]).await;
    let (team, access) = (name("team"), &two.house.access);
    let mut firsts = Vec::new();
    for round in 0..ROUNDS {
        for user in ["alice", "bob"] {
            access.member_put(&root(), &team, &name(user), OrganisationRole::Owner).await.unwrap();
        }
        let end = async |access: &Access, by: &Caller, other: &str, own: &str| match round % 3 {
            0 => access.member_delete(by, &team, &name(other)).await,
            1 => access.member_put(by, &team, &name(other), OrganisationRole::Member).await,
            _ => access.member_delete(by, &team, &name(own)).await,
        };
        let (by_alice, by_bob) = tokio::join!(
            end(&two.processes[0], &alice, "bob", "alice"),
            end(&two.processes[1], &bob, "alice", "bob"),
        );
        assert_eq!(two.owners().await, 1, "round {round}: {by_alice:?}, {by_bob:?}");
        firsts.push(by_alice.is_ok());
    }
    assert_raced(&firsts);
}

#[tokio::test]
async fn an_organisation_and_its_first_owner_are_made_at_one_moment() {
    let house = House::new().await;
    house.user("alice").await;
    let alice = login(&house.access, "alice").await;
    house.world.probe.reset();
    house.access.organisation_create(&alice, &name("band")).await.unwrap();
    let calls = house.world.probe.calls();
    assert_eq!(calls.iter().filter(|call| **call == ItemsTransact).count(), 1, "{calls:?}");
    let members = house.access.member_list(&alice, &name("band")).await.unwrap();
    assert_eq!(members.len(), 1);
    assert_eq!((members[0].0.as_str(), members[0].1.role), ("alice", OrganisationRole::Owner));
    assert_eq!(house.access.membership_list(&alice, &name("alice")).await.unwrap(), [name("band")]);
}

#[tokio::test]
async fn the_only_owner_of_an_organisation_is_not_deleted() {
    let house = House::new().await;
    for user in ["alice", "bob"] {
        house.user(user).await;
        house.access.member_put(&root(), &name("team"), &name(user), OrganisationRole::Owner).await.unwrap();
    }
    house.access.account_delete(&root(), &name("alice")).await.unwrap();
    let refused = house.access.account_delete(&root(), &name("bob")).await.unwrap_err();
    assert!(matches!(&refused, AccessError::Conflict(why) if why.contains("team")), "{refused:?}");
    // An organisation that is deleted needs nobody.
    house.access.account_delete(&root(), &name("team")).await.unwrap();
    house.access.account_delete(&root(), &name("bob")).await.unwrap();
}
