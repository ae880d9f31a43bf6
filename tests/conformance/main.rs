//! The distribution specification as named cases: one for each MUST and SHOULD that binds a registry.
//!
//! A case talks HTTP to a base URL and knows nothing else of the registry. `SLIPWAY_CONFORMANCE_URL` names a
//! registry that is already running; without it the cases run against a `slipway serve` of their own:
//!
//! ```text
//! cargo test --test conformance
//! SLIPWAY_CONFORMANCE_URL=http://localhost:5000 cargo test --test conformance -- push_chunked
//! ```
//!
//! `SLIPWAY_CONFORMANCE_AUTHORIZATION` is the value of the `Authorization` header of an administrator, for a registry that
//! asks for accounts. `SLIPWAY_CONFORMANCE_DIFFERENCES` names a list of cases that this registry answers otherwise (see `differences`).
//!
//! Each module is a section of the specification. The doc comment of a case names section and endpoint, and
//! quotes the words that the case checks; its level says whose words they are. What no client can see has no
//! case: that unfinished uploads expire, that a 429 comes with `Retry-After`, and that referrers from before
//! the referrers API are listed.
#![expect(clippy::unwrap_used, reason = "in a test a failed unwrap is a failed test")]

#[macro_use]
mod case;
mod broken;
mod client;
mod content;
mod differences;
mod listing;
mod pushing;
mod reply;
mod target;
mod upload;

mod cancel;
mod catalog;
mod delete_blobs;
mod delete_manifests;
mod determining_support;
mod digest_algorithms;
mod errors;
mod existence;
mod manifest_kinds;
mod manifest_limits;
mod manifest_references;
mod manifest_subject;
mod manifest_tags;
mod manifests;
mod mount;
mod names;
mod pull_blobs;
mod pull_conditions;
mod pull_manifests;
mod pull_ranges;
mod push_chunked;
mod push_monolithic;
mod push_out_of_order;
mod push_resume;
mod push_single_post;
mod referrers;
mod referrers_filter;
mod referrers_paging;
mod tags;
mod tags_paging;

use std::process::ExitCode;
use std::sync::{Arc, LazyLock};

use libtest_mimic::Arguments;

use case::{Case, Level};
use differences::Differences;
use target::Target;

const SECTIONS: &[&[Case]] = &[
    determining_support::CASES,
    names::CASES,
    pull_manifests::CASES,
    pull_blobs::CASES,
    pull_conditions::CASES,
    pull_ranges::CASES,
    existence::CASES,
    push_monolithic::CASES,
    push_single_post::CASES,
    push_chunked::CASES,
    push_out_of_order::CASES,
    push_resume::CASES,
    digest_algorithms::CASES,
    cancel::CASES,
    mount::CASES,
    manifests::CASES,
    manifest_kinds::CASES,
    manifest_references::CASES,
    manifest_limits::CASES,
    manifest_tags::CASES,
    manifest_subject::CASES,
    tags::CASES,
    tags_paging::CASES,
    referrers::CASES,
    referrers_filter::CASES,
    referrers_paging::CASES,
    delete_manifests::CASES,
    delete_blobs::CASES,
    catalog::CASES,
    errors::CASES,
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let target = Arc::new(LazyLock::new(Target::find_or_start as fn() -> Target));
    let cases: Vec<&Case> = SECTIONS.iter().copied().flatten().collect();
    let differences = Arc::new(Differences::read());
    let names: Vec<String> = cases.iter().map(|case| case.full_name()).collect();
    let known = differences.check(&names);
    let trials = cases.iter().map(|case| case.trial(&target, &differences)).collect();
    if !arguments.list {
        println!("{} on {}", count_by_level(&cases), target.registry().base());
        println!("{known} of them are known to be answered otherwise");
        case::keep_places_of_failures();
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn count_by_level(cases: &[&Case]) -> String {
    let count = |level: Level| cases.iter().filter(|case| case.level == level).count();
    format!(
        "{} cases: {} MUST, {} SHOULD, {} MAY, {} promised by Slipway",
        cases.len(),
        count(Level::Must),
        count(Level::Should),
        count(Level::May),
        count(Level::Slipway)
    )
}
