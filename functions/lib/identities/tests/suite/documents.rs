//! What an issuer's documents may be, and where they may lead.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use crate::asking::Asker;
use crate::issuer::{Answer, DISCOVERY, KEYS, LocalIssuer};
use crate::signer::Signer;

/// Asks about a good token of an issuer whose documents are changed like this; returns why that fails.
async fn failure(what: &str, change: impl FnOnce(&LocalIssuer)) -> String {
    let signer = Signer::p256("a");
    let issuer = LocalIssuer::start(&[&signer]).await;
    change(&issuer);
    // The one that never answers is not waited for long.
    let timeout = if what.contains("slow") { Duration::from_millis(200) } else { Duration::from_secs(60) };
    let asker = Asker::waiting(timeout);
    let token = signer.token(&asker.claims(&issuer, &json!({})));
    Asker::assert_unreachable(asker.verify(&issuer, &token).await, what)
}

/// The same for an issuer whose keys are said to be here.
async fn failure_of_keys_at(url: &str) -> String {
    let changed = |issuer: &LocalIssuer| {
        let document = json!({"issuer": issuer.url, "jwks_uri": url});
        issuer.answer(DISCOVERY, Answer::Document(document));
    };
    failure(url, changed).await
}

#[tokio::test]
async fn a_document_of_another_issuer_is_refused_before_its_keys_are_asked_for() {
    for other in ["https://other.example", "", "HTTP://127.0.0.1"] {
        let why = failure(other, |issuer| {
            let document = json!({"issuer": other, "jwks_uri": format!("{}{KEYS}", issuer.url)});
            issuer.answer(DISCOVERY, Answer::Document(document));
            // It would be an answer, and so another failure.
            issuer.answer(KEYS, Answer::Status(500));
        });
        let why = why.await;
        assert!(why.starts_with("the document is that of"), "{why}");
    }
    let why = failure("with a slash", |issuer| {
        let document =
            json!({"issuer": format!("{}/", issuer.url), "jwks_uri": format!("{}{KEYS}", issuer.url)});
        issuer.answer(DISCOVERY, Answer::Document(document));
    });
    assert!(why.await.starts_with("the document is that of"));
}

#[tokio::test]
async fn keys_at_addresses_that_are_not_public_are_not_asked_for() {
    for url in [
        "https://10.0.0.1/keys",
        "https://192.168.1.1:8443/keys",
        "https://169.254.169.254/latest/meta-data/",
        "https://169.254.170.2/v2/credentials",
        "https://[fd00:ec2::254]/latest/",
        "https://[fe80::1]/keys",
        "https://[::ffff:169.254.169.254]/",
        "https://100.100.100.200/",
        "https://0.0.0.0/",
        "https://2852039166/",
    ] {
        let why = failure_of_keys_at(url).await;
        assert!(why.contains("may not be asked"), "{url}: {why}");
    }
}

#[tokio::test]
async fn keys_behind_plain_http_or_other_schemes_are_not_asked_for() {
    for url in [
        "http://10.0.0.1/keys",
        "http://issuer.example/keys",
        "http://169.254.169.254/",
        "http://127.0.0.2/",
        "http://[::ffff:127.0.0.1]/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "/keys",
        "",
        "https://user:secret@127.0.0.1/keys",
    ] {
        let why = failure_of_keys_at(url).await;
        assert!(why.contains("is no https URL"), "{url}: {why}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let signer = Signer::p256("a");
    let elsewhere = LocalIssuer::start(&[&signer]).await;
    for path in [DISCOVERY, KEYS] {
        let to = format!("{}{path}", elsewhere.url);
        let why = failure(path, |issuer| issuer.answer(path, Answer::Redirect(to))).await;
        assert_eq!(why, "the answer was 302 Found");
    }
    assert_eq!(elsewhere.asked_at_all(), 0);
}

#[tokio::test]
async fn a_huge_document_is_not_read_to_its_end() {
    for path in [DISCOVERY, KEYS] {
        let huge = Bytes::from(vec![b' '; 256 * 1024 + 1]);
        let why = failure(path, |issuer| issuer.answer(path, Answer::Bytes(huge))).await;
        assert!(why.contains("larger than"), "{why}");
    }
}

#[tokio::test]
async fn a_document_of_the_largest_size_is_read() {
    let signer = Signer::p256("a");
    let issuer = LocalIssuer::start(&[&signer]).await;
    let mut document = json!({"keys": [signer.jwk()]}).to_string().into_bytes();
    document.resize(256 * 1024, b' ');
    issuer.answer(KEYS, Answer::Bytes(document.into()));
    let asker = Asker::new();
    assert!(asker.verify(&issuer, &signer.token(&asker.claims(&issuer, &json!({})))).await.is_ok());
}

#[tokio::test]
async fn what_is_no_document_is_refused() {
    for path in [DISCOVERY, KEYS] {
        for text in ["", "<html>", "[]", "{}", "{\"keys\": {}}", "{\"issuer\": 5}"] {
            let answer = Answer::Bytes(Bytes::from_static(text.as_bytes()));
            let why = failure(text, |issuer| issuer.answer(path, answer)).await;
            assert!(why.contains("cannot be read"), "{path} {text}: {why}");
        }
        for status in [204, 401, 404, 500] {
            let why = failure(path, |issuer| issuer.answer(path, Answer::Status(status))).await;
            assert!(why.contains(&status.to_string()), "{why}");
        }
    }
}

#[tokio::test]
async fn a_slow_issuer_is_not_waited_for() {
    for path in [DISCOVERY, KEYS] {
        let why = failure("slow", |issuer| issuer.answer(path, Answer::Never)).await;
        assert_eq!(why, "no answer in time");
    }
}

#[tokio::test]
async fn an_issuer_whose_url_ends_with_a_slash_has_its_document_where_others_do() {
    let signer = Signer::p256("a");
    let mut issuer = LocalIssuer::start(&[&signer]).await;
    issuer.url.push('/');
    let document = json!({"issuer": issuer.url, "jwks_uri": format!("{}keys", issuer.url)});
    issuer.answer(DISCOVERY, Answer::Document(document));
    let asker = Asker::new();
    assert!(asker.verify(&issuer, &signer.token(&asker.claims(&issuer, &json!({})))).await.is_ok());
}
