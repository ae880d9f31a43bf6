//! What somebody else does between the steps of a push that begins a repository.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use registry::access::{Access, AccessError, RepositoryChange, Role};
use registry::records::{Grantee, Visibility};
use registry::testing::{Call, Outcome};

use super::endings::{
    SCOPE, assert_nothing_is_left, assert_refused, grant, house, repositories, repository_delete,
};
use super::house::{House, bearer_of, name, root};
use crate::client::{Client, Reply, uploads};
use crate::content::Content;

/// Returns a hook that does the work before each call, told the call and how many of its kind came before, once it is
/// armed.
fn before_each(
    armed: &Arc<AtomicBool>,
    work: impl Fn(Call, usize) + Send + Sync + 'static,
) -> impl Fn(Call) -> Outcome + Send + Sync + 'static {
    let (armed, counted) = (Arc::clone(armed), Mutex::new(HashMap::<Call, usize>::new()));
    move |call| {
        if armed.load(Ordering::SeqCst) {
            let number = {
                let mut counted = counted.lock().unwrap();
                let number = counted.entry(call).or_default();
                *number += 1;
                *number - 1
            };
            work(call, number);
        }
        Outcome::Done
    }
}

/// Returns a client of a process that remembers the right to push, and beside which somebody else works, once the
/// flag is up.
async fn beside(
    house: &House,
    shown: &str,
    work: impl Fn(&Access, Call, usize) + Send + Sync + 'static,
) -> (Client, Arc<AtomicBool>) {
    let (other, armed) = (house.world.access(), Arc::new(AtomicBool::new(false)));
    let hook = before_each(&armed, move |call, number| work(&other, call, number));
    let client = Client::guarded(&house.world.access_hooked(hook));
    let client = client.showing(&bearer_of(&client, shown, &[SCOPE]).await);
    client.post(&uploads("team/app"), "").await.expect(202);
    (client, armed)
}

/// Does what waits for nothing.
fn at_once<T>(work: impl Future<Output = Result<T, AccessError>>) {
    work.now_or_never().expect("nothing waits").unwrap();
}

/// Puts an index without children, so that nothing else than the repository can be missing.
async fn put_index(client: &Client, armed: &AtomicBool) -> Reply {
    armed.store(true, Ordering::SeqCst);
    let reply = client.put_manifest("team/app", "v1", &Content::index(&[])).await;
    armed.store(false, Ordering::SeqCst);
    reply
}

#[tokio::test]
async fn no_repository_begins_in_an_account_that_ended_since_that_was_decided() {
    let house = House::new().await;
    // The first write is of the edges, the second one is the commit.
    let work = |access: &Access, call, number| {
        if (call, number) == (Call::ItemsTransact, 1) {
            at_once(access.account_delete(&root(), &name("team")));
        }
    };
    let (client, armed) = beside(&house, &house.all_in_team().await, work).await;
    let refused = put_index(&client, &armed).await;
    assert_refused(&house, &client, "team/app", &refused).await;
    assert_nothing_is_left(&house).await;
}

#[tokio::test]
async fn a_repository_that_somebody_else_has_begun_meanwhile_stays_what_it_is() {
    for moment in [(Call::ItemsGet, 1), (Call::ItemsTransact, 1)] {
        let house = House::new().await;
        let work = move |access: &Access, call, number| {
            if (call, number) == moment {
                let visibility = Some(Visibility::Public);
                let change = RepositoryChange { visibility, ..RepositoryChange::default() };
                at_once(access.repository_create(&root(), &name("team/app"), &change));
            }
        };
        let (client, armed) = beside(&house, &house.all_in_team().await, work).await;
        put_index(&client, &armed).await.expect(201);
        assert_eq!(repositories(&house.world).await, ["R#team/app true"], "{moment:?}");
        house.world.fsck().await;
    }
}

#[tokio::test]
async fn a_grant_in_a_repository_that_is_there_only_while_that_is_decided_begins_none() {
    let house = house().await;
    let shown = house.user("alice").await;
    grant(&house, "alice", Role::Push).await;
    let work = |access: &Access, call, number| {
        let (app, alice) = (name("team/app"), Grantee::User(name("alice")));
        match (call, number) {
            // The first read is the look, the second one is of the rights.
            (Call::ItemsGet, 1) => {
                at_once(access.repository_create(&root(), &app, &RepositoryChange::default()));
                at_once(access.grant_put(&root(), &app, &alice, Role::Push));
            }
            (Call::ItemsTransact, 1) => at_once(access.repository_delete(&root(), &app)),
            _ => {}
        }
    };
    let (alice, armed) = beside(&house, &shown, work).await;
    repository_delete(&house).await;
    let refused = put_index(&alice, &armed).await;
    assert_refused(&house, &alice, "team/app", &refused).await;
    assert_nothing_is_left(&house).await;
}
