//! `slipway smoke` finds what is wrong: exactly the check for what is broken must say so.
//!
//! What is about AWS is broken in the registry as it is deployed (`deployed`); what is about HTTP alone, by a proxy before a
//! sound registry.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod accounts;
mod checks;
mod deployed;
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

use deployed::Deployed;
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
    let deployment = Arc::new(Deployed::default());
    for row in deployed::all_rows() {
        let deployment = deployment.clone();
        trials.push(Trial::test(format!("deployed: {}: found by {:?}", row.title, row.checks), move || {
            row.shows(&deployment);
            Ok(())
        }));
    }
    for (name, story) in deployed::stories::STORIES {
        let deployment = deployment.clone();
        trials.push(Trial::test(format!("deployed: {name}"), move || {
            story(&deployment);
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
