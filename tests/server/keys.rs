//! The keys that tokens are signed with.

use std::os::unix::fs::PermissionsExt;

use crate::logins::{status_with_token, token};
use crate::process::{Process, command, wait_until};

#[test]
fn the_keys_are_the_servers_alone_and_others_who_can_read_them_stop_its_start() {
    let folder = tempfile::tempdir().unwrap();
    Process::start(folder.path(), &[]).stop();
    let keys = folder.path().join("keys");
    assert_eq!(std::fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = std::fs::read_to_string(&keys).unwrap();
    for mode in [0o640, 0o604] {
        std::fs::set_permissions(&keys, PermissionsExt::from_mode(mode)).unwrap();
        let refused = Process::refusal(folder.path(), &[]);
        assert!(refused.contains(&format!("chmod 600 {}", keys.display())), "{refused}");
    }
    std::fs::set_permissions(&keys, PermissionsExt::from_mode(0o600)).unwrap();
    Process::start(folder.path(), &[]).stop();
    assert_eq!(std::fs::read_to_string(&keys).unwrap(), secret);
}

#[test]
fn whoever_makes_the_images_readable_to_everybody_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let quiet = Process::start(folder.path(), &[]);
    assert!(!quiet.said().contains("chmod 700"));
    quiet.stop();
    std::fs::set_permissions(folder.path().join("data"), PermissionsExt::from_mode(0o755)).unwrap();
    Process::start(folder.path(), &[]).wait_for_word(&format!("chmod 700 {}", folder.path().display()));
}

#[test]
fn a_rotation_while_the_server_runs_signs_with_the_new_key_and_keeps_what_the_old_one_signed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &["--auth"]);
    let password = server.password().unwrap();
    // The head of a token names its key.
    let head = |token: &str| token.split('.').next().unwrap().to_owned();
    let first = token(&server, password, &[]);
    assert_eq!(head(&token(&server, password, &[])), head(&first));

    command(folder.path(), &["key", "rotate"]);
    wait_until("the new key signs", || head(&token(&server, password, &[])) != head(&first));
    let second = token(&server, password, &[]);
    assert_eq!([&first, &second].map(|token| status_with_token(&server, token)), [200, 200]);

    command(folder.path(), &["key", "rotate"]);
    wait_until("the oldest key is gone", || status_with_token(&server, &first) == 401);
    assert_eq!(status_with_token(&server, &second), 200);

    std::fs::write(folder.path().join("keys"), "no secret").unwrap();
    server.wait_for_word("the signing keys stay as they were");
    assert_eq!(status_with_token(&server, &second), 200);
}
