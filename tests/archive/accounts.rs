//! Copies of registries with accounts: settings go along, secrets do not.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::{NamedTempFile, TempDir};
use test_support::server::Server;

use crate::binary;
use crate::client::{Image, does, push, slipway};

const PASSWORD: &str = "correct horse battery";

/// Starts a registry that lets in the administrator, and logs in.
fn closed(home: &Path) -> (Server, NamedTempFile) {
    let mut file = NamedTempFile::new().unwrap();
    writeln!(file, "{PASSWORD}").unwrap();
    let options = ["--auth", "--admin-password-file", file.path().to_str().unwrap()];
    let server = Server::start_with(binary(), &options);
    log_in(home, &server);
    (server, file)
}

fn log_in(home: &Path, server: &Server) {
    with_password(home, &["login", server.address(), "-u", "admin"]);
}

/// Runs a command that reads the password.
fn with_password(home: &Path, arguments: &[&str]) {
    let mut command = Command::new(binary());
    command.args(arguments).arg("--password-stdin").env("DOCKER_CONFIG", home);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// Returns what the archive has of the repository's settings.
fn archived_settings(archive: &TempDir) -> Value {
    let bytes = std::fs::read(archive.path().join("team+app/slipway.json")).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn everything(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.extend(if path.is_dir() { everything(&path) } else { std::fs::read(path).unwrap() });
    }
    all
}

#[test]
fn settings_and_roles_go_along_and_no_secret_does() {
    let (home, archive) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (open, image) = (Server::start(binary()), Image::new(1, 1000));
    push(&open, "team/app", "v1", &image);
    let to = archive.path().to_str().unwrap();
    does(home.path(), &["export", "--to", to, "--registry", open.address()]);

    let (source, _password) = closed(home.path());
    does(home.path(), &["org", "add", "team", "--registry", source.address()]);
    does(home.path(), &["import", "--from", to, "--registry", source.address()]);
    let set = ["repo", "set", "team/app", "--visibility", "public", "--description", "the app"];
    let at = ["--immutable", "v*", "--registry", source.address()];
    does(home.path(), &[&set[..], &at[..]].concat());
    does(home.path(), &["team", "add", "team", "devs", "--registry", source.address()]);
    does(home.path(), &["repo", "grant", "team/app", "team:devs", "push", "--registry", source.address()]);
    does(home.path(), &["export", "--to", to, "--registry", source.address()]);
    let expected = json!({
        "format": 1, "name": "team/app", "visibility": "public", "description": "the app",
        "immutable_tags": { "patterns": ["v*"], "except": [] },
        "grants": [{ "grantee": "team:devs", "role": "push" }],
    });
    assert_eq!(archived_settings(&archive), expected);
    let archived = everything(archive.path());
    let config = std::fs::read_to_string(home.path().join("config.json")).unwrap();
    let config: Value = serde_json::from_str(&config).unwrap();
    let secrets: Vec<String> = config["auths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|auth| ["auth", "identitytoken"].map(|field| auth[field].as_str().unwrap_or("").to_owned()))
        .filter(|secret| secret.len() > 8)
        .chain([PASSWORD.to_owned()])
        .collect();
    assert!(secrets.len() >= 2, "{config}");
    for secret in secrets {
        assert!(!archived.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }

    let (target, _password) = closed(home.path());
    let said = slipway(home.path(), &["import", "--from", to, "--registry", target.address()]);
    assert!(said.code == 1 && said.text.contains("the role of team:devs"), "{}", said.text);
    does(home.path(), &["org", "add", "team", "--registry", target.address()]);
    does(home.path(), &["team", "add", "team", "devs", "--registry", target.address()]);
    let said = does(home.path(), &["import", "--from", to, "--registry", target.address()]);
    assert!(said.contains("team/app: was there, and keeps its settings"), "{said}");
    for _ in 0..2 {
        does(home.path(), &["import", "--settings", "--from", to, "--registry", target.address()]);
    }
    let said = does(home.path(), &["import", "--from", to, "--registry", target.address()]);
    assert!(!said.contains("settings"), "they are those of the layout: {said}");
    let shown = does(home.path(), &["repo", "show", "team/app", "--json", "--registry", target.address()]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    for field in ["visibility", "description", "immutable_tags", "grants"] {
        assert_eq!(shown[field], expected[field], "{field}");
    }
}

#[test]
fn whoever_may_not_push_imports_nothing() {
    let (home, archive) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let open = Server::start(binary());
    push(&open, "team/app", "v1", &Image::new(1, 1000));
    let to = archive.path().to_str().unwrap();
    does(home.path(), &["export", "--to", to, "--registry", open.address()]);
    let stranger = TempDir::new().unwrap();
    let (target, _password) = closed(home.path());
    let said = slipway(stranger.path(), &["import", "--from", to, "--registry", target.address()]);
    assert_eq!(said.code, 1, "{}", said.text);
    let said = slipway(stranger.path(), &["export", "team/app", "--to", to, "--registry", target.address()]);
    assert_eq!(said.code, 1, "{}", said.text);
}

#[test]
fn whoever_may_push_but_not_set_imports_the_content_and_is_told() {
    let (home, alice, archive) = (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let (open, image) = (Server::start(binary()), Image::new(1, 1000));
    push(&open, "team/app", "v1", &image);
    let to = archive.path().to_str().unwrap();
    does(home.path(), &["repo", "set", "team/app", "--description", "new", "--registry", open.address()]);
    does(home.path(), &["export", "--to", to, "--registry", open.address()]);
    let (target, _password) = closed(home.path());
    let at = ["--registry", target.address()];
    with_password(home.path(), &["user", "add", "alice", at[0], at[1]]);
    does(home.path(), &["repo", "create", "team/app", at[0], at[1]]);
    does(home.path(), &["repo", "grant", "team/app", "user:alice", "push", at[0], at[1]]);
    with_password(alice.path(), &["login", target.address(), "-u", "alice"]);
    let said = slipway(alice.path(), &["import", "--settings", "--from", to, at[0], at[1]]);
    assert!(said.code == 1 && said.text.contains("FAILED  team/app its settings"), "{}", said.text);
    assert!(said.text.contains("; 1 failed"), "{}", said.text);
    assert_eq!(does(alice.path(), &["tag", "ls", "team/app", at[0], at[1]]), "v1\n");
}

#[test]
fn a_layer_of_several_repositories_is_sent_once_to_a_registry_with_accounts_too() {
    let (home, archive) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (open, image) = (Server::start(binary()), Image::new(1, 300_000));
    for name in ["admin/one", "admin/two", "admin/three"] {
        push(&open, name, "v1", &image);
    }
    let to = archive.path().to_str().unwrap();
    does(home.path(), &["export", "--to", to, "--registry", open.address()]);
    let (target, _password) = closed(home.path());
    let said = does(home.path(), &["import", "--from", to, "--registry", target.address()]);
    // One layer of 300,000 bytes, and a small config.
    assert!(said.contains("292.97 KiB"), "{said}");
}

#[test]
fn a_layout_of_somebody_else_changes_neither_who_may_read_nor_who_may_push() {
    let (home, archive) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (open, image) = (Server::start(binary()), Image::new(1, 1000));
    push(&open, "team/app", "v1", &image);
    let to = archive.path().to_str().unwrap();
    does(home.path(), &["export", "--to", to, "--registry", open.address()]);
    let layout = archive.path().join("team+app");
    let grants = json!([{ "grantee": "user:mallory", "role": "admin" }]);
    let evil = json!({ "format": 1, "name": "team/app", "visibility": "public", "grants": grants });
    std::fs::write(layout.join("slipway.json"), evil.to_string()).unwrap();

    let (target, _password) = closed(home.path());
    let at = ["--registry", target.address()];
    with_password(home.path(), &["user", "add", "mallory", at[0], at[1]]);
    does(home.path(), &["repo", "create", "team/app", at[0], at[1]]);
    let shown = |name: &str| {
        let shown = does(home.path(), &["repo", "show", name, "--json", at[0], at[1]]);
        let shown: Value = serde_json::from_str(&shown).unwrap();
        (shown["visibility"].clone(), shown["grants"].clone())
    };
    let safe = (json!("private"), json!([]));
    for name in ["team/app", "team/other"] {
        let said = does(home.path(), &["import", name, "--from", layout.to_str().unwrap(), at[0], at[1]]);
        assert!(said.contains("--settings"), "{name}: {said}");
        assert_eq!(shown(name), safe, "{name}");
    }
    does(home.path(), &["import", "team/app", "--settings", "--from", to, at[0], at[1]]);
    assert_eq!(shown("team/app"), (json!("public"), grants));
}

#[test]
fn roles_stay_in_the_archive_when_who_exports_may_only_pull() {
    let (home, archive) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let [bob, to] = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let (source, _password) = closed(home.path());
    let at = ["--registry", source.address()];
    with_password(home.path(), &["user", "add", "bob", at[0], at[1]]);
    does(home.path(), &["repo", "create", "team/app", at[0], at[1]]);
    does(home.path(), &["repo", "grant", "team/app", "user:bob", "pull", at[0], at[1]]);
    with_password(bob.path(), &["login", source.address(), "-u", "bob"]);
    let export = |who: &TempDir, to: &TempDir| {
        does(who.path(), &["export", "team/app", "--to", to.path().to_str().unwrap(), at[0], at[1]])
    };
    export(&home, &archive);
    does(home.path(), &["repo", "set", "team/app", "--description", "new", at[0], at[1]]);
    for _ in 0..2 {
        let said = export(&bob, &archive);
        assert!(said.contains("team/app: the roles are kept from the export before"), "{said}");
    }
    let settings = archived_settings(&archive);
    assert_eq!(settings["grants"], json!([{ "grantee": "user:bob", "role": "pull" }]));
    assert_eq!(settings["description"], "new");

    let said = export(&bob, &to);
    assert!(!said.contains("are kept") && archived_settings(&to).get("grants").is_none(), "{said}");
    does(home.path(), &["repo", "revoke", "team/app", "user:bob", at[0], at[1]]);
    assert!(!export(&home, &archive).contains("are kept"));
    assert_eq!(archived_settings(&archive)["grants"], json!([]));
}
