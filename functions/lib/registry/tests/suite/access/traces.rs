//! What is traced: the audit log says when who did what from where, and the log of the process betrays nothing.

use registry::access::{AuditEntry, AuditFilter, Credential, Permission, Role};
use registry::ports::{Clock, Timestamp};
use registry::records::{AuditOutcome, Grantee, Visibility};
use test_support::access::{basic, bearer};

use super::house::{House, PASSWORD, ask_token, bearer_of, field, limits, name, root};
use crate::client::{Client, blob, committing, manifest, uploads};
use crate::content::Image;
use crate::log::logged;
use crate::world::World;

const HOME: &str = "192.0.2.7";

/// What is noted from now on.
struct Notes<'a> {
    house: &'a House,
    since: Timestamp,
}

impl<'a> Notes<'a> {
    fn begin(house: &'a House) -> Self {
        house.wait(1);
        Self { house, since: house.world.clock.now() }
    }

    /// Returns actor, address, action, target and outcome of each, in the order of the letters: it is all one moment.
    async fn lines(&self) -> Vec<String> {
        let entries =
            self.house.access.audit_list(&root(), &AuditFilter::default(), None, 1000).await.unwrap().entries;
        let line = |AuditEntry { record, .. }: &AuditEntry| {
            let outcome = if record.outcome == AuditOutcome::Done { "done" } else { "refused" };
            let [actor, from, action, target] =
                [&record.actor, &record.address, &record.action, &record.target];
            format!("{actor} {from} {action} {target} {outcome}")
        };
        let mut lines: Vec<String> =
            entries.iter().filter(|entry| entry.record.at >= self.since).map(line).collect();
        lines.sort();
        lines
    }

    async fn assert_are(&self, expected: &mut [String]) {
        expected.sort();
        assert_eq!(self.lines().await, expected);
    }
}

#[tokio::test]
async fn each_login_is_traced_whether_it_succeeds_or_not() {
    let house = House::new().await;
    let alice = house.user("alice").await;
    let robot = house.robot("ci", limits("team/*", &[Permission::Pull])).await;
    let client = house.client().at_address(HOME);
    let notes = Notes::begin(&house);
    ask_token(&client, &alice, "client_id=docker").await.expect(200);
    let kept = field(&ask_token(&client, &alice, "offline_token=true").await.expect(200), "refresh_token");
    client
        .post("/token", format!("grant_type=refresh_token&refresh_token={kept}&client_id=ctr"))
        .await
        .expect(200);
    ask_token(&client, &basic("team+ci", robot.reveal()), "").await.expect(200);
    ask_token(&client, &basic("alice", "wrong"), "").await.expect(401);
    ask_token(&client, &basic("nobody", PASSWORD), "").await.expect(401);
    ask_token(&client, &basic("alice", robot.reveal()), "").await.expect(401);
    client.showing(&basic("alice", "wrong")).get("/v2/").await.expect(401);
    let gone: Credential = kept.parse().unwrap();
    house.access.token_revoke(&root(), &name("alice"), gone.id()).await.unwrap();
    client.post("/token", format!("grant_type=refresh_token&refresh_token={kept}")).await.expect(401);
    let mut expected = [
        "alice 192.0.2.7 login docker done".to_owned(),
        "alice 192.0.2.7 login  done".to_owned(),
        "alice 192.0.2.7 login ctr done".to_owned(),
        "team+ci 192.0.2.7 login  done".to_owned(),
        "anonymous 192.0.2.7 login alice refused".to_owned(),
        "anonymous 192.0.2.7 login nobody refused".to_owned(),
        "anonymous 192.0.2.7 login alice refused".to_owned(),
        "anonymous 192.0.2.7 login alice refused".to_owned(),
        format!("alice 192.0.2.7 token.create alice/{} done", gone.id()),
        format!("anonymous  token.revoke alice/{} done", gone.id()),
        format!("anonymous 192.0.2.7 login {} refused", gone.id()),
    ];
    notes.assert_are(&mut expected).await;
}

#[tokio::test]
async fn each_push_deletion_and_refusal_is_traced() {
    let house = House::new().await;
    house.repository("team/app", Visibility::Private).await;
    let image = Image::named("app");
    let client = house.client().at_address(HOME);
    let owner = client.showing(&house.all_in_team().await);
    let stranger = client.showing(&house.user("mallory").await);
    let notes = Notes::begin(&house);
    owner.push_image("team/app", "v1", &image).await.expect(201);
    stranger.get(&manifest("team/app", "v1")).await.expect(403);
    stranger.post(&uploads("team/app"), "").await.expect(403);
    stranger.delete(&manifest("team/app", "v1")).await.expect(403);
    owner.delete(&manifest("team/app", "v1")).await.expect(202);
    owner.delete(&manifest("team/app", &image.manifest.digest)).await.expect(202);
    owner.delete(&blob("team/app", &image.layer.digest)).await.expect(202);
    let (manifest_digest, layer) = (&image.manifest.digest, &image.layer.digest);
    let mut expected = [
        format!("team+all 192.0.2.7 manifest.push team/app@{manifest_digest} done"),
        "mallory 192.0.2.7 pull team/app refused".to_owned(),
        "mallory 192.0.2.7 push team/app refused".to_owned(),
        "mallory 192.0.2.7 delete team/app refused".to_owned(),
        "team+all 192.0.2.7 tag.delete team/app:v1 done".to_owned(),
        format!("team+all 192.0.2.7 manifest.delete team/app@{manifest_digest} done"),
        format!("team+all 192.0.2.7 blob.delete team/app@{layer} done"),
    ];
    notes.assert_are(&mut expected).await;
}

#[tokio::test]
async fn each_change_of_rights_is_traced() {
    let house = House::new().await;
    house.repository("team/app", Visibility::Private).await;
    let notes = Notes::begin(&house);
    house.user("alice").await;
    let alice = Grantee::User(name("alice"));
    let app = name("team/app");
    house.access.grant_put(&root(), &app, &alice, Role::Push).await.unwrap();
    house.access.grant_delete(&root(), &app, &alice).await.unwrap();
    let token = house.robot("ci", limits("team/*", &[Permission::Pull])).await;
    house.access.token_revoke(&root(), &name("team"), token.id()).await.unwrap();
    house.access.account_delete(&root(), &name("alice")).await.unwrap();
    let lines = notes.lines().await;
    let actions: Vec<&str> = lines.iter().map(|line| line.split(' ').nth(2).unwrap()).collect();
    let expected =
        ["account.delete", "grant.delete", "grant.put", "token.create", "token.revoke", "user.create"];
    assert_eq!(actions, expected);
}

/// A URL of the store is a credential: whoever reads it in a log has the bytes.
#[tokio::test]
async fn no_url_of_the_store_is_logged() {
    let (world, image) = (World::direct(), Image::named("app"));
    let client = world.client();
    client.push_image("app", "v1", &image).await.expect(201);
    let (log, urls) = logged(async {
        let down = client.get(&blob("app", &image.layer.digest)).await.expect(307).location();
        let up = client.clone().by_edge().begin("app").await;
        client.put(&committing(&up, &image.layer.digest), image.layer.bytes.clone()).await.expect(201);
        [down, up]
    })
    .await;
    assert!(log.contains("answered"), "{log}");
    for url in urls {
        let secret = url.split_once('?').map_or(url.as_str(), |(_, query)| query);
        assert!(!secret.is_empty() && !log.contains(secret), "{secret} in {log}");
    }
}

/// Whoever could end the line could write the next one; names and tokens come from others.
#[tokio::test]
async fn no_line_of_the_audit_log_is_of_a_clients_making() {
    let house = House::new().await;
    let client: Client = house.client();
    let alice = house.user("alice").await;
    let bearer_of_alice = bearer_of(&client, &alice, &[]).await;
    let notes = Notes::begin(&house);
    let nl = "a%0aroot 192.0.2.1 login%1b[2K";
    ask_token(&client, &alice, &format!("client_id={}", nl.replace(' ', "%20"))).await.expect(200);
    ask_token(&client, &basic("alice\nroot", "wrong"), "").await.expect(401);
    ask_token(&client.at_address("192.0.2.7\nroot"), &basic("bob", "wrong"), "").await.expect(401);
    client.showing(&bearer_of_alice).get("/v2/other%0aroot/tags/list").await.expect(400);
    client.showing(&bearer("x")).get("/v2/").await.expect(401);
    let lines = notes.lines().await;
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains(char::is_control)), "{lines:#?}");
}
