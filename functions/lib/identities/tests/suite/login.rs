//! From an identity token to a push, as docker goes; and where that ends.

use std::time::Duration;

use http::Method;
use registry::ports::{Condition, Item, ItemStore, Key, Write};
use registry::records::{Record, keys};
use serde_json::json;

use crate::issuer::{Answer, DISCOVERY, KEYS, LocalIssuer};
use crate::signer::Signer;
use crate::world::{World, administrator};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_identity_token_logs_in_and_what_docker_keeps_pushes_for_a_quarter_of_an_hour() {
    let world = World::trusting().await;
    let login = world.login(&world.identity_token(&json!({}))).await.expect(200);
    let kept = login.text("refresh_token");
    for _ in 0..3 {
        let access = world.renew(&kept, "team/app").await.expect(200);
        assert_eq!(access.text("refresh_token"), kept);
        world.push(&access.text("access_token"), "team/app").await.expect(201);
        world.asker.clock.advance(5 * MINUTE - SECOND);
    }
    world.renew(&kept, "team/app").await.expect(200);
    world.asker.clock.advance(3 * SECOND);
    world.renew(&kept, "team/app").await.expect(401);
}

#[tokio::test]
async fn an_upload_goes_on_after_its_access_token_and_ends_with_the_login() {
    for (minutes, status) in [(6, 202), (14, 202), (16, 403)] {
        let world = World::trusting().await;
        let kept = world.login(&world.identity_token(&json!({}))).await.expect(200).text("refresh_token");
        let access = world.renew(&kept, "team/app").await.expect(200).text("access_token");
        let begun = world.begin(&access, "team/app").await.expect(202);
        world.asker.clock.advance(minutes * MINUTE);
        world.send_bearing(&access, Method::PATCH, begun.location(), "{}").await.expect(status);
    }
}

#[tokio::test]
async fn an_identity_token_is_accepted_once_and_the_refusal_says_so() {
    let world = World::trusting().await;
    let token = world.identity_token(&json!({}));
    world.login(&token).await.expect(200);
    for _ in 0..2 {
        let refused = world.login(&token).await.expect(403);
        let (code, message) = refused.error();
        assert_eq!(code, "DENIED");
        assert!(message.contains("used already") && message.contains("fresh one"), "{message}");
    }
    // Whoever changes what is not signed has the same token still.
    let (signed, signature) = token.rsplit_once('.').unwrap();
    assert!(!world.login(&format!("{signed}.{signature}=")).await.status.is_success());
    world.login(&world.identity_token(&json!({"jti": "2"}))).await.expect(200);
}

#[tokio::test]
async fn however_many_jobs_log_in_none_ends_the_login_of_another() {
    let world = World::trusting().await;
    let kept = world.login(&world.identity_token(&json!({}))).await.expect(200).text("refresh_token");
    copy_login(&world, &kept, 1200).await;
    world.login(&world.identity_token(&json!({"jti": "2"}))).await.expect(200);
    world.renew(&kept, "team/app").await.expect(200);
    let listed =
        world.access.token_page(&administrator(), &"team".parse().unwrap(), None, 2000).await.unwrap();
    assert_eq!(listed.0.len(), 1202);
}

/// Stores as many logins as if they had been made a moment later.
async fn copy_login(world: &World, kept: &str, number: usize) {
    let owner = "team".parse().unwrap();
    let id = &kept["slipway_ref_".len()..][..16];
    let originals = [keys::token(id), keys::token_listed(&owner, id)];
    let originals = world.items.get(&originals).await.unwrap();
    for number in 0..number {
        let id = format!("{number:016x}");
        let keys = [keys::token(&id), keys::token_listed(&owner, &id)];
        let copy = |(original, key): (&Option<Item>, Key)| {
            let mut item = Item { key, ..original.clone().unwrap() };
            if let Record::Token(token) = &mut item.record {
                token.created = token.created.after(SECOND);
                token.expires = token.expires.map(|expires| expires.after(SECOND));
            }
            Write::Put(item, Condition::Absent)
        };
        world.items.transact(originals.iter().zip(keys).map(copy).collect()).await.unwrap();
    }
}

#[tokio::test]
async fn an_identity_token_is_no_access_token() {
    let world = World::trusting().await;
    let token = world.identity_token(&json!({}));
    world.begin(&token, "team/app").await.expect(401);
    world.login(&token).await.expect(200);
}

#[tokio::test]
async fn a_robot_pushes_where_its_trust_says_and_nowhere_else() {
    let world = World::trusting().await;
    let login = world.login(&world.identity_token(&json!({}))).await.expect(200);
    let kept = login.text("refresh_token");
    for repository in ["other/app", "teams/app"] {
        let access = world.renew(&kept, repository).await.expect(200).text("access_token");
        let refused = world.begin(&access, repository).await;
        assert_eq!(refused.status, 401, "{repository}: {refused:?}");
    }
    let access = world.renew(&kept, "team/app").await.expect(200).text("access_token");
    world.push(&access, "team/app").await.expect(201);
    let path = "/v2/team/app/manifests/latest";
    world.send_bearing(&access, Method::DELETE, path, "").await.expect(401);
}

#[tokio::test]
async fn the_user_name_chooses_between_trusts_that_fit() {
    let world = World::new().await;
    let (push, pull) =
        (registry::access::Role::Push.permissions(), registry::access::Role::Pull.permissions());
    world.trust_as("reader", pull, &[("sub", "somebody")]).await.unwrap();
    world.trust_as("writer", push, &[("sub", "somebody")]).await.unwrap();
    world
        .trust_as("stranger", registry::access::Role::Admin.permissions(), &[("sub", "else")])
        .await
        .unwrap();
    for (number, (user, may_push)) in
        [("team+writer", true), ("team+reader", false), ("x", false), ("team+stranger", false)]
            .into_iter()
            .enumerate()
    {
        let token = world.identity_token(&json!({"jti": number}));
        let kept = world.login_as(user, &token).await.expect(200).text("refresh_token");
        let access = world.renew(&kept, "team/app").await.expect(200).text("access_token");
        assert_eq!(world.begin(&access, "team/app").await.status == 202, may_push, "{user}");
    }
}

#[tokio::test]
async fn a_trust_that_is_taken_back_ends_what_it_let_in_within_five_seconds() {
    let world = World::new().await;
    let trust = world.trust(&[("sub", "somebody")]).await.unwrap();
    let kept = world.login(&world.identity_token(&json!({}))).await.expect(200).text("refresh_token");
    let access = world.renew(&kept, "team/app").await.expect(200).text("access_token");
    world.push(&access, "team/app").await.expect(201);

    world.revoke(&trust).await;
    world.renew(&kept, "team/app").await.expect(401);
    world.login(&world.identity_token(&json!({"jti": "2"}))).await.expect(401);
    world.asker.clock.advance(5 * SECOND);
    world.begin(&access, "team/app").await.expect(403);
    let path = "/v2/team/app/manifests/latest";
    world.send_bearing(&access, Method::PUT, path, "{}").await.expect(403);
    // What was read when it was given can be read until it ends.
    world.send_bearing(&access, Method::GET, path, "").await.expect(200);
    world.asker.clock.advance(5 * MINUTE);
    world.send_bearing(&access, Method::GET, path, "").await.expect(401);
}

#[tokio::test]
async fn a_trust_that_is_made_again_does_not_bring_old_logins_back() {
    let world = World::new().await;
    let trust = world.trust(&[("sub", "somebody")]).await.unwrap();
    let kept = world.login(&world.identity_token(&json!({}))).await.expect(200).text("refresh_token");
    world.revoke(&trust).await;
    world.trust(&[("sub", "somebody")]).await.unwrap();
    world.renew(&kept, "team/app").await.expect(401);
}

#[tokio::test]
async fn an_issuer_that_nobody_trusts_is_never_asked() {
    let world = World::trusting().await;
    let signer = Signer::p256("a");
    let stranger = LocalIssuer::start(&[&signer]).await;
    for issuer in [&stranger.url, &format!("{}/", world.issuer.url), &world.issuer.url.to_uppercase()] {
        let claims = world.asker.claims(&world.issuer, &json!({"iss": issuer}));
        for token in [signer.token(&claims), world.signer.token(&claims)] {
            world.login(&token).await.expect(401);
        }
    }
    assert_eq!((stranger.asked_at_all(), world.issuer.asked_at_all()), (0, 0));
}

#[tokio::test]
async fn time_and_audience_are_checked() {
    let world = World::trusting().await;
    let now = world.asker.claims(&world.issuer, &json!({}))["iat"].as_u64().unwrap();
    let refused = [
        (json!({"exp": now}), 401),
        (json!({"exp": now - 60}), 401),
        (json!({"nbf": now + 31}), 401),
        (json!({"aud": "other.test"}), 403),
        (json!({"aud": ["other.test", "registry.test.evil"]}), 403),
        (json!({"aud": []}), 403),
        (json!({"aud": null}), 403),
        (json!({"aud": "REGISTRY.TEST"}), 403),
    ];
    for (further, status) in refused {
        let reply = world.login(&world.identity_token(&further)).await;
        assert_eq!(reply.status.as_u16(), status, "{further}: {reply:?}");
    }
    let accepted =
        [json!({"exp": now + 1}), json!({"nbf": now + 30}), json!({"aud": ["other.test", "registry.test"]})];
    for further in accepted {
        let reply = world.login(&world.identity_token(&further)).await;
        assert_eq!(reply.status, 200, "{further}: {reply:?}");
    }
}

#[tokio::test]
async fn a_token_that_no_trust_fits_is_refused_with_what_it_says_and_is_not_used_up() {
    let world = World::new().await;
    world.trust(&[("sub", "else")]).await.unwrap();
    let token = world.identity_token(&json!({}));
    let (code, message) = world.login(&token).await.expect(403).error();
    assert_eq!(code, "DENIED");
    assert!(message.contains("sub: somebody") && message.contains("registry.test"), "{message}");
    assert!(!message.contains("else"), "{message}");
    world.trust(&[("sub", "somebody")]).await.unwrap();
    world.login(&token).await.expect(200);
}

#[tokio::test]
async fn an_issuer_that_cannot_be_asked_is_named_in_the_log_alone() {
    let world = World::trusting().await;
    world.issuer.answer(KEYS, Answer::Status(500));
    let token = world.identity_token(&json!({}));
    let (code, message) = world.login(&token).await.expect(503).error();
    assert_eq!(code, "UNAVAILABLE");
    assert!(message.contains("try again"), "{message}");
    assert!(!message.contains("127.0.0.1") && !message.contains("500"), "{message}");
    world.issuer.publish(&[&world.signer]);
    world.asker.clock.advance(10 * SECOND);
    world.login(&token).await.expect(200);
}

#[tokio::test]
async fn a_forged_token_is_refused_and_does_not_use_up_the_true_one() {
    let world = World::trusting().await;
    let token = world.identity_token(&json!({}));
    let thief = Signer::p384("a");
    let forged = thief.token(&world.asker.claims(&world.issuer, &json!({})));
    world.login(&forged).await.expect(401);
    let (signed, _) = token.rsplit_once('.').unwrap();
    world.login(&format!("{signed}.{}", forged.rsplit_once('.').unwrap().1)).await.expect(401);
    world.login(&token).await.expect(200);
    assert_eq!(world.issuer.asked(DISCOVERY), 1);
}

#[tokio::test]
async fn logins_are_audited_without_their_tokens() {
    let world = World::trusting().await;
    let token = world.identity_token(&json!({}));
    world.login(&token).await.expect(200);
    world.login(&token).await.expect(403);
    let entries = world
        .access
        .audit_list(&administrator(), &registry::access::AuditFilter::default(), None, 100)
        .await
        .unwrap()
        .entries;
    let entries: Vec<String> = entries.iter().map(|entry| format!("{:?}", entry.record)).collect();
    assert!(entries.iter().any(|entry| entry.contains("login") && entry.contains("team+ci")), "{entries:#?}");
    assert!(entries.iter().any(|entry| entry.contains("used already")), "{entries:#?}");
    assert!(entries.iter().all(|entry| !entry.contains("eyJ")), "{entries:#?}");
}
