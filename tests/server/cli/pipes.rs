//! Whoever reads what is printed may stop reading.

use std::process::{Command, Stdio};

use super::{Person, push_image};
use crate::process::Process;

/// Runs a command whose output nobody reads; returns its exit code, and what it says about that.
fn unread(command: &mut Command) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_closed_pipe_is_no_error_and_what_was_asked_for_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &[]);
    for tag in ["1", "2", "3"] {
        push_image(&server, "team/app", tag);
    }
    let who = Person::new(&["--registry", &server.address]);
    for arguments in [
        &["repo", "ls"][..],
        &["repo", "ls", "--long"],
        &["repo", "ls", "--json"],
        &["repo", "show", "team/app"],
        &["tag", "ls", "team/app"],
        &["tag", "log", "team/app"],
        &["inspect", "team/app:1"],
        &["inspect", "--raw", "team/app:1"],
        &["user", "ls"],
        &["audit"],
        &["rm", "team/app:1", "team/app:2"],
        &["smoke", &server.address],
    ] {
        let command =
            if arguments[0] == "smoke" { &mut who.bare(arguments) } else { &mut who.command(arguments) };
        assert_eq!(unread(command), (Some(0), String::new()), "{arguments:?}");
    }
    assert_eq!(who.does(&["tag", "ls", "team/app"]), "3\n", "both were deleted");
    drop(server);
    for arguments in [&["fsck"][..], &["fsck", "--json"], &["gc", "--dry-run"], &["completions", "bash"]] {
        let command = &mut who.bare(arguments);
        let (code, stderr) = unread(command.arg("--data").arg(folder.path()));
        assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_refusal_that_nobody_reads_is_one_all_the_same() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let who = Person::new(&["--registry", "127.0.0.1:1"]);
    let status = who.command(&["repo", "ls"]).stdout(Stdio::null()).stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(1));
}
