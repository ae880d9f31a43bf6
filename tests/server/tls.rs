//! The registry by https.

use http::Request;
use tempfile::TempDir;

use crate::process::{Process, command, wait_until};
use crate::tls_client::{get, write_pair};

fn start(folder: &TempDir) -> Process {
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    let options = ["--auth", "--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    Process::start(&folder.path().join("data"), &options)
}

#[test]
fn by_https_the_realm_is_https_whatever_headers_say() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = write_pair(folder.path());
    let server = start(&folder);
    assert!(server.greeting.contains("listens on https://"), "{}", server.greeting);
    let request = Request::get("/v2/").header("x-forwarded-proto", "http");
    let answer = get(&server.address, &certificate, request).unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("realm=\"https://localhost:5000/token\""), "{challenge}");
    assert!(reqwest::blocking::get(server.url("/v2/")).is_err(), "http is not spoken");
    assert_eq!(command(&folder.path().join("data"), &["repo", "ls"]), "", "commands need no certificate");
}

#[test]
fn a_renewed_certificate_is_shown_without_a_restart_and_a_bad_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let first = write_pair(folder.path());
    let server = start(&folder);
    let is_shown = |certificate| get(&server.address, certificate, Request::get("/v2/")).is_some();
    assert!(is_shown(&first));
    let renewed = write_pair(folder.path());
    wait_until("the renewed certificate is shown", || is_shown(&renewed));
    assert!(!is_shown(&first));
    std::fs::write(folder.path().join("key.pem"), "no key").unwrap();
    server.wait_for_word("the TLS certificate stays as it was");
    assert!(is_shown(&renewed));
}

#[test]
fn a_certificate_without_its_key_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    write_pair(folder.path());
    let another = tempfile::tempdir().unwrap();
    write_pair(another.path());
    let [cert, key] = [folder.path().join("cert.pem"), another.path().join("key.pem")];
    let options = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let refused = Process::refusal(&folder.path().join("data"), &options);
    let reason = refused.trim_end().split_once("the certificate and the key cannot be used: ").unwrap().1;
    assert_eq!(refused.matches(reason).count(), 1, "{refused}");
    let options = ["--tls-cert", "/none.pem", "--tls-key", key.to_str().unwrap()];
    let refused = Process::refusal(&folder.path().join("data"), &options);
    assert!(refused.contains("/none.pem"), "{refused}");
    assert_eq!(refused.matches("No such file").count(), 1, "{refused}");
}
