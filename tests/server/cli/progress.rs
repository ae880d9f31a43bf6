//! How far a long command is: a bar on a terminal, which goes when it is done, and nothing elsewhere.

use std::process::Command;

use tempfile::TempDir;
use test_support::content::noise;
use test_support::require;
use test_support::server::Server;

use super::finish;
use super::terminal::typed;
use crate::process::wait_until;
use crate::{SLIPWAY, binary, push};

/// How every bar ends.
const TO_GO: &str = " to go";

/// What takes a line of a terminal away.
const LINE_CLEAR: &str = "\u{1b}[2K";

/// What the commands are tried on: a data folder with images and garbage, and room for copies.
struct Stock {
    server: Server,
    copies: TempDir,
}

impl Stock {
    fn new() -> Self {
        let mut server = Server::start_with(binary(), &["--lease", "1s", "--gc-every", "off"]);
        for seed in 0..4 {
            push::image(&server, "team/app", &format!("v{seed}"), &noise(seed, 100_000));
            assert_eq!(push::blob(&server, "team/app", &noise(seed + 10, 1000)).status(), 201);
        }
        wait_until("something would go", || server.command(&["gc", "--dry-run"]).1.contains("4 blob"));
        assert!(server.stop());
        Self { server, copies: tempfile::tempdir().unwrap() }
    }

    /// The long commands, in an order in which each has something to do, and words of their bars.
    fn commands(&self) -> [(String, &'static str); 4] {
        let (data, copies) = (self.server.data().display(), self.copies.path().display());
        [
            (format!("gc --data {data}"), " looked at, "),
            (format!("export --to {copies}/out --data {data}"), " exported, "),
            (format!("import --from {copies}/out --data {copies}/in"), " imported, "),
            (format!("repair --data {data}"), " read, "),
        ]
    }
}

/// What a bar said each time that it was drawn, and what is there in the end.
fn drawn<'a>(seen: &'a str, words: &str) -> (Vec<&'a str>, &'a str) {
    let lines: Vec<&str> = seen.split(LINE_CLEAR).collect();
    let bars = lines.iter().filter(|line| line.contains(TO_GO));
    let bars = bars.filter_map(|line| line.split_once(words)).map(|(done, _)| done).collect();
    (bars, lines.last().copied().unwrap_or_default())
}

/// Fails unless a bar with these words was seen to move, and is gone.
fn assert_moves_and_goes(seen: &str, words: &str) {
    let (mut bars, left) = drawn(seen, words);
    bars.dedup();
    assert!(bars.len() >= 2, "the bar did not move: {seen:?}");
    assert!(!left.contains(TO_GO), "the bar is still there: {seen:?}");
}

#[test]
fn on_a_terminal_a_long_command_shows_how_far_it_is_and_takes_that_away_in_the_end() {
    let test = "on_a_terminal_a_long_command_shows_how_far_it_is_and_takes_that_away_in_the_end";
    let Some(script) = require::tool(test, "script") else { return };
    let stock = Stock::new();
    for (command, words) in stock.commands() {
        let (code, seen) = typed(&script, &format!("{SLIPWAY} {command}"), "");
        assert_eq!(code, Some(0), "{command}: {seen}");
        assert_moves_and_goes(&seen, words);
    }
}

#[test]
fn without_a_terminal_nothing_of_a_bar_is_printed() {
    let stock = Stock::new();
    for (command, _) in stock.commands() {
        let finished = finish(Command::new(SLIPWAY).args(command.split(' ')), "");
        let (stdout, stderr) = (&finished.stdout, &finished.stderr);
        assert_eq!(finished.code, Some(0), "{command}: {stderr}");
        for trace in [TO_GO, "░", "█", "\r", "\u{1b}"] {
            assert!(!stdout.contains(trace) && !stderr.contains(trace), "{command}: {stdout}{stderr}");
        }
    }
}
