//! Limits hold for those, too, who ask several times at the same moment.

use futures_util::future::join_all;
use registry::access::{
    AccessError, Account, Caller, Credential, Denied, Gate, Limits, Push, TokenState, TokenWanted, UserChange,
};
use registry::records::OrganisationRole::Owner;

use super::house::{House, PASSWORD, login, name, root};
use crate::client::Client;
use crate::world::World;

/// How many ask at once.
const AT_ONCE: usize = 8;

/// How many logins an account has at most.
const LOGINS_MAX: usize = 1000;

/// Returns how many of those who asked at once, each in a process of its own, got what they asked for.
async fn granted<T>(asked: impl IntoIterator<Item = impl Future<Output = Result<T, AccessError>>>) -> usize {
    let mut granted = 0;
    for answer in join_all(asked).await {
        match answer {
            Ok(_) => granted += 1,
            Err(AccessError::Conflict(_) | AccessError::Unauthorized) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    granted
}

async fn houses(seeds: u64) -> Vec<House> {
    let mut houses = Vec::new();
    for seed in 0..seeds {
        let house = House::on(World::yielding(seed)).await;
        house.user("alice").await;
        houses.push(house);
    }
    houses
}

#[tokio::test]
async fn of_those_who_make_organisations_at_once_nobody_comes_to_own_more_than_twenty() {
    for house in houses(5).await {
        let alice = login(&house.access, "alice").await;
        for number in 0..18 {
            house.access.organisation_create(&alice, &name(&format!("band-{number}"))).await.unwrap();
        }
        // The last but one place is for one that she was made an owner of, and agrees to.
        house.access.organisation_create(&root(), &name("gift")).await.unwrap();
        house.user("bob").await;
        let (bob, processes) = (login(&house.access, "bob").await, house.processes());
        house.access.member_put(&root(), &name("gift"), &name("bob"), Owner).await.unwrap();
        house.access.member_put(&bob, &name("gift"), &name("alice"), Owner).await.unwrap();
        let making = async |number: usize| match number {
            0 => processes[0].member_put(&alice, &name("gift"), &name("alice"), Owner).await,
            _ => processes[number].organisation_create(&alice, &name(&format!("more-{number}"))).await,
        };
        assert_eq!(granted((0..AT_ONCE).map(making)).await, 2);
    }
}

#[tokio::test]
async fn whoever_makes_and_deletes_organisations_takes_a_hundred_names_at_most() {
    let house = House::new().await;
    house.user("alice").await;
    let alice = login(&house.access, "alice").await;
    let mut made = 0;
    let refused = loop {
        let band = name(&format!("band-{made}"));
        match house.access.organisation_create(&alice, &band).await {
            Ok(()) => made += 1,
            Err(refused) => break refused,
        }
        house.access.account_delete(&alice, &band).await.unwrap();
        assert!(made < 200, "names are taken without end");
    };
    assert_eq!(made, 100);
    assert!(
        matches!(&refused, AccessError::Conflict(why) if why.contains("deleted ones too")),
        "{refused:?}"
    );
    // What an administrator makes for her does not count.
    house.access.organisation_create(&root(), &name("gift")).await.unwrap();
    house.access.member_put(&root(), &name("gift"), &name("alice"), Owner).await.unwrap();
    // The count outlives a change of the account.
    let change = UserChange { is_disabled: Some(false), ..UserChange::default() };
    house.access.user_change(&root(), &name("alice"), &change).await.unwrap();
    house.access.organisation_create(&alice, &name("one-more")).await.unwrap_err();
}

#[tokio::test]
async fn of_those_who_make_tokens_at_once_none_gets_more_than_a_thousand() {
    let house = House::on(World::yielding(1)).await;
    house.user("alice").await;
    let alice = login(&house.access, "alice").await;
    let wanted = || TokenWanted { robot: None, label: String::new(), limits: Limits::None, life: None };
    for _ in 0..997 {
        house.access.token_create(&alice, &name("alice"), wanted()).await.unwrap();
    }
    let (processes, owner) = (house.processes(), name("alice"));
    let making = async |number: usize| processes[number].token_create(&alice, &owner, wanted()).await;
    for _ in 0..10 {
        assert_eq!(granted((0..AT_ONCE).map(making)).await, 3);
        let tokens = house.access.token_list(&alice, &owner).await.unwrap();
        for token in &tokens[..3] {
            house.access.token_revoke(&alice, &owner, &token.id).await.unwrap();
        }
    }
}

async fn keep(house: &House, caller: &Caller) -> Credential {
    house.wait(1);
    house.access.refresh_issue(caller, "docker").await.unwrap().unwrap()
}

#[tokio::test]
async fn a_user_keeps_a_thousand_logins_and_those_go_first_that_were_not_used_for_longest() {
    let house = House::new().await;
    house.user("alice").await;
    let alice = login(&house.access, "alice").await;
    let personal = house.personal("alice", Limits::None).await;
    let (used, unused) = (keep(&house, &alice).await, keep(&house, &alice).await);
    for _ in 2..LOGINS_MAX {
        keep(&house, &alice).await;
    }
    let address = registry::access::Address::default();
    house.access.login_refresh(&used, &address).await.unwrap();
    let last = keep(&house, &alice).await;
    let refused = house.access.login_refresh(&unused, &address).await;
    assert!(matches!(refused, Err(AccessError::Unauthorized)), "{refused:?}");
    house.access.login_refresh(&used, &address).await.unwrap();
    house.access.login_refresh(&last, &address).await.unwrap();
    house.access.login("alice", &personal.reveal().into(), &address).await.unwrap();
    for _ in 0..2 * LOGINS_MAX / 5 {
        keep(&house, &alice).await;
    }
    let (tokens, _) = house.access.token_page(&root(), &name("alice"), None, 10 * LOGINS_MAX).await.unwrap();
    assert!(tokens.iter().all(|token| token.state == TokenState::Good));
    assert!((LOGINS_MAX - 200..=LOGINS_MAX + 1).contains(&tokens.len()), "{}", tokens.len());
    house.world.fsck().await;
}

#[tokio::test]
async fn of_those_who_make_the_first_user_at_once_one_does_and_is_the_administrator() {
    for seed in 0..5 {
        let world = World::yielding(seed);
        let processes: Vec<_> = (0..AT_ONCE).map(|_| super::repositories::open(&world)).collect();
        let making = async |number: usize| {
            let user = name(&format!("user-{number}"));
            processes[number].user_create(&root(), &user, &PASSWORD.into(), false).await
        };
        assert_eq!(granted((0..AT_ONCE).map(making)).await, 1);
        let operator = world.access().for_operator();
        let accounts = operator.account_list(&root(), None, 100).await.unwrap();
        let is_administrator =
            |account: &Account| matches!(account, Account::User(user) if user.is_administrator);
        assert_eq!(accounts.len(), 1);
        assert!(accounts.iter().all(|(_, account)| is_administrator(account)));
        Client::guarded(&processes[0]).get("/v2/").await.expect(401);
    }
}

#[tokio::test]
async fn who_came_while_the_registry_was_open_manages_nothing_once_it_is_closed() {
    let world = World::new();
    let access = super::repositories::open(&world);
    let repository = registry::access::RepositoryChange::default();
    access.repository_create(&root(), &name("app"), &repository).await.unwrap();
    access.user_create(&root(), &name("admin"), &PASSWORD.into(), true).await.unwrap();
    // Their requests are under way: who they are was found out before their bodies came.
    let password = UserChange { password: Some("another Boat 7 lamp".into()), ..UserChange::default() };
    for result in [
        access.user_create(&root(), &name("mallory"), &PASSWORD.into(), true).await.map(drop),
        access.user_change(&root(), &name("admin"), &password).await,
        access.organisation_create(&root(), &name("mallory")).await,
        access.repository_create(&root(), &name("mallory"), &repository).await,
        access.repository_change(&root(), &name("app"), &repository).await,
        access.repository_delete(&root(), &name("app")).await.map(drop),
        access.account_delete(&root(), &name("admin")).await,
    ] {
        assert!(matches!(result, Err(AccessError::Unauthorized)), "{result:?}");
    }
    let gate = Gate::guarded(access.clone());
    let admitted = gate.admit::<Push>(&root(), &name("app")).await;
    assert!(matches!(admitted, Err(Denied::Unauthorized(_))));
    assert_eq!(super::endings::repositories(&world).await.len(), 1);
    // Who has the stores in hand is asked nothing.
    access.for_operator().user_create(&root(), &name("bob"), &PASSWORD.into(), false).await.unwrap();
}
