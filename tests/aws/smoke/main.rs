//! `slipway smoke` finds what is wrong: a proxy that breaks one thing stands before a sound registry, and exactly the
//! check for that thing must say so.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod accounts;
mod direct_faults;
mod edge;
mod fault;
mod https;
mod login_faults;
mod message;
mod proxy;
mod pull_faults;
mod push_faults;
mod rows;
mod run;
mod site;
mod stories;
mod upstream;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use rows::{Row, all_rows};
use site::Site;
use stories::STORIES;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let site = Arc::new(Site::new());
    let mut trials = Vec::new();
    for row in all_rows() {
        let site = site.clone();
        trials.push(Trial::test(format!("{}: found by {:?}", row.title, row.check), move || {
            shows(&site, row);
            Ok(())
        }));
    }
    for (name, story) in STORIES.iter().chain(https::STORIES).copied() {
        let site = site.clone();
        trials.push(Trial::test(name, move || {
            story(&site);
            Ok(())
        }));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Exactly the check of this row does not hold, and the exit code says whether that breaks anything.
fn shows(site: &Site, row: &Row) {
    let run = site.run((row.fault)(), row.arguments);
    assert_eq!(run.names("does not hold"), [row.check], "{}{}", run.stdout, run.stderr);
    assert_eq!(run.code != Some(1), !row.essential, "the exit code");
}
