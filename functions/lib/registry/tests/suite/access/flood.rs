//! A flood of wrong credentials: it is refused after a while, and leaves few traces, however long it lasts.

use futures_util::future::join_all;
use registry::access::{Access, AccessError, Address, AuditFilter, Credential, Limits, Permission};
use registry::records::AuditOutcome;

use super::house::{House, PASSWORD, ask_token, field, limits, name, root};
use crate::world::World;
use test_support::access::basic;

/// How many wrong attempts each bucket holds.
const PER_ADDRESS: usize = 50;

const ADDRESS: &str = "192.0.2.7";

/// Returns what the audit log says of refused logins.
async fn refusals(access: &Access) -> Vec<String> {
    let entries = access.audit_list(&root(), &AuditFilter::default(), None, 10_000).await.unwrap().entries;
    let records = entries.into_iter().map(|entry| entry.record);
    let refused =
        records.filter(|record| record.action == "login" && record.outcome == AuditOutcome::Refused);
    refused.map(|record| format!("{} {} {}", record.target, record.address, record.detail)).collect()
}

fn count(refusals: &[String], word: &str) -> usize {
    refusals.iter().filter(|refusal| refusal.contains(word)).count()
}

/// Tries so often; returns how many attempts were looked at, and how many refused unseen.
async fn attempts(times: usize, attempt: impl AsyncFn() -> Result<(), AccessError>) -> (usize, usize) {
    let (mut looked_at, mut throttled) = (0, 0);
    for _ in 0..times {
        match attempt().await {
            Err(AccessError::Unauthorized) => looked_at += 1,
            Err(AccessError::Throttled { .. }) => throttled += 1,
            other => panic!("{other:?}"),
        }
    }
    (looked_at, throttled)
}

async fn log_in(access: &Access, user: &str, secret: &str) -> Result<(), AccessError> {
    access.login(user, &secret.into(), &Address::new(ADDRESS)).await.map(|_| ())
}

/// Returns a personal token that nobody was given.
fn unknown_token(number: usize) -> String {
    let body = format!("slipway_pat_{number:016x}{:064x}", number + 1);
    format!("{body}{:08x}", crc32fast::hash(body.as_bytes()))
}

#[tokio::test]
async fn guesses_that_an_empty_bucket_refuses_leave_one_trace_until_the_next_is_possible() {
    let house = House::new().await;
    house.user("alice").await;
    let processes = [house.access.clone(), house.world.access()];
    for window in 0..3 {
        let looked_at = if window == 0 { PER_ADDRESS } else { 1 };
        for (process, looked_at) in [(&processes[0], looked_at), (&processes[1], 0)] {
            let attempt = async || log_in(process, "alice", "a guess").await;
            assert_eq!(attempts(60, attempt).await, (looked_at, 60 - looked_at));
        }
        house.wait(15);
    }
    let refusals = refusals(&house.access).await;
    assert_eq!(count(&refusals, "alice 192.0.2.7 too many failed logins"), 3, "{refusals:#?}");
    assert_eq!(refusals.len(), PER_ADDRESS + 2 + 3, "{refusals:#?}");
}

#[tokio::test]
async fn guesses_at_the_same_time_leave_no_more_traces() {
    for seed in 0..5 {
        let house = House::on(World::yielding(seed)).await;
        house.user("alice").await;
        let processes = [house.access.clone(), house.world.access()];
        let guess = |number: usize| log_in(&processes[number % 2], "alice", "a guess");
        for _ in 0..3 {
            join_all((0..40).map(guess)).await;
        }
        let refusals = refusals(&house.access).await;
        assert_eq!(count(&refusals, "too many failed logins"), 1, "{refusals:#?}");
        assert!(refusals.len() <= PER_ADDRESS + 1, "{refusals:#?}");
    }
}

#[tokio::test]
async fn wrong_tokens_count_like_wrong_passwords_of_their_address_and_right_ones_open_all_the_same() {
    let house = House::new().await;
    house.user("alice").await;
    let access = &house.access;
    let revoked = house.personal("alice", Limits::None).await;
    access.token_revoke(&root(), &name("alice"), revoked.id()).await.unwrap();
    let robot = house.robot("ci", limits("team/*", &[Permission::Pull])).await;
    let personal = house.personal("alice", Limits::None).await;
    let numbers = std::cell::Cell::new(0);
    let attempt = async || {
        numbers.set(numbers.get() + 1);
        match numbers.get() % 3 {
            0 => log_in(access, "alice", revoked.reveal()).await,
            1 => log_in(access, "alice", &unknown_token(numbers.get())).await,
            _ => log_in(access, "team+other", robot.reveal()).await,
        }
    };
    assert_eq!(attempts(PER_ADDRESS + 50, &attempt).await, (PER_ADDRESS, 50));
    assert!(matches!(log_in(access, "alice", PASSWORD).await, Err(AccessError::Throttled { .. })));
    log_in(access, "alice", personal.reveal()).await.unwrap();
    log_in(access, "team+ci", robot.reveal()).await.unwrap();
    house.wait(15);
    assert_eq!(attempts(10, &attempt).await, (1, 9));
    let refusals = refusals(access).await;
    assert_eq!(count(&refusals, "too many failed logins"), 2, "{refusals:#?}");
    assert_eq!(refusals.len(), PER_ADDRESS + 1 + 2, "{refusals:#?}");
}

#[tokio::test]
async fn wrong_refresh_tokens_count_too() {
    let house = House::new().await;
    let shown = house.user("alice").await;
    let kept = ask_token(&house.client(), &basic("alice", PASSWORD), "offline_token=true").await;
    let kept: Credential = field(&kept.expect(200), "refresh_token").parse().unwrap();
    house.access.token_revoke(&root(), &name("alice"), kept.id()).await.unwrap();
    let address = Address::new(ADDRESS);
    let attempt = async || house.access.login_refresh(&kept, &address).await.map(|_| ());
    assert_eq!(attempts(PER_ADDRESS + 50, attempt).await, (PER_ADDRESS, 50));
    let refusals = refusals(&house.access).await;
    assert_eq!(refusals.len(), PER_ADDRESS + 1, "{refusals:#?}");
    house.client().at_address(ADDRESS).showing(&shown).get("/token").await.expect(429);
    house.client().at_address("192.0.2.8").showing(&shown).get("/token").await.expect(200);
}
