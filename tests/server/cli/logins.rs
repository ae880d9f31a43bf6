//! Logging in and out.

use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::{PASSWORD, Person, closed, finish, refusal, said};
use crate::process::Process;
use crate::tls_client::write_pair;

#[test]
fn a_login_keeps_a_token_and_never_the_password_and_a_logout_forgets_it() {
    let folder = tempfile::tempdir().unwrap();
    let (server, password) = closed(folder.path());
    let admin = Person::new(&["--registry", &server.address]);
    let done = admin.log_in(&server.address, "admin", &format!("{password}\n"));
    assert!(done.contains(&server.address) && done.contains(admin.config().to_str().unwrap()), "{done}");
    let text = std::fs::read_to_string(admin.config()).unwrap();
    assert!(
        !text.contains(&password) && !text.contains(&BASE64_STANDARD.encode(format!("admin:{password}")))
    );
    assert_eq!(std::fs::metadata(admin.config()).unwrap().permissions().mode() & 0o777, 0o600);
    let entry = admin.config_json()["auths"][&server.address].clone();
    assert_eq!(entry["auth"], BASE64_STANDARD.encode("admin:"));
    assert!(entry["identitytoken"].is_string());
    assert!(admin.does(&["token", "ls"]).contains("login"), "it is listed");

    assert_eq!(
        said(finish(&mut admin.bare(&["logout", &server.address]), "")),
        format!("logged out from {}\n", server.address)
    );
    assert_eq!(admin.config_json()["auths"], json!({}));
    assert!(admin.is_refused(&["user", "ls"]).contains("slipway login"));
    let again = said(finish(&mut admin.bare(&["logout", &server.address]), ""));
    assert!(again.contains("nobody was logged in"), "{again}");
}

#[test]
fn a_login_that_was_revoked_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let (server, password) = closed(folder.path());
    let admin = Person::logged_in(&server, "admin", &password);
    let id = admin.json(&["token", "ls"])[0]["id"].as_str().unwrap().to_owned();
    admin.does(&["token", "revoke", &id]);
    assert!(admin.is_refused(&["user", "ls"]).contains("slipway login"));
}

#[test]
fn wrong_credentials_are_refused_and_nothing_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (server, password) = closed(folder.path());
    let who = Person::new(&[]);
    for (user, input) in [("admin", "wrong"), ("nobody", password.as_str()), ("admin", "")] {
        let arguments = ["login", &server.address, "-u", user, "--password-stdin"];
        let refused = refusal(finish(&mut who.bare(&arguments), input));
        assert!(!refused.contains("slipway login"), "that is what was tried: {refused}");
    }
    assert!(
        refusal(finish(&mut who.bare(&["login", &server.address, "--password-stdin"]), "x"))
            .contains("-u NAME")
    );
    assert!(refusal(finish(&mut who.bare(&["login"]), "x")).contains("which registry"));
    assert!(!who.config().exists());
}

#[test]
fn an_open_registry_needs_no_login() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &[]);
    let who = Person::new(&[]);
    assert!(who.log_in(&server.address, "alice", PASSWORD).contains("open to everybody"));
    assert!(!who.config().exists());
}

#[test]
fn a_robot_and_a_limited_token_do_what_they_may() {
    let folder = tempfile::tempdir().unwrap();
    let (server, password) = closed(folder.path());
    let admin = Person::logged_in(&server, "admin", &password);
    admin.does(&["org", "add", "team"]);
    admin.does(&["repo", "create", "team/app"]);
    let robot = ["token", "create", "--account", "team", "--robot", "ci", "--scope", "team/*:pull"];
    let secret = admin.does(&robot);
    let ci = Person::logged_in(&server, "team+ci", secret.trim());
    assert_eq!(ci.does(&["tag", "ls", "team/app"]), "");
    for arguments in [&["user", "ls"][..], &["token", "ls", "--account", "team"], &["repo", "rm", "team/app"]]
    {
        ci.is_refused(arguments);
    }
    assert!(ci.is_refused(&["token", "ls"]).contains("--account"));
}

#[test]
fn the_registry_of_the_environment_is_asked_unless_another_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (server, password) = closed(folder.path());
    let mut who = Person::new(&[]);
    who.environment.push(("SLIPWAY_REGISTRY", server.address.clone()));
    let login = ["login", "-u", "admin", "--password-stdin"];
    said(finish(&mut who.bare(&login), &password));
    assert!(who.does(&["user", "ls"]).contains("admin"));
    let elsewhere = tempfile::tempdir().unwrap();
    let missing = elsewhere.path().join("missing");
    let named = who.is_refused(&["user", "ls", "--data", missing.to_str().unwrap()]);
    assert!(named.contains("there is no registry in"), "{named}");
    assert!(who.is_refused(&["user", "ls", "--registry", "127.0.0.1:1"]).contains("127.0.0.1:1"));
    said(finish(&mut who.bare(&["logout"]), ""));
}

#[test]
fn the_registry_may_be_named_before_the_command_that_asks_it() {
    let folder = tempfile::tempdir().unwrap();
    let (server, password) = closed(folder.path());
    let mut who = Person::logged_in(&server, "admin", &password);
    who.environment.push(("SLIPWAY_REGISTRY", "127.0.0.1:1".to_owned()));
    let before = ["--registry", &server.address];
    let listed = said(finish(&mut who.bare(&[&before[..], &["user", "ls"]].concat()), ""));
    assert_eq!(listed, who.does(&["user", "ls"]));
    // What would pass it over, and work on a folder of this machine, is not done.
    for command in [&["gc"][..], &["fsck"], &["serve"], &["key", "rotate"], &[]] {
        let refused = refusal(finish(&mut who.bare(&[&before[..], command].concat()), ""));
        assert!(refused.contains("--registry is for commands that ask a registry"), "{refused}");
    }
}

#[test]
fn by_https_only_a_registry_whose_certificate_is_trusted_gets_a_password() {
    let folder = tempfile::tempdir().unwrap();
    write_pair(folder.path());
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    let options = ["--auth", "--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let server = Process::start(&folder.path().join("data"), &options);
    let registry = format!("https://localhost:{}", server.address.rsplit_once(':').unwrap().1);
    let mut who = Person::new(&["--registry", &registry]);
    let login = ["login", &registry, "-u", "admin", "--password-stdin"];
    let password = server.password().unwrap();
    assert!(refusal(finish(&mut who.bare(&login), password)).contains("certificate"));
    who.environment.push(("SSL_CERT_FILE", cert.to_str().unwrap().to_owned()));
    said(finish(&mut who.bare(&login), password));
    assert!(who.does(&["user", "ls"]).contains("admin"));
}
