//! The audit log is asked by who, what, to what, how it ended, and when.

use registry::access::{Access, AuditFilter};
use registry::ports::Clock;
use registry::records::AuditOutcome;
use registry::testing::Call::ItemsQuery;

use super::house::{House, ask_token, root};

/// Returns action and target of what is found, in pages of so many.
async fn found(access: &Access, filter: &AuditFilter, limit: usize) -> Vec<String> {
    let (mut found, mut before) = (Vec::new(), None::<String>);
    loop {
        let page = access.audit_list(&root(), filter, before.as_deref(), limit).await.unwrap();
        assert!(page.entries.len() <= limit);
        found.extend(
            page.entries.iter().map(|entry| format!("{} {}", entry.record.action, entry.record.target)),
        );
        let Some(next) = page.next else { return found };
        assert!(before.is_none_or(|before| next < before), "the log has no end");
        before = Some(next);
    }
}

/// A day with a login every minute, with something else in between.
async fn house() -> House {
    let house = House::new().await;
    let alice = house.user("alice").await;
    house.wait(24 * 60 * 60);
    for _ in 0..40 {
        house.wait(60);
        ask_token(&house.client(), &alice, "client_id=docker").await.expect(200);
    }
    house.user("bob").await;
    ask_token(&house.client(), &alice, "scope=repository:team/app:push").await.expect(200);
    house.wait(60);
    ask_token(&house.client(), &alice, "client_id=docker").await.expect(200);
    house
}

#[tokio::test]
async fn each_filter_finds_what_it_says_in_pages_of_any_size() {
    let house = house().await;
    let text = |text: &str| Some(text.to_owned());
    let none = AuditFilter::default();
    let now = house.world.clock.now();
    let before_last = registry::ports::Timestamp::from_millis(now.as_millis() - 60_000);
    for (filter, expected) in [
        (AuditFilter { outcome: Some(AuditOutcome::Refused), ..none.clone() }, vec!["push team/app"]),
        (
            AuditFilter { actor: text("alice"), not_action: text("login"), ..none.clone() },
            vec!["push team/app"],
        ),
        (
            AuditFilter { action: text("user"), ..none.clone() },
            vec!["user.create bob", "user.create alice", "user.create admin"],
        ),
        (
            AuditFilter { action: text("user.create"), target: text("alice"), ..none.clone() },
            vec!["user.create alice"],
        ),
        (AuditFilter { action: text("use"), ..none.clone() }, vec![]),
        (AuditFilter { since: Some(now), ..none.clone() }, vec!["login docker"]),
        (
            AuditFilter {
                since: Some(before_last),
                until: Some(now),
                not_action: text("login"),
                ..none.clone()
            },
            vec!["push team/app", "user.create bob"],
        ),
    ] {
        for limit in [1, 2, 7, 1000] {
            let mut found = found(&house.access, &filter, limit).await;
            found.sort();
            let mut expected = expected.clone();
            expected.sort_unstable();
            assert_eq!(found, expected, "{filter:?} by {limit}");
        }
    }
    for limit in [1, 7, 1000] {
        assert_eq!(found(&house.access, &none, limit).await.len(), 42 + 5, "by {limit}");
        let logins = AuditFilter { action: text("login"), ..none.clone() };
        assert_eq!(found(&house.access, &logins, limit).await.len(), 42, "by {limit}");
    }
}

#[tokio::test]
async fn logins_are_not_read_where_none_is_meant() {
    let house = house().await;
    let now = house.world.clock.now();
    let today = AuditFilter { since: Some(now), ..AuditFilter::default() };
    for (filter, queries) in [
        (today.clone(), 2),
        (AuditFilter { not_action: Some("login".to_owned()), ..today.clone() }, 1),
        (AuditFilter { outcome: Some(AuditOutcome::Refused), ..today.clone() }, 1),
        (AuditFilter { action: Some("user.create".to_owned()), ..today }, 1),
    ] {
        house.world.probe.reset();
        house.access.audit_list(&root(), &filter, None, 100).await.unwrap();
        let calls = house.world.probe.calls();
        assert_eq!(
            calls.iter().filter(|call| **call == ItemsQuery).count(),
            queries,
            "{filter:?}: {calls:?}"
        );
    }
}
