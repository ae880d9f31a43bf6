//! Every command, in a folder that nothing serves, beside its server, and from far away.

use serde_json::json;
use test_support::content::noise;
use test_support::server::Server;

use super::{PASSWORD, Person, closed};
use crate::process::Process;
use crate::{binary, push};

/// Does everything with everything, as somebody who may.
fn everything(who: &Person) {
    users(who);
    organisations(who);
    repositories(who);
    tokens(who);
    trusts(who);
    let audit = who.does(&["audit", "--limit", "3"]);
    assert!(audit.starts_with("AT ") && audit.lines().count() == 4, "{audit}");
    let entries = who.json(&["audit", "--limit", "1000"]);
    let actions: Vec<_> =
        entries.as_array().unwrap().iter().filter_map(|entry| entry["action"].as_str()).collect();
    assert!(actions.len() > 20 && actions.contains(&"user.create"), "{actions:?}");
    let made = who.json(&["audit", "--action", "user.create", "--target", "alice", "--since", "1h"]);
    assert_eq!(made.as_array().unwrap().len(), 1, "{made}");
    let options =
        ["audit", "--not-action", "user", "--outcome", "done", "--actor", "nobody", "--until", "2026-01-01"];
    assert_eq!(who.json(&options), json!([]));
}

fn users(who: &Person) {
    assert_eq!(who.does_with(&["user", "add", "alice"], PASSWORD), "made the user alice\n");
    assert_eq!(who.does_with(&["user", "add", "boss", "--admin"], PASSWORD), "made the administrator boss\n");
    let listed = who.does(&["user", "ls"]);
    assert!(
        listed.starts_with("NAME ") && listed.contains("\nalice  no ") && listed.contains("\nboss   yes "),
        "{listed}"
    );
    assert!(who.does(&["user", "show", "alice"]).starts_with("Name:              alice\n"));
    who.does(&["user", "admin", "alice"]);
    who.does(&["user", "disable", "alice"]);
    who.does(&["user", "set", "alice", "--default-visibility", "public"]);
    let alice = who.json(&["user", "show", "alice"]);
    assert_eq!((&alice["is_administrator"], &alice["is_disabled"]), (&json!(true), &json!(true)));
    assert_eq!(alice["default_visibility"], "public");
    who.does(&["user", "admin", "alice", "--revoke"]);
    who.does(&["user", "enable", "alice"]);
    let alice = who.json(&["user", "show", "alice"]);
    assert_eq!((&alice["is_administrator"], &alice["is_disabled"]), (&json!(false), &json!(false)));
    who.does_with(&["user", "passwd", "alice"], "another horse battery");
    assert_eq!(who.does(&["user", "rm", "boss"]), "deleted boss\n");
    assert!(!who.does(&["user", "ls"]).contains("boss"));
}

fn organisations(who: &Person) {
    assert_eq!(who.does(&["org", "add", "team"]), "made the organisation team\n");
    who.does(&["org", "add-member", "team", "alice", "--owner"]);
    assert!(who.does(&["org", "ls"]).contains("team"));
    who.does(&["org", "set", "team", "--default-visibility", "public"]);
    assert_eq!(who.json(&["org", "show", "team"])["default_visibility"], "public");
    who.does(&["team", "add", "team", "devs", "--description", "who write it"]);
    assert_eq!(who.does(&["team", "ls", "team"]), "NAME  DESCRIPTION\ndevs  who write it\n");
    who.does(&["team", "add-member", "team", "devs", "alice"]);
    let members = who.json(&["org", "members", "team"]);
    let alice = members.as_array().unwrap().iter().find(|member| member["name"] == "alice").unwrap();
    assert_eq!((&alice["role"], &alice["teams"]), (&json!("owner"), &json!(["devs"])));
    assert_eq!(who.json(&["user", "show", "alice"])["organisations"], json!(["team"]));
    who.does(&["team", "rm-member", "team", "devs", "alice"]);
    who.does(&["team", "add", "team", "old"]);
    who.does(&["team", "rm", "team", "old"]);
    who.does_with(&["user", "add", "carol"], PASSWORD);
    who.does(&["org", "add-member", "team", "carol"]);
    who.does(&["org", "rm-member", "team", "carol"]);
    assert!(!who.does(&["org", "members", "team"]).contains("carol"));
    who.does(&["org", "add", "short"]);
    who.does(&["org", "rm", "short"]);
    assert!(!who.does(&["org", "ls"]).contains("short"));
}

fn repositories(who: &Person) {
    who.does(&["org", "set", "team", "--default-visibility", "private"]);
    who.does(&["repo", "create", "team/usual"]);
    assert_eq!(who.json(&["repo", "show", "team/usual"])["visibility"], "private");
    who.does(&["repo", "rm", "team/usual"]);
    who.does(&["repo", "create", "team/app", "--visibility", "private", "--description", "the app"]);
    assert_eq!(who.does(&["repo", "ls", "--namespace", "team"]), "team/app\n");
    assert!(who.does(&["repo", "ls", "-l"]).contains("team/app  private "));
    who.does(&["repo", "set", "team/app", "--visibility", "public", "--immutable", "v*", "--except", "v0*"]);
    who.does(&["repo", "grant", "team/app", "user:alice", "admin"]);
    who.does(&["repo", "grant", "team/app", "team:devs", "push"]);
    let app = who.json(&["repo", "show", "team/app"]);
    assert_eq!(app["visibility"], "public");
    assert_eq!(app["immutable_tags"], json!({ "patterns": ["v*"], "except": ["v0*"] }));
    assert_eq!(app["description"], "the app", "what is not said stays");
    let shown = who.does(&["repo", "show", "team/app"]);
    for word in ["Immutable tags:  v*\n", "Except:          v0*\n", "team:devs=push", "user:alice=admin"] {
        assert!(shown.contains(word), "{shown}");
    }
    who.does(&["repo", "revoke", "team/app", "team:devs"]);
    assert!(!who.does(&["repo", "show", "team/app"]).contains("devs"));
    who.does(&["repo", "set", "team/app", "--no-immutable"]);
    assert_eq!(who.json(&["repo", "show", "team/app"])["immutable_tags"]["patterns"], json!([]));
    assert_eq!(who.does(&["repo", "rm", "team/app"]), "deleted team/app\n");
    assert_eq!(who.does(&["repo", "ls", "--namespace", "team"]), "");
}

fn tokens(who: &Person) {
    let robot = ["token", "create", "--account", "team", "--robot", "ci", "--scope", "team/*:pull,push"];
    let secret = who.does(&[&robot[..], &["--label", "the pipeline", "--expires", "30d"]].concat());
    assert_eq!(secret.lines().count(), 1, "the token and nothing else: {secret}");
    let listed = who.does(&["token", "ls", "--account", "team"]);
    assert!(listed.contains("team/*:pull,push") && listed.contains("the pipeline"), "{listed}");
    assert!(!listed.contains(secret.trim()), "a secret is shown once");
    let made = who.json(&robot);
    assert!(made["token"].is_string());
    who.does(&["token", "revoke", made["id"].as_str().unwrap(), "--account", "team"]);
    let left = who.json(&["token", "ls", "--account", "team"]);
    assert_eq!(left.as_array().unwrap().len(), 1);
}

fn trusts(who: &Person) {
    let trust = ["--issuer", "https://ci.example", "--audience", "slipway", "--claim", "sub=repo:acme/*"];
    let robot = ["trust", "add", "--account", "team", "--robot", "ci", "--scope", "team/*:push"];
    let made = who.does(&[&robot[..], &trust].concat());
    let id = made.trim().strip_prefix("made ").unwrap();
    let listed = who.does(&["trust", "ls", "--account", "team"]);
    for word in [id, "https://ci.example", "sub=repo:acme/*", "team/*:push"] {
        assert!(listed.contains(word), "{listed}");
    }
    who.does(&["trust", "rm", id, "--account", "team"]);
    assert_eq!(who.json(&["trust", "ls", "--account", "team"]), json!([]));
}

#[test]
fn whoever_holds_the_folder_does_everything_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let who = Person::new(&["--data", folder.path().to_str().unwrap()]);
    assert_eq!(who.does_with(&["user", "add", "admin"], PASSWORD), "made the administrator admin\n");
    everything(&who);
    assert!(!who.config().exists(), "and needs no credentials");
}

#[test]
fn whoever_holds_the_folder_does_everything_beside_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, _) = closed(folder.path());
    everything(&Person::new(&["--data", folder.path().to_str().unwrap()]));
}

#[test]
fn an_administrator_does_everything_from_far_away() {
    let folder = tempfile::tempdir().unwrap();
    let (server, password) = closed(folder.path());
    everything(&Person::logged_in(&server, "admin", &password));
}

#[test]
fn an_open_registry_takes_its_first_user_from_far_away_and_is_closed_then() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &[]);
    let who = Person::new(&["--registry", &server.address]);
    assert_eq!(who.does(&["repo", "ls"]), "");
    who.does(&["repo", "create", "before"]);
    assert_eq!(who.does_with(&["user", "add", "alice"], PASSWORD), "made the administrator alice\n");
    assert!(who.is_refused(&["user", "ls"]).contains("slipway login"));
    who.log_in(&server.address, "alice", PASSWORD);
    assert_eq!(who.does(&["repo", "ls"]), "before\n");
}

#[test]
fn one_s_own_is_what_is_meant_unless_something_else_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (server, password) = closed(folder.path());
    let admin = Person::logged_in(&server, "admin", &password);
    admin.does_with(&["user", "add", "alice"], PASSWORD);
    let alice = Person::logged_in(&server, "alice", PASSWORD);
    assert_eq!(alice.json(&["user", "show"])["name"], "alice");
    assert_eq!(alice.does(&["org", "ls"]).lines().count(), 1);
    alice.does(&["org", "add", "hers"]);
    assert_eq!(alice.json(&["org", "ls"])[0]["name"], "hers");
    admin.does_with(&["user", "add", "bob"], PASSWORD);
    alice.does(&["org", "add-member", "hers", "bob", "--owner"]);
    assert!(alice.is_refused(&["org", "rm-member", "hers", "alice"]).contains("slipway org accept hers"));
    let bob = Person::logged_in(&server, "bob", PASSWORD);
    assert!(bob.does(&["org", "ls"]).contains("hers"));
    assert_eq!(bob.does(&["org", "accept", "hers"]), "you are an owner of hers\n");
    alice.does(&["org", "rm-member", "hers", "alice"]);
    let secret = alice.does(&["token", "create", "--label", "laptop"]);
    let with_token = Person::logged_in(&server, "alice", secret.trim());
    assert!(with_token.does(&["token", "ls"]).contains("laptop"));
    let wrong = super::finish(
        &mut alice.command(&["user", "passwd", "--password-stdin"]),
        "wrong\nanother horse battery\n",
    );
    assert!(super::refusal(wrong).contains("password"));
    let changed = alice.does_with(&["user", "passwd"], &format!("{PASSWORD}\nanother horse battery\n"));
    assert!(changed.contains("has to log in"), "{changed}");
    assert!(alice.is_refused(&["user", "show"]).contains("slipway login"));
    alice.log_in(&server.address, "alice", "another horse battery");
    assert_eq!(alice.json(&["user", "show"])["name"], "alice");
}

#[test]
fn what_is_in_repositories_is_reached_from_far_away_too() {
    let mut open = Server::start(binary());
    let digest = push::image(&open, "team/app", "1", &noise(1, 1000));
    push::image(&open, "team/app", "2", &noise(1, 1000));
    push::image(&open, "team/app", "3", &noise(1, 1000));
    push::image(&open, "team/app", "4", &noise(1, 1000));
    assert!(open.stop());
    let (server, password) = closed(open.data());
    let admin = Person::logged_in(&server, "admin", &password);
    assert_eq!(admin.does(&["tag", "ls", "team/app"]), "1\n2\n3\n4\n");
    assert_eq!(admin.json(&["tag", "ls", "team/app"]), json!(["1", "2", "3", "4"]));
    assert!(admin.does(&["inspect", "team/app:1"]).contains(&digest));
    assert_eq!(admin.does(&["tag", "rm", "team/app", "1", "2"]), "deleted team/app:1\ndeleted team/app:2\n");
    assert!(admin.is_refused(&["tag", "rm", "team/app"]).contains("slipway tag rm team/app:1.0"));
    assert_eq!(admin.does(&["tag", "rm", "team/app:4"]), "deleted team/app:4\n");
    assert_eq!(admin.does(&["tag", "ls", "team/app"]), "3\n");
    admin.does(&["rm", &format!("team/app@{digest}")]);
    assert_eq!(admin.does(&["tag", "ls", "team/app"]), "");
}

#[test]
fn more_than_a_page_is_listed_whole_and_not_more_than_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &[]);
    let client = reqwest::blocking::Client::new();
    for number in 0..1010 {
        let body = format!("{{\"name\":\"app{number:04}\"}}");
        let ask = client.post(server.url("/api/v1/repositories")).header("content-type", "application/json");
        assert_eq!(ask.body(body).send().unwrap().status(), 201);
    }
    let who = Person::new(&["--registry", &server.address]);
    let listed = who.does(&["repo", "ls"]);
    assert_eq!((listed.lines().count(), listed.lines().last()), (1010, Some("app1009")));
    assert_eq!(who.json(&["audit", "--limit", "1005"]).as_array().unwrap().len(), 1005);
    assert_eq!(who.json(&["audit", "--limit", "0"]), json!([]));
}
