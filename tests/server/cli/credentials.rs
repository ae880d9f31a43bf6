//! Credentials that others keep: docker's file, its helpers, and other clients of the same file.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use test_support::require;

use super::{Person, closed, finish, refusal, said};

/// A helper that keeps each registry's credentials in a file, and knows none that it was not given.
const HELPER: &str = r#"#!/bin/sh
set -eu
kept="$(dirname "$0")/kept"
case "$1" in
store) cat > "$kept" ;;
get) cat > /dev/null; if [ -s "$kept" ]; then cat "$kept"; else echo "credentials not found in native keychain"; exit 1; fi ;;
erase) cat > /dev/null; rm -f "$kept" ;;
esac
"#;

fn install(folder: &Path, name: &str, script: &str) {
    let file = folder.join(format!("docker-credential-{name}"));
    std::fs::write(&file, script).unwrap();
    std::fs::set_permissions(file, PermissionsExt::from_mode(0o755)).unwrap();
}

fn path_with(folder: &Path) -> (&'static str, String) {
    ("PATH", format!("{}:{}", folder.display(), std::env::var("PATH").unwrap()))
}

#[test]
fn what_docker_wrote_is_used_and_what_it_holds_for_others_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (server, password) = closed(folder.path());
    let admin = Person::new(&["--registry", &server.address]);
    let other = json!({ "auth": "eDp5" });
    let auth = BASE64_STANDARD.encode(format!("admin:{password}"));
    let config = json!({
        "HttpHeaders": { "User-Agent": "x" },
        "auths": { "other.example": other, &*server.address: { "auth": auth } },
    });
    std::fs::write(admin.config(), config.to_string()).unwrap();
    assert!(admin.does(&["user", "ls"]).contains("admin"));
    assert_eq!(admin.does(&["repo", "ls"]), "");
    admin.log_in(&server.address, "admin", &password);
    said(finish(&mut admin.bare(&["logout", &server.address]), ""));
    assert_eq!(
        admin.config_json(),
        json!({ "HttpHeaders": { "User-Agent": "x" }, "auths": { "other.example": other } })
    );
}

#[test]
fn a_credential_helper_keeps_what_the_file_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (server, password) = closed(folder.path());
    let helpers = tempfile::tempdir().unwrap();
    install(helpers.path(), "kept", HELPER);
    for config in [json!({ "credsStore": "kept" }), json!({ "credHelpers": { &*server.address: "kept" } })] {
        let mut admin = Person::new(&["--registry", &server.address]);
        admin.environment.push(path_with(helpers.path()));
        std::fs::write(admin.config(), config.to_string()).unwrap();
        let done = admin.log_in(&server.address, "admin", &password);
        assert!(done.contains("docker-credential-kept"), "{done}");
        assert_eq!(admin.config_json()["auths"], json!({ &*server.address: {} }));
        let kept = std::fs::read_to_string(helpers.path().join("kept")).unwrap();
        let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
        assert_eq!((&kept["ServerURL"], &kept["Username"]), (&json!(server.address), &json!("<token>")));
        assert!(admin.does(&["user", "ls"]).contains("admin"));
        said(finish(&mut admin.bare(&["logout", &server.address]), ""));
        assert!(!helpers.path().join("kept").exists());
        assert!(admin.is_refused(&["user", "ls"]).contains("slipway login"));
    }
}

#[test]
fn a_helper_that_fails_is_named_and_so_is_one_that_is_missing() {
    let helpers = tempfile::tempdir().unwrap();
    install(helpers.path(), "locked", "#!/bin/sh\necho 'the keychain is locked'\nexit 1\n");
    install(helpers.path(), "odd", "#!/bin/sh\necho '{\"Secret\": 5}'\n");
    let mut who = Person::new(&["--registry", "127.0.0.1:1"]);
    who.environment.push(path_with(helpers.path()));
    for (name, word) in
        [("locked", "the keychain is locked"), ("odd", "cannot be read"), ("absent", "config.json")]
    {
        std::fs::write(who.config(), json!({ "credsStore": name }).to_string()).unwrap();
        let refused = who.is_refused(&["user", "ls"]);
        assert!(
            refused.contains(&format!("docker-credential-{name}")) && refused.contains(word),
            "{refused}"
        );
    }
    std::fs::write(who.config(), "{ not json").unwrap();
    let login = ["login", "127.0.0.1:1", "-u", "x", "--password-stdin"];
    assert!(refusal(finish(&mut who.bare(&login), "x")).contains("config.json"));
    assert_eq!(std::fs::read_to_string(who.config()).unwrap(), "{ not json", "it is left alone");
}

#[test]
fn skopeo_uses_a_login_of_slipway_and_slipway_one_of_skopeo() {
    let test = "skopeo_uses_a_login_of_slipway_and_slipway_one_of_skopeo";
    let Some(skopeo) = require::tool(test, "skopeo") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (server, password) = closed(folder.path());
    let admin = Person::logged_in(&server, "admin", &password);
    admin.does(&["repo", "create", "admin/app"]);
    let run = |arguments: &[&str], input: &str| {
        let mut command = Command::new(&skopeo);
        command.args(arguments).env("REGISTRY_AUTH_FILE", admin.config());
        finish(&mut command, input)
    };
    let image = format!("docker://{}/admin/app", server.address);
    let listed = said(run(&["list-tags", "--tls-verify=false", &image], ""));
    assert!(listed.contains("\"Tags\": []"), "{listed}");

    said(finish(&mut admin.bare(&["logout", &server.address]), ""));
    let login = ["login", "--tls-verify=false", "-u", "admin", "--password-stdin", &server.address];
    said(run(&login, &password));
    assert_eq!(admin.does(&["repo", "ls"]), "admin/app\n");
}
