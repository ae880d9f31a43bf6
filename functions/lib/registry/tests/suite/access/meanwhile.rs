//! What somebody else does between the steps of a deletion, and deletes between the steps of something else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use registry::access::{Access, AccessError, Account, Caller, Limits, RepositoryChange, Role, UserChange};
use registry::records::OrganisationRole::{Member, Owner};
use registry::records::{AccountState, Grantee};
use registry::testing::Outcome;
use test_support::access::basic;

use super::endings::repositories;
use super::house::{House, bearer_of, login, name, root};
use crate::client::manifest;
use crate::content::Content;
use crate::world::World;

/// In how many orders of storage calls the race is run.
const ROUNDS: usize = 150;

/// How many organisations a user can own who is deleted: two writes are of the deletion itself, and one checks the account
/// of the other owner, who is the same everywhere.
const OWNED_MAX: usize = 97;

/// A process before whose call with a certain number somebody else does something.
pub(super) struct Interrupted {
    pub(super) access: Access,
    at: usize,
    calls: Arc<AtomicUsize>,
}

impl Interrupted {
    pub(super) fn new(house: &House, at: usize, work: impl Fn(&Access) + Send + Sync + 'static) -> Self {
        let (other, calls) = (house.world.access(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&calls);
        let access = house.world.access_hooked(move |_| {
            if counted.fetch_add(1, Ordering::SeqCst) == at {
                work(&other);
            }
            Outcome::Done
        });
        Self { access, at, calls }
    }

    /// Returns whether all was done before that call came.
    pub(super) fn is_past(&self) -> bool {
        self.calls.load(Ordering::SeqCst) <= self.at
    }
}

/// Does what waits for nothing, whatever comes of it.
pub(super) fn at_once<T>(work: impl Future<Output = Result<T, AccessError>>) {
    drop(work.now_or_never().expect("nothing waits"));
}

/// Returns `team` with these owners.
async fn owned(owners: &[&str]) -> House {
    let house = House::new().await;
    for owner in owners {
        house.user(owner).await;
        house.access.member_put(&root(), &name("team"), &name(owner), Owner).await.unwrap();
    }
    house
}

async fn state(house: &House, account: &str) -> Option<AccountState> {
    let accounts = house.access.account_list(&root(), None, 1000).await.unwrap();
    let (_, account) = accounts.into_iter().find(|(name, _)| name.as_str() == account)?;
    Some(match account {
        Account::User(user) => user.state,
        Account::Organisation(organisation) => organisation.state,
    })
}

/// Fails unless one of the owners of `team` can use their account.
async fn assert_owned(house: &House, at: usize) {
    let members = house.access.member_list(&root(), &name("team")).await.unwrap();
    for (user, member) in members {
        if member.role == Owner && state(house, user.as_str()).await == Some(AccountState::Active) {
            return;
        }
    }
    panic!("nobody owns the organisation, at {at}");
}

async fn create(access: &Access) -> Result<(), AccessError> {
    access.repository_create(&root(), &name("team/app"), &RepositoryChange::default()).await
}

#[tokio::test]
async fn an_account_in_which_a_repository_begins_while_it_is_deleted_stays() {
    for at in 0.. {
        let house = House::new().await;
        let process = Interrupted::new(&house, at, |other| at_once(create(other)));
        let deleted = process.access.account_delete(&root(), &name("team")).await;
        let is_there = !repositories(&house.world).await.is_empty();
        assert_ne!(deleted.is_ok(), is_there, "at {at}: {deleted:?}");
        assert_eq!(state(&house, "team").await.is_some(), is_there, "at {at}");
        if is_there {
            assert!(matches!(&deleted, Err(AccessError::Conflict(why)) if why.contains("team/app")));
        }
        if process.is_past() {
            break;
        }
    }
}

#[tokio::test]
async fn no_repository_is_made_in_an_account_that_ends_meanwhile_or_has_ended() {
    for at in 0.. {
        let house = House::new().await;
        let delete = |other: &Access| at_once(other.account_delete(&root(), &name("team")));
        let process = Interrupted::new(&house, at, delete);
        let made = create(&process.access).await;
        assert_eq!(made.is_ok(), process.is_past(), "at {at}: {made:?}");
        assert_eq!(made.is_ok(), !repositories(&house.world).await.is_empty(), "at {at}");
        if process.is_past() {
            break;
        }
        assert!(matches!(create(&house.access).await, Err(AccessError::Forbidden(_))));
    }
}

#[tokio::test]
async fn an_account_that_is_deleted_while_a_repository_begins_in_it_is_gone_or_has_it() {
    let house = House::on(World::yielding(3)).await;
    let (other, index) = (house.world.access(), Content::index(&[]));
    let token = house.personal("admin", Limits::None).await;
    let mut outcomes = Vec::new();
    for round in 0..ROUNDS {
        let (band, app) = (format!("band{round}"), format!("band{round}/app"));
        house.access.organisation_create(&root(), &name(&band)).await.unwrap();
        let client = house.client();
        let scope = format!("repository:{app}:pull,push");
        let client = client.showing(&bearer_of(&client, &basic("admin", token.reveal()), &[&scope]).await);
        let begun = async {
            for _ in 0..round % 8 {
                client.head(&manifest(&app, "v0")).await.expect(404);
            }
            match round % 2 {
                0 => client.put_manifest(&app, "v1", &index).await.status == 201,
                _ => {
                    let change = RepositoryChange::default();
                    house.access.repository_create(&root(), &name(&app), &change).await.is_ok()
                }
            }
        };
        let (by, account) = (root(), name(&band));
        let (is_begun, deleted) = tokio::join!(begun, other.account_delete(&by, &account));
        let is_there = house.access.repository_get(&root(), &name(&app)).await.is_ok();
        assert_eq!((is_begun, deleted.is_ok()), (is_there, !is_there), "round {round}: {deleted:?}");
        outcomes.push(is_there);
    }
    assert!(outcomes.contains(&true) && outcomes.contains(&false), "there was no race");
    house.world.fsck().await;
}

#[tokio::test]
async fn an_organisation_keeps_an_owner_when_two_go_at_the_same_time() {
    type Work = fn(&Access);
    let works: [(Work, Work); 4] = [
        (
            |access| at_once(access.account_delete(&root(), &name("alice"))),
            |other| {
                at_once(other.member_delete(&root(), &name("team"), &name("bob")));
            },
        ),
        (
            |access| at_once(access.account_delete(&root(), &name("alice"))),
            |other| {
                at_once(other.account_delete(&root(), &name("bob")));
            },
        ),
        (
            |access| at_once(access.member_delete(&root(), &name("team"), &name("alice"))),
            |other| {
                at_once(other.account_delete(&root(), &name("bob")));
            },
        ),
        (
            |access| at_once(access.member_put(&root(), &name("team"), &name("alice"), Member)),
            |other| {
                at_once(other.member_put(&root(), &name("team"), &name("bob"), Member));
            },
        ),
    ];
    for (work, other_work) in works {
        for at in 0.. {
            let house = owned(&["alice", "bob"]).await;
            let process = Interrupted::new(&house, at, other_work);
            work(&process.access);
            assert_owned(&house, at).await;
            if process.is_past() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn an_owner_who_is_disabled_is_nobody_to_leave_an_organisation_to() {
    let house = owned(&["alice", "bob"]).await;
    let (access, team, alice) = (&house.access, name("team"), name("alice"));
    let disable = async |is_disabled| {
        let change = UserChange { is_disabled: Some(is_disabled), ..UserChange::default() };
        access.user_change(&root(), &name("bob"), &change).await.unwrap();
    };
    disable(true).await;
    for refused in [
        access.account_delete(&root(), &alice).await,
        access.member_delete(&root(), &team, &alice).await,
        access.member_put(&root(), &team, &alice, Member).await,
    ] {
        assert!(matches!(&refused, Err(AccessError::Conflict(why)) if why.contains("only owner")));
    }
    disable(false).await;
    access.account_delete(&root(), &alice).await.unwrap();
}

#[tokio::test]
async fn a_user_who_makes_an_organisation_or_is_left_one_while_they_are_deleted_stays() {
    type Work = fn(&Access, &Caller);
    let works: [Work; 2] = [
        |other, alice| at_once(other.organisation_create(alice, &name("band"))),
        |other, _| {
            at_once(other.member_put(&root(), &name("team"), &name("alice"), Owner));
            at_once(other.member_delete(&root(), &name("team"), &name("bob")));
        },
    ];
    for work in works {
        for at in 0.. {
            let house = owned(&["bob"]).await;
            house.user("alice").await;
            let alice = login(&house.access, "alice").await;
            let process = Interrupted::new(&house, at, move |other| work(other, &alice));
            let deleted = process.access.account_delete(&root(), &name("alice")).await;
            let is_there = state(&house, "band").await.is_some();
            assert!(deleted.is_err() || !is_there, "at {at}: nobody owns what they made");
            assert_owned(&house, at).await;
            if process.is_past() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn nobody_makes_an_organisation_of_their_own_name() {
    let house = owned(&["alice"]).await;
    let alice = login(&house.access, "alice").await;
    let taken = house.access.organisation_create(&alice, &name("alice")).await;
    assert!(matches!(&taken, Err(AccessError::Conflict(why)) if why.contains("taken")), "{taken:?}");
}

#[tokio::test]
async fn an_administrator_deletes_another_one_with_whom_they_own_an_organisation() {
    let house = owned(&["alice", "bob"]).await;
    let change = UserChange { is_administrator: Some(true), ..UserChange::default() };
    for user in ["alice", "bob"] {
        house.access.user_change(&root(), &name(user), &change).await.unwrap();
    }
    let alice = login(&house.access, "alice").await;
    house.access.account_delete(&alice, &name("bob")).await.unwrap();
    assert_owned(&house, 0).await;
}

#[tokio::test]
async fn who_owns_more_than_one_transaction_can_check_is_taken_out_of_some_first() {
    let house = owned(&["alice", "bob"]).await;
    for number in 0..OWNED_MAX {
        let band = name(&format!("band{number}"));
        house.access.organisation_create(&root(), &band).await.unwrap();
        for owner in ["alice", "bob"] {
            house.access.member_put(&root(), &band, &name(owner), Owner).await.unwrap();
        }
    }
    let refused = house.access.account_delete(&root(), &name("alice")).await;
    assert!(
        matches!(&refused, Err(AccessError::Conflict(why)) if why.contains("some of them")),
        "{refused:?}"
    );
    house.access.member_delete(&root(), &name("team"), &name("alice")).await.unwrap();
    house.access.account_delete(&root(), &name("alice")).await.unwrap();
}

/// Returns `team` with a team `devs`, a member alice, and a repository.
async fn team() -> House {
    let house = House::new().await;
    house.user("alice").await;
    house.access.member_put(&root(), &name("team"), &name("alice"), Member).await.unwrap();
    house.access.team_put(&root(), &name("team"), &name("devs"), "").await.unwrap();
    create(&house.access).await.unwrap();
    house
}

async fn join(access: &Access) -> Result<(), AccessError> {
    access.team_member_change(&root(), &name("team"), &name("devs"), &name("alice"), true).await
}

async fn grant(access: &Access) -> Result<(), AccessError> {
    let devs = Grantee::Team(name("devs"));
    access.grant_put(&root(), &name("team/app"), &devs, Role::Push).await
}

async fn team_delete(access: &Access) -> Result<(), AccessError> {
    access.team_delete(&root(), &name("team"), &name("devs")).await
}

/// Fails if a team that is made again under this name has anything of the old one.
async fn assert_no_heir(house: &House, at: usize) {
    house.access.team_put(&root(), &name("team"), &name("devs"), "").await.unwrap();
    let members = house.access.member_list(&root(), &name("team")).await.unwrap();
    assert!(members.iter().all(|(_, member)| member.teams.is_empty()), "at {at}: {members:?}");
    let grants = house.access.grant_list(&root(), &name("team/app")).await.unwrap();
    assert!(grants.is_empty(), "at {at}: {grants:?}");
}

#[tokio::test]
async fn a_team_inherits_nothing_that_its_namesake_was_given_while_it_was_deleted() {
    for work in [|other: &Access| at_once(join(other)), |other: &Access| at_once(grant(other))] {
        for at in 0.. {
            let house = team().await;
            let process = Interrupted::new(&house, at, work);
            team_delete(&process.access).await.unwrap();
            assert_no_heir(&house, at).await;
            if process.is_past() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_given_to_a_team_that_was_deleted_meanwhile() {
    for work in [|access: &Access| at_once(join(access)), |access: &Access| at_once(grant(access))] {
        for at in 0.. {
            let house = team().await;
            let process = Interrupted::new(&house, at, |other| at_once(team_delete(other)));
            work(&process.access);
            if process.is_past() {
                break;
            }
            assert_no_heir(&house, at).await;
        }
    }
}

#[tokio::test]
async fn a_team_whose_deletion_broke_off_takes_nobody_and_is_ended_by_a_repetition() {
    let mut broken_off = 0;
    for at in 0.. {
        let house = team().await;
        join(&house.access).await.unwrap();
        let counted = AtomicUsize::new(0);
        let process = house.world.access_hooked(move |_| match counted.fetch_add(1, Ordering::SeqCst) < at {
            true => Outcome::Done,
            false => Outcome::Failed(registry::ports::StoreErrorKind::Unavailable),
        });
        if team_delete(&process).await.is_ok() {
            break;
        }
        if let Err(AccessError::Conflict(why)) = grant(&house.access).await {
            assert!(why.contains("is being deleted"), "{why}");
            let again = house.access.team_put(&root(), &name("team"), &name("devs"), "").await;
            assert!(matches!(again, Err(AccessError::Conflict(_))), "{again:?}");
            broken_off += 1;
        }
        team_delete(&house.access).await.unwrap();
        assert_no_heir(&house, at).await;
    }
    assert!(broken_off > 0, "it never broke off in the middle");
}
