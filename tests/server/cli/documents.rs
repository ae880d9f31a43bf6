//! Help and completions.

use std::process::Command;

use crate::SLIPWAY;

/// Every command about accounts, credentials and settings.
const COMMANDS: &[(&str, &[&str])] = &[
    ("user", &["add", "ls", "show", "passwd", "set", "admin", "disable", "enable", "rm"]),
    ("org", &["add", "ls", "show", "set", "rm", "members", "add-member", "rm-member"]),
    ("team", &["add", "ls", "rm", "add-member", "rm-member"]),
    ("token", &["create", "ls", "revoke"]),
    ("trust", &["add", "ls", "rm"]),
    ("repo", &["ls", "show", "create", "set", "grant", "revoke", "rm"]),
    ("tag", &["ls", "rm"]),
];

fn printed(arguments: &[&str]) -> String {
    let output = Command::new(SLIPWAY).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn completions_name_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = printed(&["completions", shell]);
        for (group, commands) in COMMANDS {
            for command in *commands {
                let is_named = script.contains(group) && script.contains(command);
                assert!(is_named, "{shell}: {group} {command}");
            }
        }
        assert!(script.contains("login") && script.contains("logout") && script.contains("audit"), "{shell}");
    }
    let bash = printed(&["completions", "bash"]);
    assert!(
        bash.contains("slipway__subcmd__team__subcmd__add__subcmd__member")
            || bash.contains("slipway__team__add__member")
    );
}

#[test]
fn every_help_has_an_example_that_the_command_line_takes() {
    let groups =
        COMMANDS.iter().flat_map(|(group, commands)| commands.iter().map(|command| vec![*group, *command]));
    let single =
        ["login", "logout", "audit", "inspect", "rm", "repair", "export", "import"].map(|name| vec![name]);
    for command in groups.chain(single) {
        let help = printed(&[command.as_slice(), &["--help"]].concat());
        let example = help.split("Example").nth(1).unwrap_or_else(|| panic!("{command:?} has no example"));
        let words = example.lines().find(|line| line.contains("slipway ")).unwrap();
        assert!(words.contains(&command.join(" ")), "{command:?}: {words}");
    }
}
