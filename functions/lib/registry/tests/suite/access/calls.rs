//! How often the stores are asked for what guards the rest.

use registry::access::{Address, Limits, Permission};
use registry::records::Visibility;
use registry::testing::Call::ItemsGet;
use test_support::access::basic;

use super::house::{House, PASSWORD, ask_token, bearer_of, field, limits, name, root};
use crate::client::{Client, blob, manifest, mounting, uploads};
use crate::content::Image;
use crate::probe::Calls;

const ALL: &str = "repository:team/app:pull,push,delete";

async fn house() -> (House, Client) {
    let house = House::new().await;
    house.repository("team/app", Visibility::Private).await;
    let shown = house.all_in_team().await;
    let client = house.client();
    let bearer = bearer_of(&client, &shown, &[ALL, "repository:team/other:pull,push,delete"]).await;
    let client = client.showing(&bearer);
    client.push_image("team/app", "v1", &Image::named("app")).await.expect(201);
    house.wait(5);
    (house, client)
}

/// Returns how many item reads, and how many other calls, `work` takes.
async fn counted(house: &House, work: impl Future) -> (usize, usize) {
    house.world.probe.reset();
    work.await;
    let calls = house.world.probe.calls();
    println!("{calls:?}");
    let reads = calls.iter().filter(|call| **call == ItemsGet).count();
    (reads, calls.len() - reads)
}

#[tokio::test]
async fn a_login_reads_three_times_at_most() {
    let house = House::new().await;
    house.user("alice").await;
    let personal = house.personal("alice", Limits::None).await;
    let robot = house.robot("ci", limits("team/*", &[Permission::Pull])).await;
    let revoked = house.personal("alice", Limits::None).await;
    house.access.token_revoke(&root(), &name("alice"), revoked.id()).await.unwrap();
    let kept = ask_token(&house.client(), &basic("alice", PASSWORD), "offline_token=true").await;
    let kept = field(&kept, "refresh_token");
    let address = Address::new("192.0.2.7");
    for (user, secret, most) in [
        ("alice", PASSWORD, 3),
        ("alice", personal.reveal(), 2),
        ("team+ci", robot.reveal(), 2),
        ("alice", revoked.reveal(), 2),
        ("alice", "wrong", 1),
        ("nobody", "wrong", 1),
    ] {
        let login = async { house.access.login(user, &secret.into(), &address).await.is_ok() };
        let (reads, _) = counted(&house, login).await;
        assert!(reads <= most, "{user}: {reads} reads");
    }
    let refresh = async { house.access.login_refresh(&kept.parse().unwrap(), &address).await.unwrap() };
    assert!(counted(&house, refresh).await.0 <= 2);
}

#[tokio::test]
async fn an_access_token_is_checked_without_asking_anybody() {
    let (house, client) = house().await;
    let image = Image::named("app");
    client.get(&manifest("team/app", &image.manifest.digest)).await.expect(200);
    // As many calls as an open registry takes: none is for the right.
    for (path, calls) in [
        ("/v2/".to_owned(), 0),
        (manifest("team/app", &image.manifest.digest), 0),
        (manifest("team/app", "v1"), 1),
        (blob("team/app", &image.layer.digest), 1),
        ("/v2/team/app/tags/list".to_owned(), 1),
    ] {
        let (reads, others) = counted(&house, async { client.head(&path).await.expect(200) }).await;
        assert_eq!(reads + others, calls, "{path}");
    }
}

#[tokio::test]
async fn a_forged_or_expired_token_asks_nobody() {
    let (house, client) = house().await;
    let forged = client.showing("Bearer eyJhbGciOiJFZERTQSJ9.e30.AAAA");
    assert_eq!(
        counted(&house, async { forged.get(&manifest("team/app", "v1")).await.expect(401) }).await,
        (0, 0)
    );
    house.wait(301);
    assert_eq!(
        counted(&house, async { client.get(&manifest("team/app", "v1")).await.expect(401) }).await,
        (0, 0)
    );
}

#[tokio::test]
async fn a_right_to_push_is_read_once_in_four_seconds_and_one_to_delete_always() {
    let (house, client) = house().await;
    let begin = async || drop(client.post(&uploads("team/app"), "").await.expect(202));
    assert_eq!(counted(&house, begin()).await, (1, 1));
    assert_eq!(counted(&house, begin()).await, (0, 1));
    house.wait(4);
    assert_eq!(counted(&house, begin()).await, (1, 1));
    let delete = async |tag: &str| drop(client.delete(&manifest("team/app", tag)).await.expect(404));
    assert_eq!(counted(&house, delete("x1")).await, (2, 0));
    assert_eq!(counted(&house, delete("x2")).await, (2, 0));
}

#[tokio::test]
async fn a_mount_reads_the_rights_in_both_repositories_at_most() {
    let (house, client) = house().await;
    let path = mounting("team/other", &Image::named("app").layer.digest, "team/app");
    // One read for the target, one for the source, and two calls as without accounts.
    assert_eq!(counted(&house, async { client.post(&path, "").await.expect(201) }).await, (3, 1));
}

#[tokio::test]
async fn a_whole_push_costs_one_item_call_more_than_in_an_open_registry() {
    let (house, client) = house().await;
    let image = Image::named("new");
    house.world.probe.reset();
    for content in [&image.layer, &image.config] {
        client.head(&blob("team/app", &content.digest)).await.expect(404);
        client.push_blob("team/app", content).await.expect(201);
    }
    client.put_manifest("team/app", "v2", &image.manifest).await.expect(201);
    // Without accounts it is 15 and 4. The rights are read once; the trace goes into the manifest's transaction.
    assert_eq!(house.world.probe.count(), Calls { items: 16, objects: 4 });
}

#[tokio::test]
async fn the_push_that_begins_a_repository_costs_one_read_more_and_those_after_it_none() {
    let (house, client) = house().await;
    let image = Image::named("new");
    for content in [&image.layer, &image.config] {
        client.push_blob("team/other", content).await.expect(201);
    }
    let put =
        async |tag: &str| drop(client.put_manifest("team/other", tag, &image.manifest).await.expect(201));
    // The edges, the look and the commit.
    assert_eq!(counted(&house, put("v1")).await, (2, 2));
    assert_eq!(counted(&house, put("v2")).await, (1, 1));
}

#[tokio::test]
async fn a_token_for_a_push_is_five_item_calls_and_four_when_its_use_was_noted() {
    let (house, _) = house().await;
    let robot = house.robot("ci", limits("team/*", &Permission::ALL)).await;
    let (client, shown) = (house.cold_client(), basic("team+ci", robot.reveal()));
    let ask = async || drop(ask_token(&client, &shown, &format!("scope={ALL}")).await.expect(200));
    // The credential, its owner, the rights; its use and the login are noted.
    assert_eq!(counted(&house, ask()).await, (3, 2));
    assert_eq!(counted(&house, ask()).await, (3, 1));
}

#[tokio::test]
async fn who_shows_nothing_costs_one_read_at_most() {
    let (house, _) = house().await;
    let client = house.cold_client();
    assert_eq!(counted(&house, async { client.get("/v2/").await.expect(401) }).await, (0, 0));
    let pull = async || drop(client.get(&manifest("team/app", "v1")).await.expect(401));
    assert_eq!(counted(&house, pull()).await, (1, 0));
    assert_eq!(counted(&house, pull()).await, (0, 0));
}
