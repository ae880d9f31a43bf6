//! Guessing passwords: how often somebody may be wrong, however many processes are asked.

use std::time::Duration;

use futures_util::future::join_all;
use registry::access::{Access, AccessError, Address};
use registry::ports::{Clock, Condition, Item, ItemStore, Key, Version, Write};
use registry::records::{BucketRecord, Record, keys};
use test_support::access::basic;

use super::house::{House, PASSWORD, name, root};
use crate::client::Client;
use crate::world::World;

/// How many wrong attempts each bucket holds.
const PER_ACCOUNT: usize = 150;
const PER_ADDRESS: usize = 50;

async fn try_login(access: &Access, user: &str, password: &str, address: &str) -> Result<(), AccessError> {
    access.login(user, &password.into(), &Address::new(address)).await.map(|_| ())
}

fn is_throttled(result: &Result<(), AccessError>) -> bool {
    matches!(result, Err(AccessError::Throttled { .. }))
}

/// Makes this many guesses at the same time, by turns at each process; returns how many were looked at.
async fn guesses(processes: &[Access], count: usize, user: impl Fn(usize) -> String, address: &str) -> usize {
    let guess = |number: usize| {
        let (access, user) = (processes[number % processes.len()].clone(), user(number));
        async move { try_login(&access, &user, &format!("guess {number}"), address).await }
    };
    let results = join_all((0..count).map(guess)).await;
    results.iter().filter(|result| matches!(result, Err(AccessError::Unauthorized))).count()
}

#[tokio::test]
async fn guesses_at_two_processes_at_once_never_get_ahead_of_the_count() {
    for seed in 0..2 {
        let house = House::on(World::yielding(seed)).await;
        house.user("alice").await;
        let processes = [house.world.access(), house.world.access()];
        let mut looked_at = 0;
        for _ in 0..3 {
            looked_at += guesses(&processes, 20, |_| "alice".to_owned(), "").await;
        }
        assert!(looked_at <= PER_ACCOUNT, "{looked_at}");
        while !is_throttled(&try_login(&processes[0], "alice", "wrong", "").await) {
            looked_at += 1;
        }
        assert_eq!(looked_at, PER_ACCOUNT);
        // Not even the right password is looked at now.
        for access in &processes {
            assert!(is_throttled(&try_login(access, "alice", PASSWORD, "").await));
        }
        house.wait(4);
        assert!(is_throttled(&try_login(&processes[1], "alice", PASSWORD, "").await));
        house.wait(1);
        try_login(&processes[1], "alice", PASSWORD, "").await.unwrap();
        // What was right costs no attempt.
        try_login(&processes[0], "alice", PASSWORD, "").await.unwrap();
        try_login(&processes[0], "alice", "wrong", "").await.unwrap_err();
        assert!(is_throttled(&try_login(&processes[0], "alice", PASSWORD, "").await));
    }
}

#[tokio::test]
async fn a_bucket_fills_by_one_attempt_in_five_seconds_and_no_further_than_it_holds() {
    let house = House::new().await;
    house.user("alice").await;
    for (waited_secs, attempts) in [(0, PER_ACCOUNT), (10, 2), (25, 5), (7 * 24 * 60 * 60, PER_ACCOUNT)] {
        house.wait(waited_secs);
        let looked_at =
            guesses(std::slice::from_ref(&house.access), attempts + 5, |_| "alice".to_owned(), "").await;
        assert_eq!(looked_at, attempts, "after {waited_secs} s");
    }
}

#[tokio::test]
async fn an_address_has_fifty_guesses_over_all_accounts_and_others_have_their_own() {
    let house = House::new().await;
    house.user("alice").await;
    let processes = [house.access.clone(), house.world.access()];
    // Names that nobody can have count all the same.
    let someone = |number: usize| {
        if number.is_multiple_of(2) { format!("user-{number}") } else { format!("No Name {number}") }
    };
    assert_eq!(guesses(&processes, PER_ADDRESS + 20, someone, "192.0.2.7").await, PER_ADDRESS);
    assert!(is_throttled(&try_login(&processes[0], "alice", PASSWORD, "192.0.2.7").await));
    try_login(&processes[0], "alice", PASSWORD, "192.0.2.8").await.unwrap();
    house.wait(15);
    try_login(&processes[0], "alice", PASSWORD, "192.0.2.7").await.unwrap();
}

#[tokio::test]
async fn right_logins_at_the_same_time_are_not_refused() {
    let house = House::on(World::yielding(1)).await;
    house.user("alice").await;
    let processes = [house.access.clone(), house.world.access()];
    let logins = (0..50).map(|number| try_login(&processes[number % 2], "alice", PASSWORD, "192.0.2.7"));
    for (number, result) in join_all(logins).await.into_iter().enumerate() {
        assert!(result.is_ok(), "{number}: {result:?}");
    }
    // And each attempt was given back.
    assert_eq!(guesses(&processes, PER_ACCOUNT, |_| "alice".to_owned(), "").await, PER_ACCOUNT);
}

/// As if as many logins were under way in other processes as there may be.
async fn take_all(house: &House) -> Key {
    let key = keys::attempts("account", "alice");
    let at = house.world.clock.now();
    let record = Record::Bucket(BucketRecord { left_thousandths: 0, at, is_noted: false });
    let item = Item { key: key.clone(), version: Version::new("others"), record };
    house.world.items.transact(vec![Write::Put(item, Condition::Always)]).await.unwrap();
    key
}

#[tokio::test(start_paused = true)]
async fn a_right_login_waits_for_others_under_way_who_give_back_their_attempts() {
    let house = House::new().await;
    house.user("alice").await;
    let key = take_all(&house).await;
    let others = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        house.world.items.transact(vec![Write::Delete(key, Condition::Always)]).await.unwrap();
    };
    let (login, ()) = tokio::join!(try_login(&house.access, "alice", PASSWORD, ""), others);
    login.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_where_somebody_waited_in_vain() {
    let house = House::new().await;
    house.user("alice").await;
    take_all(&house).await;
    for is_first in [true, false] {
        let before = tokio::time::Instant::now();
        assert!(is_throttled(&try_login(&house.access, "alice", PASSWORD, "").await));
        assert_eq!(before.elapsed() > Duration::from_secs(1), is_first);
    }
}

#[tokio::test]
async fn nobody_alone_keeps_others_out_of_their_account() {
    let house = House::new().await;
    house.user("alice").await;
    for round in 0..30 {
        while !is_throttled(&try_login(&house.access, "alice", "a guess", "192.0.2.7").await) {}
        let login = try_login(&house.access, "alice", PASSWORD, "192.0.2.8").await;
        assert!(login.is_ok(), "after {round} times all that one address may: {login:?}");
        house.wait(15);
    }
}

#[tokio::test]
async fn stored_tokens_open_while_the_password_is_throttled() {
    let house = House::new().await;
    house.user("alice").await;
    let personal = house.personal("alice", registry::access::Limits::None).await;
    guesses(std::slice::from_ref(&house.access), PER_ACCOUNT + 1, |_| "alice".to_owned(), "192.0.2.7").await;
    try_login(&house.access, "alice", personal.reveal(), "192.0.2.7").await.unwrap();
}

#[tokio::test]
async fn who_is_throttled_is_told_when_to_come_back() {
    let house = House::new().await;
    let client = house.client().at_address("192.0.2.7").showing(&basic("alice", "wrong"));
    for _ in 0..PER_ADDRESS {
        client.get("/token").await.expect(401);
    }
    for path in ["/token", "/v2/", "/v2/team/app/tags/list"] {
        let reply = client.get(path).await.expect(429);
        assert_eq!(reply.header("retry-after"), "15");
        assert!(String::from_utf8_lossy(&reply.body).contains("TOOMANYREQUESTS"));
    }
    let form = "grant_type=password&username=alice&password=wrong&service=registry.test&client_id=x";
    client.post("/token", form).await.expect(429);
}

#[tokio::test]
async fn a_change_of_the_password_counts_guesses_of_the_old_one() {
    let house = House::new().await;
    house.user("alice").await;
    let alice = super::house::login(&house.access, "alice").await;
    let change = |old: &str| registry::access::UserChange {
        password: Some("another-Harbour-95-kettle".into()),
        old_password: Some(old.into()),
        ..Default::default()
    };
    for _ in 0..PER_ACCOUNT {
        let result = house.access.user_change(&alice, &name("alice"), &change("a guess")).await;
        assert!(matches!(result, Err(AccessError::Forbidden(_))), "{result:?}");
    }
    let result = house.access.user_change(&alice, &name("alice"), &change(PASSWORD)).await;
    assert!(matches!(result, Err(AccessError::Throttled { .. })), "{result:?}");
}

#[tokio::test]
async fn a_token_is_no_old_password() {
    let house = House::new().await;
    house.user("alice").await;
    let personal = house.personal("alice", registry::access::Limits::None).await;
    let thief = house.access.login("alice", &personal.reveal().into(), &Address::default()).await.unwrap();
    let change = registry::access::UserChange {
        password: Some("another-Harbour-95-kettle".into()),
        old_password: Some(personal.reveal().into()),
        ..Default::default()
    };
    let result = house.access.user_change(&thief, &name("alice"), &change).await;
    assert!(matches!(result, Err(AccessError::Forbidden(_))), "{result:?}");
    try_login(&house.access, "alice", PASSWORD, "").await.unwrap();
}

#[tokio::test]
async fn two_first_administrators_at_once_are_one() {
    let world = World::new();
    let processes = [world.access(), world.access()];
    let (first, second) = ("plum-Harbour-94-kettle".into(), "pear-Harbour-94-kettle".into());
    let made = tokio::join!(
        processes[0].first_administrator_create(&first),
        processes[1].first_administrator_create(&second),
    );
    assert!(made.0.unwrap() ^ made.1.unwrap());
    assert!(!processes[0].first_administrator_create(&second).await.unwrap());
    let known = Client::guarded(&processes[0]).showing(&basic("admin", PASSWORD)).get("/v2/").await.status;
    let other = Client::guarded(&processes[0]).showing(&basic("admin", "pear-Harbour-94-kettle"));
    assert!((known == 200) ^ (other.get("/v2/").await.status == 200));
    assert!(matches!(
        processes[0].user_create(&root(), &name("admin"), &PASSWORD.into(), false).await,
        Err(AccessError::Conflict(_))
    ));
}
