//! Passwords that are typed.

use std::process::Command;

use test_support::require;

use super::{PASSWORD, Person, finish, refusal};
use crate::SLIPWAY;

/// Types lines at a terminal of its own (`script`); returns all that is seen there.
pub(super) fn typed(script: &std::path::Path, command: &str, input: &str) -> (Option<i32>, String) {
    let mut terminal = Command::new(script);
    terminal.args(["--quiet", "--return", "--echo", "never", "--command", command, "/dev/null"]);
    let finished = finish(&mut terminal, input);
    (finished.code, finished.stdout)
}

#[test]
fn a_password_that_is_typed_is_asked_for_twice_and_never_seen() {
    let test = "a_password_that_is_typed_is_asked_for_twice_and_never_seen";
    let Some(script) = require::tool(test, "script") else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let add = format!("{SLIPWAY} user add alice --data {data}");
    let (code, seen) = typed(&script, &add, &format!("{PASSWORD}\nanother horse battery\n"));
    assert_eq!(code, Some(1), "{seen}");
    assert!(seen.contains("two different passwords"), "{seen}");
    let (code, seen) = typed(&script, &add, &format!("{PASSWORD}\n{PASSWORD}\n"));
    assert_eq!(code, Some(0), "{seen}");
    assert!(seen.contains("Password of alice:") && seen.contains("Once more:"), "{seen}");
    assert!(!seen.contains("horse"), "{seen}");
}

#[test]
fn without_a_terminal_the_way_by_standard_input_is_named() {
    let Some(setsid) = require::tool("without_a_terminal_the_way_by_standard_input_is_named", "setsid")
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let who = Person::new(&[]);
    let mut command = Command::new(setsid);
    command.args(["--wait", SLIPWAY, "user", "add", "alice", "--data", folder.path().to_str().unwrap()]);
    command.env("DOCKER_CONFIG", who.home.path());
    let refused = refusal(finish(&mut command, PASSWORD));
    assert!(refused.contains("--password-stdin"), "{refused}");
}
