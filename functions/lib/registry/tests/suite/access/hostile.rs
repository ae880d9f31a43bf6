//! What somebody who means no good sends to log in.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use registry::access::{Limits, Permission};
use test_support::access::{basic, bearer};

use super::house::{House, PASSWORD, ask_token, bearer_of, field, limits, name, root};

/// What somebody might have got hold of.
pub(super) struct Loot {
    pub(super) personal: String,
    pub(super) robot: String,
    pub(super) kept: String,
    pub(super) revoked_kept: String,
    pub(super) expired_kept: String,
    pub(super) expired_personal: String,
    pub(super) access_token: String,
}

pub(super) async fn loot(house: &House) -> Loot {
    let client = house.client();
    let alice = house.user("alice").await;
    let kept =
        async || field(&ask_token(&client, &alice, "offline_token=true").await.expect(200), "refresh_token");
    let (expired_kept, revoked_kept) = (kept().await, kept().await);
    let expired_personal = house.personal("alice", Limits::None).await.reveal().to_owned();
    house.wait(91 * 24 * 60 * 60);
    let id = revoked_kept["slipway_ref_".len()..][..16].to_owned();
    house.access.token_revoke(&root(), &name("alice"), &id).await.unwrap();
    let robot = house.robot("ci", limits("team/*", &Permission::ALL)).await;
    Loot {
        personal: house.personal("alice", Limits::None).await.reveal().to_owned(),
        robot: robot.reveal().to_owned(),
        kept: kept().await,
        revoked_kept,
        expired_kept,
        expired_personal,
        access_token: bearer_of(&client, &alice, &[]).await["Bearer ".len()..].to_owned(),
    }
}

/// What Basic authentication shows, and what it is.
pub(super) fn by_basic(loot: &Loot) -> Vec<(String, String)> {
    let changed = loot.personal.replacen(
        &loot.personal[20..21],
        if &loot.personal[20..21] == "0" { "1" } else { "0" },
        1,
    );
    let jwt = loot.access_token.as_str();
    let long = "x".repeat(100_000);
    [
        ("", ""),
        ("", PASSWORD),
        ("alice", ""),
        ("alice", "wrong:with:colons"),
        ("alice", "pässwörd ✓"),
        ("alice", "plum-Harbour-94-kettle\u{0}"),
        ("alice", "plum-Harbour-94-kettle "),
        ("alice", "PLUM-HARBOUR-94-KETTLE"),
        ("alice", &long),
        ("alice", jwt),
        ("alice", &loot.kept),
        ("alice", &loot.robot),
        ("alice", &loot.expired_personal),
        ("alice", &loot.expired_kept),
        ("alice", &loot.personal.to_uppercase()),
        ("alice", &changed),
        ("alice", &format!("{} ", loot.personal)),
        ("alice", &loot.personal[..loot.personal.len() - 1]),
        ("Alice", PASSWORD),
        (" alice", PASSWORD),
        ("alice\n", PASSWORD),
        ("alice\u{0}", PASSWORD),
        ("al\u{7f}ice", PASSWORD),
        ("\u{430}lice", PASSWORD),
        ("alice\u{200b}", PASSWORD),
        ("bob", PASSWORD),
        ("bob", &loot.personal),
        ("team+ci", PASSWORD),
        ("team+ci", &loot.personal),
        ("team+other", &loot.robot),
        ("team", &loot.robot),
        ("team", PASSWORD),
        ("+", &loot.robot),
        ("anonymous", PASSWORD),
        ("admin", "admin"),
        ("admin", "password"),
        ("../admin", PASSWORD),
        ("alice' OR '1'='1", PASSWORD),
        ("<token>", &loot.kept),
        ("$oauthtoken", &loot.kept),
        (&loot.personal, ""),
        (&loot.personal, &loot.personal),
        (jwt, ""),
        (&long, PASSWORD),
    ]
    .into_iter()
    .map(|(user, secret)| (format!("{user:.30}:{secret:.30}"), basic(user, secret)))
    .collect()
}

/// The value of `Authorization`, and what it is answered.
pub(super) fn by_header(loot: &Loot) -> Vec<(String, Vec<u16>)> {
    let encoded = |bytes: &[u8]| format!("Basic {}", BASE64_STANDARD.encode(bytes));
    vec![
        ("Basic".to_owned(), vec![401]),
        ("Basic !!!".to_owned(), vec![401]),
        (encoded(b"no colon"), vec![401]),
        (encoded(b"alice\xff:\xfe"), vec![401]),
        (format!("{} {}", basic("alice", PASSWORD), "more"), vec![401]),
        (basic("alice", PASSWORD).replace("Basic ", "Digest "), vec![401]),
        (basic("alice", PASSWORD).replace("Basic ", ""), vec![401]),
        (format!("Basic alice:{PASSWORD}"), vec![401]),
        (format!("Token {}", loot.personal), vec![401]),
        ("Negotiate YIIB".to_owned(), vec![401]),
        ("Bearer".to_owned(), vec![401]),
        (bearer(&loot.personal), vec![401]),
        (bearer(&loot.kept), vec![401]),
        (bearer("alice"), vec![401]),
        // Good as it is, it makes no others.
        (bearer(&loot.access_token), vec![403]),
    ]
}

/// The form, and what it is answered.
pub(super) fn by_form(loot: &Loot) -> Vec<(String, u16)> {
    let password = format!("grant_type=password&username=alice&password={PASSWORD}");
    let refresh = |token: &str| format!("grant_type=refresh_token&refresh_token={token}");
    let mut forms = vec![
        (String::new(), 400),
        ("&".repeat(60_000), 400),
        ("grant_type".to_owned(), 400),
        ("grant_type=".to_owned(), 400),
        ("grant_type=PASSWORD&username=alice".to_owned(), 400),
        ("grant_type=client_credentials&client_id=alice&client_secret=x".to_owned(), 400),
        ("grant_type=authorization_code&code=x".to_owned(), 400),
        ("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=x".to_owned(), 400),
        ("grant_type=password".to_owned(), 400),
        ("grant_type=password&username=alice".to_owned(), 400),
        (format!("grant_type=password&password={PASSWORD}"), 400),
        (format!("{password}&grant_type=password"), 400),
        (format!("{password}&password={PASSWORD}"), 400),
        (format!("{password}&username=alice"), 400),
        (format!("{password}&access_type=offline&access_type=online"), 400),
        (format!("{password}&client_id=a&client_id=b"), 400),
        ("grant_type=password&username=alice&password=".to_owned(), 401),
        ("grant_type=password&username=alice&password=wrong%00".to_owned(), 401),
        (format!("grant_type=password&username=ali%0Ace&password={PASSWORD}"), 401),
        (format!("grant_type=password&username=%FF%FE&password={PASSWORD}"), 401),
        (format!("grant_type=password&username=%zz&password={PASSWORD}"), 401),
        (format!("grant_type=password&username=alice&password={}", loot.kept), 401),
        ("grant_type=refresh_token".to_owned(), 400),
        (refresh(""), 401),
        (refresh("slipway_ref_"), 401),
        (refresh(&loot.personal), 401),
        (refresh(&loot.robot), 401),
        (refresh(&loot.access_token), 401),
        (refresh(PASSWORD), 401),
        (refresh(&loot.revoked_kept), 401),
        (refresh(&loot.expired_kept), 401),
        (refresh(&loot.kept.to_uppercase()), 401),
        (refresh(&format!("{}%00", loot.kept)), 401),
        (refresh(&format!("{}{}", &loot.kept[..30], &loot.revoked_kept[30..])), 401),
        (format!("{}&refresh_token={}", refresh(&loot.kept), loot.kept), 400),
        (format!("{{\"grant_type\":\"password\",\"username\":\"alice\",\"password\":\"{PASSWORD}\"}}"), 400),
        (format!("--b\r\nContent-Disposition: form-data; name=grant_type\r\n\r\n{password}\r\n--b--"), 400),
        (format!("{password}&scope={}", "x".repeat(70_000)), 413),
    ];
    let scopes: Vec<String> = (0..101).map(|number| format!("scope=repository:a/b{number}:pull")).collect();
    forms.push((format!("{password}&{}", scopes.join("&")), 400));
    forms
}
