//! Challenges and tokens over a real socket, and how often somebody may be wrong.

use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::blocking::{Client, RequestBuilder, Response};
use serde_json::Value;

use crate::process::Process;

pub(crate) const ADMIN: &str = "admin";

/// Asks for a token of some scopes.
pub(crate) fn ask_token(server: &Process, password: &str, scopes: &[&str]) -> Response {
    let scopes: String = scopes.iter().map(|scope| format!("&scope={scope}")).collect();
    let url = server.url(&format!("/token?service=slipway{scopes}"));
    Client::new().get(url).basic_auth(ADMIN, Some(password)).send().unwrap()
}

/// Gets a token.
pub(crate) fn token(server: &Process, password: &str, scopes: &[&str]) -> String {
    let response = ask_token(server, password, scopes);
    assert_eq!(response.status(), 200);
    let body: Value = serde_json::from_slice(&response.bytes().unwrap()).unwrap();
    body["token"].as_str().unwrap().to_owned()
}

/// Asks whether the registry knows who shows this token.
pub(crate) fn status_with_token(server: &Process, token: &str) -> u16 {
    Client::new().get(server.url("/v2/")).bearer_auth(token).send().unwrap().status().as_u16()
}

/// Returns the challenge of a refusal.
pub(crate) fn challenge(response: &Response) -> String {
    assert_eq!(response.status(), 401);
    response.headers()["www-authenticate"].to_str().unwrap().to_owned()
}

fn begin_upload(server: &Process, name: &str) -> RequestBuilder {
    Client::new().post(server.url(&format!("/v2/{name}/blobs/uploads/")))
}

#[test]
fn a_challenge_leads_to_a_token_for_several_scopes_that_does_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &["--auth"]);
    let refused = challenge(&begin_upload(&server, "admin/app").send().unwrap());
    let (address, scope) = (&server.address, "repository:admin/app:pull,push");
    assert_eq!(
        refused,
        format!("Bearer realm=\"http://{address}/token\",service=\"slipway\",scope=\"{scope}\"")
    );

    let token = token(&server, server.password().unwrap(), &[scope, "repository:admin/base:pull"]);
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let names: Vec<_> = claims["access"].as_array().unwrap().iter().map(|scope| &scope["name"]).collect();
    assert_eq!(names, ["admin/app", "admin/base"], "{claims}");
    assert_eq!(begin_upload(&server, "admin/app").bearer_auth(&token).send().unwrap().status(), 202);
    let refused = challenge(&begin_upload(&server, "admin/base").bearer_auth(&token).send().unwrap());
    assert!(refused.contains("insufficient_scope"), "{refused}");
}

#[test]
fn the_realm_is_the_address_that_clients_are_to_know() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &["--auth", "--url", "https://registry.example.com/"]);
    let refused = challenge(&reqwest::blocking::get(server.url("/v2/")).unwrap());
    let known = "realm=\"https://registry.example.com/token\",service=\"registry.example.com\"";
    assert!(refused.contains(known), "{refused}");
    assert!(server.greeting.contains("docker login registry.example.com\n"), "{}", server.greeting);
}

#[test]
fn only_a_proxy_that_is_trusted_says_where_clients_log_in() {
    let realm = |options: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let server = Process::start(folder.path(), &[&["--auth"], options].concat());
        let ask = Client::new().get(server.url("/v2/")).header("x-forwarded-host", "registry.example");
        let ask = ask.header("x-forwarded-proto", "https").header("x-viewer-host", "registry.example");
        let refused = challenge(&ask.send().unwrap());
        let realm = refused.split('"').nth(1).unwrap().to_owned();
        realm.replace(&server.address.to_string(), "ADDRESS")
    };
    assert_eq!(realm(&[]), "http://ADDRESS/token");
    assert_eq!(realm(&["--trust-proxy"]), "https://registry.example/token");
}

/// Guesses passwords of many users until it is refused to go on; returns how often it could, and the refusal.
fn guess(server: &Process, forwarded_for: impl Fn(usize) -> String) -> (usize, Response) {
    let client = Client::new();
    for number in 0..200 {
        let ask = client.get(server.url("/token")).basic_auth(format!("user{number}"), Some("guess"));
        let response = ask.header("x-forwarded-for", forwarded_for(number)).send().unwrap();
        if response.status() != 401 {
            return (number, response);
        }
    }
    panic!("nobody stops it");
}

fn login_from(server: &Process, address: &str) -> u16 {
    let client = Client::builder().local_address(address.parse::<IpAddr>().ok()).build().unwrap();
    let ask = client.get(server.url("/token")).basic_auth(ADMIN, server.password());
    ask.send().unwrap().status().as_u16()
}

#[test]
fn who_guesses_from_one_address_has_to_wait_and_others_need_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &["--auth"]);
    // Whoever invents other addresses is counted all the same.
    let (count, refused) = guess(&server, |number| format!("192.0.2.{number}"));
    assert!((50..=90).contains(&count), "{count}");
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=15).contains(&wait), "{wait}");
    assert_eq!(login_from(&server, "127.0.0.2"), 200);
}

#[test]
fn who_guesses_the_password_of_one_user_has_to_wait() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &["--auth"]);
    let statuses: Vec<u16> = (0..70).map(|_| ask_token(&server, "guess", &[]).status().as_u16()).collect();
    assert_eq!(statuses[..50], [401; 50]);
    assert!(statuses[50..].contains(&429), "{statuses:?}");
}

#[test]
fn behind_a_proxy_each_of_its_clients_is_counted_for_itself() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &["--auth", "--trust-proxy"]);
    assert_eq!(guess(&server, |number| format!("10.0.0.{number}, 192.0.2.7")).1.status(), 429);
    let other = Client::new().get(server.url("/token")).header("x-forwarded-for", "192.0.2.8");
    assert_eq!(other.basic_auth(ADMIN, server.password()).send().unwrap().status(), 200);
}
