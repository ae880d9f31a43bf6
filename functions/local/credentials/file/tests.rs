use std::os::unix::fs::PermissionsExt;

use super::*;

fn file(json: &str) -> (tempfile::TempDir, ConfigFile) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, json).unwrap();
    let file = ConfigFile::read(&path).unwrap();
    (folder, file)
}

fn identity() -> Credential {
    Credential::Identity { user: "al".to_owned(), token: "t".into() }
}

fn shown(credential: Option<Credential>) -> String {
    match credential {
        None => "nothing".to_owned(),
        Some(Credential::Identity { user, token }) => format!("identity {} of {user}", token.expose_secret()),
        Some(Credential::Password { user, secret }) => format!("{user} {}", secret.expose_secret()),
    }
}

#[test]
fn every_way_in_which_docker_writes_credentials_is_read() {
    let json = r#"{"auths": {
        "a.example": {"auth": "YWxpY2U6czpj"},
        "b.example:444": {"auth": "YWxpY2U6", "identitytoken": "refresh"},
        "https://c.example/v2/": {"username": "alice", "password": "secret"},
        "d.example": {},
        "e.example": {"auth": "!"}
    }}"#;
    let (_folder, file) = file(json);
    let get = |registry: &str| shown(file.get(registry).unwrap());
    assert_eq!(get("a.example"), "alice s:c");
    assert_eq!(get("b.example:444"), "identity refresh of alice");
    assert_eq!(get("b.example"), "nothing");
    assert_eq!(get("c.example"), "alice secret");
    assert_eq!(get("d.example"), "nothing");
    assert!(format!("{:#}", file.get("e.example").err().unwrap()).contains("e.example"));
}

#[test]
fn a_helper_of_the_registry_goes_before_the_one_for_all() {
    let (_folder, file) =
        file(r#"{"credsStore": "pass", "credHelpers": {"a.example": "own", "b.example": ""}}"#);
    assert_eq!(file.helper("a.example"), Some("own"));
    assert_eq!(file.helper("b.example"), None);
    assert_eq!(file.helper("c.example"), Some("pass"));
}

#[test]
fn the_entries_of_others_stay_and_nobody_else_can_read_them() {
    let json = r#"{"detachKeys": "ctrl-e", "big": 18446744073709551615, "auths": {
        "other.example": {"auth": "eDp5", "extra": [1]}, "https://r.example/v1/": {"auth": "eDp5"}}}"#;
    let (folder, mut file) = file(json);
    let path = folder.path().join("config.json");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    file.store("r.example", &Credential::Password { user: "al".to_owned(), secret: "s".into() }).unwrap();
    let read = || serde_json::from_str::<Value>(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let mut expected: Value = serde_json::from_str(json).unwrap();
    expected["auths"] =
        json!({ "other.example": { "auth": "eDp5", "extra": [1] }, "r.example": { "auth": "YWw6cw==" } });
    assert_eq!(read(), expected);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(file.erase("r.example").unwrap() && !file.erase("r.example").unwrap());
    expected["auths"] = json!({ "other.example": { "auth": "eDp5", "extra": [1] } });
    assert_eq!(read(), expected);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_link_stays_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let (link, target) = (folder.path().join("config.json"), folder.path().join("elsewhere.json"));
    std::fs::write(&target, "{}").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    ConfigFile::read(&link).unwrap().store("r.example", &identity()).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(shown(ConfigFile::read(&target).unwrap().get("r.example").unwrap()), "identity t of al");
}

#[test]
fn a_missing_file_is_made_in_a_folder_of_the_owners_and_an_unreadable_one_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/config.json");
    ConfigFile::read(&path).unwrap().store("r.example", &identity()).unwrap();
    assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    std::fs::write(&path, "{ not json").unwrap();
    let error = format!("{:#}", ConfigFile::read(&path).err().unwrap());
    assert!(error.contains("config.json"), "{error}");
}
