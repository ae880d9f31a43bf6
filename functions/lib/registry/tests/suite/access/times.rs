//! How soon a change takes effect: at once for new logins, in five seconds for writes, in five minutes for reads.

use registry::access::{AccessError, Permission, Role, UserChange};
use registry::records::{Grantee, OrganisationRole, Visibility};
use test_support::access::basic;

use super::house::{House, PASSWORD, ask_token, bearer_of, error_word, field, limits, login, name, root};
use crate::client::{Client, committing, manifest, uploads};
use crate::content::{Content, Image};

const ALL: &str = "repository:team/app:pull,push,delete";

/// Who lost what they had, with what they show still.
struct Ended {
    house: House,
    /// Two processes that remember.
    clients: [Client; 2],
    bearer: String,
    /// The next tag to be deleted.
    tags: std::cell::Cell<usize>,
}

impl Ended {
    /// Everything is used at both processes, so that they remember what they found.
    async fn begin(house: House, shown: &str) -> Self {
        let clients = [house.client(), house.cold_client()];
        let bearer = bearer_of(&clients[0], shown, &[ALL]).await;
        let ended = Self { house, clients, bearer, tags: std::cell::Cell::new(0) };
        for client in &ended.clients {
            assert_eq!(ended.asked(client).await, [200, 202, 202]);
        }
        ended
    }

    /// Returns what a read, a write and a deletion are answered.
    async fn asked(&self, client: &Client) -> [u16; 3] {
        self.tags.set(self.tags.get() + 1);
        let client = client.showing(&self.bearer);
        let tag = manifest("team/app", &format!("t{}", self.tags.get()));
        [
            client.get(&manifest("team/app", "v1")).await.status.as_u16(),
            client.post(&uploads("team/app"), "").await.status.as_u16(),
            client.delete(&tag).await.status.as_u16(),
        ]
    }

    /// What ended is refused in time everywhere.
    async fn assert_over(&self) {
        for client in &self.clients {
            assert_eq!(self.asked(client).await[2], 403, "deletions at once");
        }
        self.house.wait(5);
        for client in &self.clients {
            assert_eq!(self.asked(client).await, [200, 403, 403], "after five seconds");
        }
        self.house.wait(5 * 60 - 5);
        for client in &self.clients {
            assert_eq!(self.asked(client).await, [401, 401, 401], "after five minutes");
        }
    }
}

/// A private repository with an image and tags to delete.
async fn house() -> House {
    let house = House::new().await;
    house.repository("team/app", Visibility::Private).await;
    let (shown, image) = (house.all_in_team().await, Image::named("app"));
    let client = house.client().showing(&shown);
    client.push_image("team/app", "v1", &image).await.expect(201);
    for number in 0..20 {
        client.put_manifest("team/app", &format!("t{number}"), &image.manifest).await.expect(201);
    }
    house
}

async fn granted(house: &House) -> String {
    let shown = house.user("alice").await;
    let alice = Grantee::User(name("alice"));
    house.access.grant_put(&root(), &name("team/app"), &alice, Role::Admin).await.unwrap();
    shown
}

#[tokio::test]
async fn a_grant_that_was_taken_away_is_over_in_time() {
    let house = house().await;
    let shown = granted(&house).await;
    let ended = Ended::begin(house, &shown).await;
    let (access, alice) = (&ended.house.access, Grantee::User(name("alice")));
    access.grant_delete(&root(), &name("team/app"), &alice).await.unwrap();
    let token = ask_token(&ended.clients[1], &shown, &format!("scope={ALL}")).await.expect(200);
    let refused = ended.clients[1].showing(&test_support::access::bearer(&field(&token, "token")));
    assert_eq!(error_word(&refused.get(&manifest("team/app", "v1")).await), Some("insufficient_scope"));
    ended.assert_over().await;
}

#[tokio::test]
async fn who_left_the_team_is_out_in_time() {
    let house = house().await;
    let shown = house.user("alice").await;
    let (team, alice, devs) = (name("team"), name("alice"), name("devs"));
    let access = house.access.clone();
    access.member_put(&root(), &team, &alice, OrganisationRole::Member).await.unwrap();
    access.team_put(&root(), &team, &devs, "").await.unwrap();
    access.team_member_change(&root(), &team, &devs, &alice, true).await.unwrap();
    let grantee = Grantee::Team(devs.clone());
    access.grant_put(&root(), &name("team/app"), &grantee, Role::Admin).await.unwrap();
    let ended = Ended::begin(house, &shown).await;
    access.team_member_change(&root(), &team, &devs, &alice, false).await.unwrap();
    ended.assert_over().await;
}

#[tokio::test]
async fn who_left_the_organisation_is_out_in_time() {
    let house = house().await;
    let shown = house.user("alice").await;
    house.user("bob").await;
    let access = house.access.clone();
    for user in ["alice", "bob"] {
        access.member_put(&root(), &name("team"), &name(user), OrganisationRole::Owner).await.unwrap();
    }
    let ended = Ended::begin(house, &shown).await;
    access.member_delete(&root(), &name("team"), &name("alice")).await.unwrap();
    ended.assert_over().await;
}

#[tokio::test]
async fn a_user_who_was_deleted_or_disabled_is_out_in_time() {
    for is_deleted in [true, false] {
        let house = house().await;
        let shown = granted(&house).await;
        let ended = Ended::begin(house, &shown).await;
        let access = &ended.house.access;
        if is_deleted {
            access.account_delete(&root(), &name("alice")).await.unwrap();
        } else {
            let change = UserChange { is_disabled: Some(true), ..UserChange::default() };
            access.user_change(&root(), &name("alice"), &change).await.unwrap();
        }
        ask_token(&ended.clients[1], &shown, "").await.expect(401);
        ended.assert_over().await;
    }
}

#[tokio::test]
async fn a_robot_whose_token_was_revoked_is_out_in_time() {
    let house = house().await;
    let robot = house.robot("ci", limits("team/*", &Permission::ALL)).await;
    let shown = basic("team+ci", robot.reveal());
    let ended = Ended::begin(house, &shown).await;
    ended.house.access.token_revoke(&root(), &name("team"), robot.id()).await.unwrap();
    ask_token(&ended.clients[1], &shown, "").await.expect(401);
    ended.assert_over().await;
}

#[tokio::test]
async fn a_login_that_was_revoked_is_over_in_time() {
    let house = house().await;
    let shown = granted(&house).await;
    let client = house.client();
    let kept = field(&ask_token(&client, &shown, "offline_token=true").await.expect(200), "refresh_token");
    let form = format!("grant_type=refresh_token&refresh_token={kept}&scope={ALL}&service=registry.test");
    let token = field(&client.post("/token", form.clone()).await.expect(200), "access_token");
    let id = kept["slipway_ref_".len()..][..16].to_owned();
    let clients = [house.client(), house.cold_client()];
    let bearer = test_support::access::bearer(&token);
    let ended = Ended { house, clients, bearer, tags: std::cell::Cell::new(0) };
    for client in &ended.clients {
        assert_eq!(ended.asked(client).await, [200, 202, 202]);
    }
    ended.house.access.token_revoke(&root(), &name("alice"), &id).await.unwrap();
    ended.clients[1].post("/token", form).await.expect(401);
    ended.assert_over().await;
}

#[tokio::test]
async fn a_new_password_ends_what_the_old_one_was_given_while_its_owner_works_on() {
    let house = house().await;
    let shown = granted(&house).await;
    let client = house.client();
    let kept = field(&ask_token(&client, &shown, "offline_token=true").await.expect(200), "refresh_token");
    let old = bearer_of(&client, &shown, &[ALL]).await;
    house.wait(1);
    let change = UserChange {
        password: Some("another-Harbour-95-kettle".into()),
        old_password: Some(PASSWORD.into()),
        ..UserChange::default()
    };
    let alice = login(&house.access, "alice").await;
    house.access.user_change(&alice, &name("alice"), &change).await.unwrap();
    house.wait(1);
    ask_token(&client, &shown, "").await.expect(401);
    client.post("/token", format!("grant_type=refresh_token&refresh_token={kept}")).await.expect(401);
    let shown = basic("alice", "another-Harbour-95-kettle");
    let new = bearer_of(&client, &shown, &[ALL]).await;
    for second in 0..60 {
        let by_new = client.showing(&new).post(&uploads("team/app"), "").await.status;
        let by_old = client.showing(&old).post(&uploads("team/app"), "").await.status;
        assert_eq!(by_new, 202, "second {second}");
        assert!(by_old == 403 || second < 4, "second {second}: {by_old}");
        house.wait(1);
    }
}

#[tokio::test]
async fn an_upload_goes_on_after_its_access_token_for_a_day_and_for_its_owner_alone() {
    let house = house().await;
    let (alice, layer) = (granted(&house).await, Content::blob("a long layer"));
    let robot = house.all_in_team().await;
    let client = house.client();
    let alice = client.showing(&bearer_of(&client, &alice, &[ALL]).await);
    let robot = client.showing(&bearer_of(&client, &robot, &[ALL]).await);
    let (first, second) = (alice.begin("team/app").await, alice.begin("team/app").await);
    for minutes in [6, 60, 16 * 60] {
        house.wait(minutes * 60);
        let reply = alice.patch(&first, "").await.expect(202);
        assert_eq!(reply.header("range"), "0-0");
        alice.get(&first).await.expect(204);
        for path in [manifest("team/app", "v1"), "/v2/".to_owned(), "/v2/_catalog".to_owned()] {
            assert_eq!(error_word(&alice.get(&path).await.expect(401)), Some("invalid_token"), "{path}");
        }
        alice.post(&uploads("team/app"), "").await.expect(401);
        alice.put_manifest("team/app", "v9", &Image::named("app").manifest).await.expect(401);
        alice.delete(&manifest("team/app", "t1")).await.expect(401);
        robot.patch(&first, "x").await.expect(404);
        robot.put(&committing(&first, &layer.digest), "").await.expect(404);
        robot.delete(&first).await.expect(404);
    }
    alice.patch(&first, layer.bytes.clone()).await.expect(202);
    alice.put(&committing(&first, &layer.digest), "").await.expect(201);
    house.wait(8 * 60 * 60);
    for reply in [alice.patch(&second, "x").await, alice.get(&second).await, alice.delete(&second).await] {
        assert_eq!(error_word(&reply.expect(401)), Some("invalid_token"));
    }
}

#[tokio::test]
async fn an_upload_does_not_go_on_when_its_owner_may_push_no_more() {
    let house = house().await;
    let alice = granted(&house).await;
    let client = house.client();
    let alice = client.showing(&bearer_of(&client, &alice, &[ALL]).await);
    let location = alice.begin("team/app").await;
    let grantee = Grantee::User(name("alice"));
    house.access.grant_delete(&root(), &name("team/app"), &grantee).await.unwrap();
    house.wait(6 * 60);
    alice.patch(&location, "x").await.expect(403);
    alice.get(&location).await.expect(403);
}

#[tokio::test]
async fn a_token_of_a_clock_that_is_a_little_ahead_is_good_and_one_of_tomorrow_is_not() {
    let house = house().await;
    let shown = house.all_in_team().await;
    let bearer = bearer_of(&house.client(), &shown, &[ALL]).await;
    for (behind_secs, status) in [(0, 200), (5, 200), (3600, 401)] {
        let client = Client::guarded(&house.world.access_behind(behind_secs)).showing(&bearer);
        client.get(&manifest("team/app", "v1")).await.expect(status);
    }
}

#[tokio::test]
async fn a_repository_made_private_is_closed_to_new_readers_at_once() {
    let house = house().await;
    house.repository("team/open", Visibility::Public).await;
    let client = house.client();
    client.get("/v2/team/open/tags/list").await.expect(200);
    let change =
        registry::access::RepositoryChange { visibility: Some(Visibility::Private), ..Default::default() };
    house.access.repository_change(&root(), &name("team/open"), &change).await.unwrap();
    house.wait(5);
    client.get("/v2/team/open/tags/list").await.expect(401);
    let shown = house.user("bob").await;
    client.showing(&shown).get("/v2/team/open/tags/list").await.expect(403);
}

#[tokio::test]
async fn only_a_user_can_be_granted_what_a_stranger_asks() {
    let house = house().await;
    house.user("alice").await;
    let alice = login(&house.access, "alice").await;
    let grantee = Grantee::User(name("alice"));
    let result = house.access.grant_put(&alice, &name("team/app"), &grantee, Role::Admin).await;
    assert!(matches!(result, Err(AccessError::Unknown(_))), "{result:?}");
}
