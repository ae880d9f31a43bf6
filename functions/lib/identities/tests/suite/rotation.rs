//! Keys come and go; issuers do not always answer; nobody can make the registry ask them often.

use std::sync::Arc;
use std::time::Duration;

use registry::access::{Identities, IdentityInvalid};
use serde_json::json;

use crate::asking::Asker;
use crate::issuer::{Answer, DISCOVERY, KEYS, LocalIssuer};
use crate::signer::Signer;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn token(asker: &Asker, issuer: &LocalIssuer, signer: &Signer) -> String {
    signer.token(&asker.claims(issuer, &json!({})))
}

#[tokio::test]
async fn an_issuer_is_asked_once_in_ten_minutes() {
    let signer = Signer::p256("a");
    let (issuer, asker) = (LocalIssuer::start(&[&signer]).await, Asker::new());
    for _ in 0..10 {
        asker.verify(&issuer, &token(&asker, &issuer, &signer)).await.unwrap();
        asker.clock.advance(MINUTE - SECOND);
    }
    assert_eq!((issuer.asked(DISCOVERY), issuer.asked(KEYS)), (1, 1));
    asker.clock.advance(10 * SECOND);
    asker.verify(&issuer, &token(&asker, &issuer, &signer)).await.unwrap();
    assert_eq!((issuer.asked(DISCOVERY), issuer.asked(KEYS)), (2, 2));
}

#[tokio::test]
async fn all_who_come_at_once_wait_for_one_answer() {
    let signer = Signer::p256("a");
    let (issuer, asker) = (Arc::new(LocalIssuer::start(&[&signer]).await), Asker::new());
    let token = token(&asker, &issuer, &signer);
    let ask = |_| {
        let (issuers, url, token) = (Arc::clone(&asker.issuers), issuer.url.clone(), token.clone());
        tokio::spawn(async move { issuers.verify(&url, &token).await.is_ok() })
    };
    let asked: Vec<_> = (0..20).map(ask).collect();
    for answer in asked {
        assert!(answer.await.unwrap());
    }
    assert_eq!((issuer.asked(DISCOVERY), issuer.asked(KEYS)), (1, 1));
}

#[tokio::test]
async fn a_new_key_is_found_within_a_minute_and_an_old_one_forgotten() {
    let (old, new) = (Signer::p256("old"), Signer::ed25519("new"));
    let (issuer, asker) = (LocalIssuer::start(&[&old]).await, Asker::new());
    asker.verify(&issuer, &token(&asker, &issuer, &old)).await.unwrap();
    issuer.publish(&[&new]);
    Asker::assert_unsigned(asker.verify(&issuer, &token(&asker, &issuer, &new)).await, "too early");
    asker.clock.advance(MINUTE);
    // Nobody has asked again yet, so nobody knows that the old key is gone.
    asker.verify(&issuer, &token(&asker, &issuer, &old)).await.unwrap();
    asker.verify(&issuer, &token(&asker, &issuer, &new)).await.unwrap();
    Asker::assert_unsigned(asker.verify(&issuer, &token(&asker, &issuer, &old)).await, "old");
}

#[tokio::test]
async fn a_key_that_was_taken_back_ends_after_ten_minutes() {
    let (old, new) = (Signer::p256("old"), Signer::p256("new"));
    let (issuer, asker) = (LocalIssuer::start(&[&old, &new]).await, Asker::new());
    asker.verify(&issuer, &token(&asker, &issuer, &old)).await.unwrap();
    issuer.publish(&[&new]);
    asker.clock.advance(10 * MINUTE);
    Asker::assert_unsigned(asker.verify(&issuer, &token(&asker, &issuer, &old)).await, "taken back");
}

#[tokio::test]
async fn a_name_that_goes_on_with_another_key_has_the_new_one_after_ten_minutes() {
    let (old, new) = (Signer::p256("same"), Signer::p256("same"));
    let (issuer, asker) = (LocalIssuer::start(&[&old]).await, Asker::new());
    asker.verify(&issuer, &token(&asker, &issuer, &old)).await.unwrap();
    issuer.publish(&[&new]);
    asker.clock.advance(10 * MINUTE);
    asker.verify(&issuer, &token(&asker, &issuer, &new)).await.unwrap();
    Asker::assert_unsigned(asker.verify(&issuer, &token(&asker, &issuer, &old)).await, "the old one");
}

#[tokio::test]
async fn names_of_keys_that_are_made_up_make_nobody_ask_more_than_once_a_minute() {
    let signer = Signer::p256("a");
    let (issuer, asker) = (LocalIssuer::start(&[&signer]).await, Asker::new());
    for minute in 1..4 {
        for number in 0..20 {
            let made_up = signer.named(&format!("{minute}-{number}"));
            let result = asker.verify(&issuer, &token(&asker, &issuer, &made_up)).await;
            Asker::assert_unsigned(result, &made_up.kid);
        }
        assert_eq!(issuer.asked(KEYS), minute);
        asker.clock.advance(MINUTE);
    }
    asker.verify(&issuer, &token(&asker, &issuer, &signer)).await.unwrap();
}

#[tokio::test]
async fn known_keys_are_good_for_an_hour_while_the_issuer_is_down() {
    let signer = Signer::p256("a");
    let (mut issuer, asker) = (LocalIssuer::start(&[&signer]).await, Asker::new());
    asker.verify(&issuer, &token(&asker, &issuer, &signer)).await.unwrap();
    issuer.stop().await;
    asker.clock.advance(11 * MINUTE);
    asker.verify(&issuer, &token(&asker, &issuer, &signer)).await.unwrap();
    asker.clock.advance(49 * MINUTE - SECOND);
    asker.verify(&issuer, &token(&asker, &issuer, &signer)).await.unwrap();
    let other = signer.named("b");
    let why = asker.verify(&issuer, &token(&asker, &issuer, &other)).await;
    Asker::assert_unreachable(why, "a key that nobody can tell of");
    asker.clock.advance(SECOND);
    let why = asker.verify(&issuer, &token(&asker, &issuer, &signer)).await;
    Asker::assert_unreachable(why, "after an hour");
}

#[tokio::test]
async fn an_issuer_that_fails_is_asked_again_after_ten_seconds() {
    let signer = Signer::p256("a");
    let (issuer, asker) = (LocalIssuer::start(&[&signer]).await, Asker::new());
    issuer.answer(KEYS, Answer::Status(503));
    for _ in 0..5 {
        let result = asker.verify(&issuer, &token(&asker, &issuer, &signer)).await;
        Asker::assert_unreachable(result, "503");
    }
    assert_eq!(issuer.asked(KEYS), 1);
    issuer.publish(&[&signer]);
    asker.clock.advance(10 * SECOND);
    asker.verify(&issuer, &token(&asker, &issuer, &signer)).await.unwrap();
    assert_eq!(issuer.asked(KEYS), 2);
}

#[tokio::test]
async fn a_slow_failure_is_waited_for_once() {
    let signer = Signer::p256("a");
    let (issuer, asker) = (LocalIssuer::start(&[&signer]).await, Asker::waiting(Duration::from_millis(200)));
    issuer.answer(DISCOVERY, Answer::Never);
    let token = token(&asker, &issuer, &signer);
    let time_passes = async {
        while issuer.asked(DISCOVERY) == 0 {
            tokio::task::yield_now().await;
        }
        asker.clock.advance(15 * SECOND);
    };
    let (first, second, ()) =
        tokio::join!(asker.verify(&issuer, &token), asker.verify(&issuer, &token), time_passes);
    Asker::assert_unreachable(first, "the one who asks");
    Asker::assert_unreachable(second, "the one who waits");
    assert_eq!(issuer.asked(DISCOVERY), 1);
}

#[tokio::test]
async fn an_issuer_that_was_never_there_is_unreachable() {
    let signer = Signer::p256("a");
    let (mut issuer, asker) = (LocalIssuer::start(&[&signer]).await, Asker::new());
    issuer.stop().await;
    let result = asker.verify(&issuer, &token(&asker, &issuer, &signer)).await;
    assert!(matches!(&result, Err(IdentityInvalid::Unreachable { issuer: url, .. }) if *url == issuer.url));
}

#[tokio::test]
async fn an_issuer_that_took_all_its_keys_back_has_none() {
    let signer = Signer::p256("a");
    let (issuer, asker) = (LocalIssuer::start(&[&signer]).await, Asker::new());
    asker.verify(&issuer, &token(&asker, &issuer, &signer)).await.unwrap();
    issuer.publish(&[]);
    asker.clock.advance(10 * MINUTE);
    Asker::assert_unsigned(asker.verify(&issuer, &token(&asker, &issuer, &signer)).await, "no keys");
}

#[tokio::test]
async fn the_keys_of_one_issuer_are_not_those_of_another() {
    let (mine, theirs) = (Signer::p256("same"), Signer::p256("same"));
    let (here, there) = (LocalIssuer::start(&[&mine]).await, LocalIssuer::start(&[&theirs]).await);
    let asker = Asker::new();
    asker.verify(&here, &token(&asker, &here, &mine)).await.unwrap();
    asker.verify(&there, &token(&asker, &there, &theirs)).await.unwrap();
    Asker::assert_unsigned(asker.verify(&here, &token(&asker, &here, &theirs)).await, "theirs, for here");
    Asker::assert_unsigned(asker.verify(&here, &token(&asker, &there, &theirs)).await, "theirs, at here");
}
