//! What is refused, in the registry's own words, with exit code 1 and nothing on standard output.

use super::{PASSWORD, Person, closed, finish, refusal};

#[test]
fn who_may_not_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let (server, password) = closed(folder.path());
    let admin = Person::logged_in(&server, "admin", &password);
    admin.does_with(&["user", "add", "alice"], PASSWORD);
    admin.does(&["org", "add", "team"]);
    admin.does(&["repo", "create", "team/app"]);
    let alice = Person::logged_in(&server, "alice", PASSWORD);
    let trust =
        ["--issuer", "https://ci.example", "--audience", "a", "--claim", "sub=x", "--scope", "team/*:pull"];
    for arguments in [
        &["user", "ls"][..],
        &["user", "show", "admin"],
        &["user", "admin", "alice"],
        &["user", "disable", "admin"],
        &["user", "enable", "admin"],
        &["user", "set", "admin", "--default-visibility", "public"],
        &["user", "rm", "admin"],
        &["org", "show", "team"],
        &["org", "set", "team", "--default-visibility", "public"],
        &["org", "rm", "team"],
        &["org", "members", "team"],
        &["org", "add-member", "team", "alice"],
        &["org", "rm-member", "team", "admin"],
        &["team", "add", "team", "devs"],
        &["team", "ls", "team"],
        &["team", "rm", "team", "devs"],
        &["team", "add-member", "team", "devs", "alice"],
        &["team", "rm-member", "team", "devs", "alice"],
        &["token", "ls", "--account", "team"],
        &["token", "create", "--account", "team", "--robot", "ci", "--scope", "team/*:pull"],
        &["token", "create", "--account", "admin"],
        &["token", "revoke", "none", "--account", "admin"],
        &[&["trust", "add", "--account", "team", "--robot", "ci"][..], &trust].concat(),
        &["trust", "ls", "--account", "team"],
        &["trust", "rm", "none", "--account", "team"],
        &["repo", "show", "team/app"],
        &["repo", "create", "team/other"],
        &["repo", "set", "team/app", "--visibility", "public"],
        &["repo", "grant", "team/app", "user:alice", "admin"],
        &["repo", "revoke", "team/app", "user:admin"],
        &["repo", "rm", "team/app"],
        &["tag", "ls", "team/app"],
        &["tag", "rm", "team/app", "1"],
        &["inspect", "team/app:1"],
        &["rm", "team/app:1"],
        &["audit"],
    ] {
        let refused = alice.is_refused(arguments);
        assert!(!refused.contains("without a reason"), "{arguments:?}: {refused}");
        assert!(!refused.contains("slipway login"), "{arguments:?}: another login would not help: {refused}");
    }
    let add = finish(&mut alice.command(&["user", "add", "mallory", "--password-stdin"]), PASSWORD);
    assert!(refusal(add).contains("administrator"));
    let passwd = finish(&mut alice.command(&["user", "passwd", "admin", "--password-stdin"]), PASSWORD);
    refusal(passwd);
    assert_eq!(alice.does(&["repo", "ls"]), "", "what is not theirs is not listed");
    assert_eq!(admin.does(&["repo", "ls"]), "team/app\n", "and nothing has happened");
}

#[test]
fn who_is_not_logged_in_is_told_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _) = closed(folder.path());
    let nobody = Person::new(&["--registry", &server.address]);
    for arguments in
        [&["user", "ls"][..], &["audit"], &["token", "ls", "--account", "admin"], &["tag", "ls", "x"]]
    {
        let refused = nobody.is_refused(arguments);
        assert!(refused.contains(&format!("`slipway login {}`", server.address)), "{refused}");
    }
    for arguments in [&["token", "ls"][..], &["token", "create"]] {
        let refused = nobody.is_refused(arguments);
        assert!(refused.contains("nobody is logged in: `slipway login"), "{refused}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_asked() {
    let nobody = Person::new(&["--registry", "127.0.0.1:1"]);
    for arguments in [
        &["user", "add", "Alice"][..],
        &["user", "add", "alice", "--password", "x"],
        &["login", "r.example", "-u", "alice", "-p", "x"],
        &["org", "add", "a/b"],
        &["repo", "grant", "team/app", "alice", "push"],
        &["repo", "grant", "team/app", "user:alice", "owner"],
        &["repo", "set", "team/app", "--visibility", "hidden"],
        &["repo", "set", "team/app", "--except", "v*"],
        &["token", "create", "--scope", "team/*"],
        &["token", "create", "--expires", "soon"],
        &["trust", "add", "--robot", "ci", "--issuer", "x", "--audience", "x", "--scope", "a:pull"],
    ] {
        let finished = finish(&mut nobody.command(arguments), "");
        assert_eq!(finished.code, Some(2), "{arguments:?}: {}", finished.stderr);
    }
    assert!(nobody.is_refused(&["repo", "set", "team/app"]).contains("nothing to set"));
    assert!(
        nobody.is_refused(&["repo", "ls"]).contains("127.0.0.1:1"),
        "a registry that is not there is named"
    );
    let with_password = Person::new(&["--registry", "https://alice:secret@r.example"]);
    assert!(with_password.is_refused(&["repo", "ls"]).contains("slipway login"));
}

#[test]
fn a_password_that_is_too_easy_is_refused_and_so_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let who = Person::new(&["--data", folder.path().to_str().unwrap()]);
    let add =
        |input: &str| refusal(finish(&mut who.command(&["user", "add", "alice", "--password-stdin"]), input));
    assert!(add("password\n").contains("password"));
    assert!(add("").contains("no password"));
    assert!(add("\n").contains("no password"));
    assert_eq!(who.does(&["user", "ls"]).lines().count(), 1);
}

#[test]
fn what_others_chose_cannot_move_the_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let (server, password) = closed(folder.path());
    let mallory = reqwest::blocking::Client::new();
    let ask = mallory.get(server.url("/token")).basic_auth("\u{1b}[2Jmallory", Some("x"));
    assert_eq!(ask.send().unwrap().status(), 401);
    let audit = Person::logged_in(&server, "admin", &password).does(&["audit"]);
    assert!(!audit.contains('\u{1b}'), "{audit:?}");
}
