//! Secrets stay secret: none is logged, stored, or answered but once.

use http::Method;
use registry::access::{AuditFilter, Limits, Permission, Shown, UserChange};
use registry::ports::StoreErrorKind;
use test_support::access::{basic, bearer};

use super::house::{House, PASSWORD, ask_token, bearer_of, field, limits, login, name};
use crate::client::{Client, Reply, bytes_body, manifest};
use crate::content::Image;
use crate::log::logged;
use crate::probe::Fault;

const OTHER_PASSWORD: &str = "another-Harbour-95-kettle";

/// What was used, in every form that it could be told in.
fn tellable(secrets: &[String]) -> Vec<String> {
    // A part is as telling as the whole: of a stored token its random part, of an access token its signature.
    let parts = secrets.iter().map(|secret| match secret.rsplit_once('.') {
        Some((_, signature)) => signature.to_owned(),
        None if secret.starts_with("slipway_") => secret[30..80].to_owned(),
        None => secret.clone(),
    });
    let encoded = secrets.iter().map(|secret| basic("alice", secret)["Basic ".len()..].to_owned());
    secrets.iter().cloned().chain(parts).chain(encoded).collect()
}

/// Puts the secret wherever somebody could put it by mistake.
async fn misplace(client: &Client, secret: &str) -> Vec<Reply> {
    let form = format!("grant_type=password&username={secret}&password={secret}");
    let refresh = format!("grant_type=refresh_token&refresh_token={secret}x");
    let path = format!("/v2/team/app/manifests/v1?token={secret}");
    vec![
        client.showing(&basic(secret, "")).get("/token").await,
        client.showing(&basic("alice", &format!("{secret}x"))).get("/v2/").await,
        client.showing(&basic("x", secret)).get("/token").await,
        client.showing(&format!("Token {secret}")).get("/v2/").await,
        client.showing(&bearer(&format!("{secret}x"))).get("/v2/").await,
        client.post("/token", form).await,
        client.post("/token", refresh).await,
        client.get(&path).await,
        client.get(&format!("/token?scope={secret}&service={secret}&account={secret}")).await,
        client.send(Method::PUT, "/token", &[("x-secret", secret)], bytes_body(secret.to_owned())).await,
    ]
}

async fn scenario(house: &House) -> (Vec<String>, Vec<Reply>) {
    let client = house.client();
    let alice = house.user("alice").await;
    let personal = house.personal("alice", Limits::None).await.reveal().to_owned();
    let robot = house.robot("ci", limits("team/*", &Permission::ALL)).await.reveal().to_owned();
    let shown = basic("team+ci", &robot);
    let answer = ask_token(&client, &alice, "offline_token=true").await.expect(200);
    let (kept, access) = (field(&answer, "refresh_token"), field(&answer, "token"));
    let pushing = bearer_of(&client, &shown, &["repository:team/app:pull,push,delete"]).await;
    client.showing(&pushing).push_image("team/app", "v1", &Image::named("app")).await.expect(201);
    let secrets = vec![
        PASSWORD.to_owned(),
        OTHER_PASSWORD.to_owned(),
        personal,
        robot,
        kept,
        access,
        pushing["Bearer ".len()..].to_owned(),
    ];
    let mut replies = Vec::new();
    for secret in &secrets {
        // Another test may have met a place that logs first, with nobody listening there.
        tracing::callsite::rebuild_interest_cache();
        house.wait(300);
        replies.extend(misplace(&client, secret).await);
    }
    for shown in [&alice, &shown, &basic("alice", &secrets[2]), &pushing] {
        for path in ["/v2/", "/v2/_catalog", &manifest("team/app", "v1"), &manifest("other/app", "v1")] {
            replies.push(client.showing(shown).get(path).await);
        }
        // What goes wrong inside is logged at length.
        for at in 0..4 {
            for fault in [Fault::Refused(StoreErrorKind::Corrupt), Fault::LostReply, Fault::Killed] {
                house.world.probe.plan(at, fault);
                replies.push(client.showing(shown).get(&manifest("team/app", "v1")).await);
                house.world.probe.plan(at, fault);
                let reply = client.showing(shown).get("/token?offline_token=true").await;
                replies.extend((reply.status != 200).then_some(reply));
            }
        }
        house.world.probe.reset();
    }
    let caller = login(&house.access, "alice").await;
    let change = UserChange {
        password: Some(OTHER_PASSWORD.into()),
        old_password: Some(PASSWORD.into()),
        ..UserChange::default()
    };
    tracing::trace!(?change, ?caller, shown = ?Shown::Bearer(secrets[5].clone()), "as somebody could log it");
    let basic = Shown::Basic("alice".to_owned(), PASSWORD.into());
    tracing::trace!(shown = ?basic, access = ?house.access.token_issue(&caller, &[]).await, "and this");
    house.access.user_change(&caller, &name("alice"), &change).await.unwrap();
    (secrets, replies)
}

#[tokio::test]
async fn no_secret_is_logged_stored_or_answered() {
    let (log, (house, secrets, replies)) = logged(async {
        let house = House::new().await;
        let (secrets, replies) = scenario(&house).await;
        (house, secrets, replies)
    })
    .await;
    assert!(
        log.contains("answered") && log.contains("a request failed inside the registry"),
        "{}",
        &log[log.len().saturating_sub(3000)..]
    );
    let items = house.world.all_items().await;
    let entries = house
        .access
        .audit_list(&super::house::root(), &AuditFilter::default(), None, 1000)
        .await
        .unwrap()
        .entries;
    assert!(entries.len() > 30);
    let (stored, entries) = (format!("{items:#?}"), format!("{entries:#?}"));
    let answers: Vec<String> = replies.iter().map(Reply::text).collect();
    let answers = answers.join("\n");
    for secret in tellable(&secrets) {
        for (where_, text) in
            [("log", &log), ("store", &stored), ("audit log", &entries), ("answers", &answers)]
        {
            assert!(!text.contains(&secret), "{secret:.40} is in the {where_}");
        }
    }
    // What was logged of an access token is not even its beginning.
    assert!(!log.contains("eyJ"), "an access token is in the log");
}
