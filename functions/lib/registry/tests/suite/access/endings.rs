//! Repositories and accounts that end while somebody remembers a right in them: they do not come back by a push.

use registry::access::{Gate, Limits, Permission, Permit, Push, RepositoryChange, Role};
use registry::ports::{Condition, ItemStore, Version, Write};
use registry::records::{
    Grantee, ImmutableTags, OrganisationRole, Record, RepositoryRecord, Visibility, keys,
};
use test_support::access::basic;

use super::house::{House, PASSWORD, bearer_of, field, limits, login, name, root};
use crate::client::{Client, Reply, manifest, uploads};
use crate::content::{Content, Image};
use crate::world::World;

/// What a token is for.
pub(super) const SCOPE: &str = "repository:team/app:pull,push";

/// In how many orders of storage calls each race is run.
const ROUNDS: usize = 200;

/// Gives the user this role in `team/app`.
pub(super) async fn grant(house: &House, user: &str, role: Role) {
    let grantee = Grantee::User(name(user));
    house.access.grant_put(&root(), &name("team/app"), &grantee, role).await.unwrap();
}

/// Makes a user who may push to `team/app`, and returns a client of theirs whose process remembers that.
async fn collaborator(house: &House) -> Client {
    house.user("alice").await;
    grant(house, "alice", Role::Push).await;
    remembered(house, &basic("alice", PASSWORD), SCOPE).await
}

/// Returns a client that shows a token of these scopes, to a process that remembers the rights.
async fn remembered(house: &House, shown: &str, scope: &str) -> Client {
    let client = house.client();
    let client = client.showing(&bearer_of(&client, shown, &[scope]).await);
    let repository = scope.split(':').nth(1).unwrap();
    client.post(&uploads(repository), "").await.expect(202);
    client
}

pub(super) async fn house() -> House {
    let house = House::new().await;
    house.repository("team/app", Visibility::Public).await;
    house
}

pub(super) async fn repository_delete(house: &House) {
    house.access.repository_delete(&root(), &name("team/app")).await.unwrap();
}

/// Pushes blobs, which nobody refuses who may push, and then the manifest, and returns what that is answered.
async fn push(client: &Client, repository: &str) -> Reply {
    client.push_image(repository, "v1", &Image::named("app")).await
}

/// Fails if the answer is another than a process gives that remembers nothing.
pub(super) async fn assert_refused(house: &House, client: &Client, repository: &str, refused: &Reply) {
    let cold = house.cold_client().showing(client.shown().unwrap());
    let expected = cold.put_manifest(repository, "v1", &Image::named("app").manifest).await.expect(403);
    assert_eq!(refused.text(), expected.text());
}

/// Fails if a repository is there, or if what was pushed to it does not go.
pub(super) async fn assert_nothing_is_left(house: &House) {
    assert_eq!(repositories(&house.world).await, [""; 0]);
    house.world.fsck().await;
    house.world.collect_for(9 * 24).await;
    house.world.assert_clean().await;
}

/// Returns the partitions of the repositories that there are, and whether they are public.
pub(super) async fn repositories(world: &World) -> Vec<String> {
    let items = world.all_items().await.into_iter();
    let repositories = items.filter_map(|item| {
        let is_public = item.record.as_repository()?.is_public;
        Some(format!("{} {is_public}", item.key.pk))
    });
    repositories.collect()
}

#[tokio::test]
async fn a_deleted_repository_does_not_come_back_by_a_grant_that_was_in_it() {
    let house = house().await;
    let alice = collaborator(&house).await;
    push(&alice, "team/app").await.expect(201);
    repository_delete(&house).await;
    let refused = push(&alice, "team/app").await;
    assert_refused(&house, &alice, "team/app", &refused).await;
    assert_nothing_is_left(&house).await;
}

#[tokio::test]
async fn whoever_may_not_begin_a_repository_is_not_told_what_it_lacks() {
    let house = house().await;
    let alice = collaborator(&house).await;
    repository_delete(&house).await;
    let refused = alice.put_manifest("team/app", "v1", &Image::named("app").manifest).await;
    assert_refused(&house, &alice, "team/app", &refused).await;
    assert_nothing_is_left(&house).await;
}

#[tokio::test]
async fn a_repository_of_a_deleted_organisation_does_not_come_back_by_its_owner_or_robot() {
    let house = house().await;
    house.user("alice").await;
    house.access.member_put(&root(), &name("team"), &name("alice"), OrganisationRole::Owner).await.unwrap();
    let robot = house.robot("ci", limits("team/*", &Permission::ALL)).await;
    let alice = remembered(&house, &basic("alice", PASSWORD), SCOPE).await;
    let robot = remembered(&house, &basic("team+ci", robot.reveal()), SCOPE).await;
    repository_delete(&house).await;
    house.access.account_delete(&root(), &name("team")).await.unwrap();
    for client in [&alice, &robot] {
        let refused = push(client, "team/app").await;
        assert_refused(&house, client, "team/app", &refused).await;
    }
    assert_nothing_is_left(&house).await;
}

#[tokio::test]
async fn a_repository_of_a_deleted_user_does_not_come_back_by_that_user() {
    let house = House::new().await;
    let shown = house.user("alice").await;
    let alice = remembered(&house, &shown, "repository:alice/app:pull,push").await;
    house.access.account_delete(&root(), &name("alice")).await.unwrap();
    let refused = push(&alice, "alice/app").await;
    assert_refused(&house, &alice, "alice/app", &refused).await;
    assert_nothing_is_left(&house).await;
}

#[tokio::test]
async fn an_owner_who_pushes_at_once_after_a_deletion_begins_the_repository_anew_as_its_namespace_says_now() {
    let house = house().await;
    let owner = remembered(&house, &house.all_in_team().await, SCOPE).await;
    push(&owner, "team/app").await.expect(201);
    house.access.organisation_change(&root(), &name("team"), Visibility::Public).await.unwrap();
    let change = RepositoryChange { visibility: Some(Visibility::Private), ..RepositoryChange::default() };
    house.access.repository_change(&root(), &name("team/app"), &change).await.unwrap();
    repository_delete(&house).await;
    push(&owner, "team/app").await.expect(201);
    assert_eq!(repositories(&house.world).await, ["R#team/app true"]);
    let (record, _) = house.access.repository_get(&root(), &name("team/app")).await.unwrap();
    assert!(record.grants.is_empty() && !record.is_ending, "{record:?}");
    house.world.fsck().await;
}

#[tokio::test]
async fn no_tag_is_restored_in_a_repository_that_was_deleted() {
    let house = house().await;
    let owner = remembered(&house, &house.all_in_team().await, SCOPE).await;
    push(&owner, "team/app").await.expect(201);
    let caller = login(&house.access, "admin").await;
    let gate = Gate::guarded(house.access.clone());
    let permit: Permit<Push> = gate.admit(&caller, &name("team/app")).await.unwrap();
    repository_delete(&house).await;
    let restored = permit.tag_restore(&name("v1"), None).await;
    assert!(matches!(restored, Err(registry::Error::RepositoryUnknown(_))), "{restored:?}");
    assert_eq!(repositories(&house.world).await, [""; 0]);
}

#[tokio::test]
async fn what_a_deletion_that_broke_off_has_left_is_closed_and_takes_no_push() {
    let house = house().await;
    let shown = house.all_in_team().await;
    let owner = remembered(&house, &shown, SCOPE).await;
    push(&owner, "team/app").await.expect(201);
    let patterns = vec!["v1".to_owned()];
    let immutable_tags = Some(ImmutableTags { patterns, ..ImmutableTags::default() });
    let change = RepositoryChange { immutable_tags, ..RepositoryChange::default() };
    house.access.repository_change(&root(), &name("team/app"), &change).await.unwrap();
    pulled_by_stranger(&house).await.expect(200);
    flag_as_ending(&house.world, "team/app").await;
    pulled_by_stranger(&house).await.expect(401);
    owner.put_manifest("team/app", "v2", &Image::named("app").manifest).await.expect(429);
    pulled_by_stranger(&house).await.expect(401);
    // What has to go anyway may go.
    house.client().showing(&shown).delete(&manifest("team/app", "v1")).await.expect(202);
}

/// Pulls from `team/app` as somebody without an account does.
async fn pulled_by_stranger(house: &House) -> Reply {
    let client = house.cold_client();
    let token = field(&client.get("/token?scope=repository:team/app:pull").await.expect(200), "token");
    client.showing(&format!("Bearer {token}")).get(&manifest("team/app", "v1")).await
}

/// Does what a deletion does before it breaks off.
pub(super) async fn flag_as_ending(world: &World, repository: &str) {
    let key = keys::repository(&name(repository));
    let mut item = world.items.get(&[key]).await.unwrap().pop().unwrap().unwrap();
    let record = RepositoryRecord { is_ending: true, ..item.record.as_repository().unwrap().clone() };
    item.record = Record::Repository(record);
    item.version = Version::new("ending");
    world.items.transact(vec![Write::Put(item, Condition::Always)]).await.unwrap();
}

/// What came of a push beside a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ended {
    status: u16,
    is_there: bool,
}

/// Has a client push while the repository is deleted, in many orders; returns what came of it.
///
/// The index has no children, so that nothing else than the repository can be missing.
async fn raced(house: &House, shown: &str) -> Vec<Ended> {
    let (other, index) = (house.world.access(), Content::index(&[]));
    let mut outcomes = Vec::new();
    for round in 0..ROUNDS {
        if repositories(&house.world).await.is_empty() {
            house.repository("team/app", Visibility::Private).await;
            grant(house, "alice", Role::Push).await;
        }
        house.wait(5);
        let client = remembered(house, shown, SCOPE).await;
        let pushed = async {
            for _ in 0..round % 16 {
                client.head(&manifest("team/app", "v0")).await.expect(404);
            }
            client.put_manifest("team/app", "v1", &index).await
        };
        let (by, app) = (root(), name("team/app"));
        let (pushed, deleted) = tokio::join!(pushed, other.repository_delete(&by, &app));
        assert!(deleted.is_ok(), "round {round}: {deleted:?}");
        let broken = house.world.broken().await;
        assert!(broken.is_empty(), "round {round}: {} {deleted:?} {broken:#?}", pushed.status);
        outcomes.push(Ended {
            status: pushed.status.as_u16(),
            is_there: !repositories(&house.world).await.is_empty(),
        });
    }
    let mut kinds = outcomes.clone();
    kinds.sort_unstable();
    kinds.dedup();
    println!("{kinds:?}");
    outcomes
}

#[tokio::test]
async fn a_repository_that_is_deleted_while_a_collaborator_pushes_is_gone() {
    let house = House::on(World::yielding(1)).await;
    house.user("alice").await;
    let token = house.personal("alice", Limits::None).await;
    let outcomes = raced(&house, &basic("alice", token.reveal())).await;
    for outcome in &outcomes {
        assert!([201, 403, 429].contains(&outcome.status), "{outcome:?}");
        assert!(!outcome.is_there, "{outcome:?}");
    }
    for status in [201, 403, 429] {
        assert!(outcomes.iter().any(|outcome| outcome.status == status), "there was no race: no {status}");
    }
}

#[tokio::test]
async fn a_repository_that_is_deleted_while_its_owner_pushes_is_gone_or_begun_anew() {
    let house = House::on(World::yielding(2)).await;
    house.user("alice").await;
    let outcomes = raced(&house, &house.all_in_team().await).await;
    for outcome in &outcomes {
        assert!([201, 429].contains(&outcome.status), "{outcome:?}");
        assert!(outcome.status == 201 || !outcome.is_there, "{outcome:?}");
    }
    assert!(outcomes.iter().any(|outcome| outcome.is_there), "no push came last");
    assert!(outcomes.iter().any(|outcome| outcome.status == 429), "no push found a deletion under way");
}
