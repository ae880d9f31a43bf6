//! `slipway smoke`: what only a deployed registry can show, one named check for each.
//!
//! Each check stands alone: it pushes what it needs, under names of its own, so that one fault shows in one place.

mod access;
mod adoption;
mod blobs;
mod bodies;
mod burst;
mod check;
mod cleaning;
mod content;
mod direct;
mod large;
mod location;
mod login;
mod manifests;
mod options;
mod report;
mod spelling;
mod target;
mod uploads;

use std::process::ExitCode;

use anyhow::Result;

use crate::client::{self, ask, payload, reply};
use check::Case;
use location::Lane;
use report::Report;
use target::Target;

pub(crate) use options::SmokeOptions;

/// The exit code where nothing is known to break, because nothing was pushed: 2 is for wrong arguments.
const NOT_CHECKED: u8 = 3;

/// Makes all checks; fails if a push or a pull breaks, and otherwise if neither was tried.
pub(crate) async fn smoke(options: SmokeOptions) -> Result<ExitCode> {
    let login = options.login.read()?;
    let mut report =
        Report::new(options.endpoint.to_string(), options.repository.to_string(), options.is_json)?;
    let target = Target::new(options.endpoint, options.repository, login)?
        .with_more(options.large_bytes, options.slow);
    let mut cases = access::CASES.iter();
    for case in cases.by_ref() {
        report.add(case.check(&target).await)?;
        if report.breaks() && login::ping(&target).await.is_err() {
            break;
        }
    }
    let obstacle = match report.breaks() {
        true => Some("who may do what is not as it should be"),
        false => access::needs_login(&target).await.then_some(access::NEEDS_LOGIN),
    };
    match obstacle {
        Some(reason) => {
            let others = cases.chain(open_cases()).chain(direct_cases()).chain(large::CASES);
            report.skip(others, reason)?;
        }
        None => check_all(&target, &mut report).await?,
    }
    for case in cleaning::CASES {
        report.add(case.check(&target).await)?;
    }
    report.end()?;
    Ok(match (report.breaks(), report.knows_push()) {
        (true, _) => ExitCode::FAILURE,
        (false, false) => ExitCode::from(NOT_CHECKED),
        (false, true) => ExitCode::SUCCESS,
    })
}

async fn check_all(target: &Target, report: &mut Report) -> Result<()> {
    for case in open_cases() {
        report.add(case.check(target).await)?;
    }
    let obstacle = match target.lane().await {
        Ok(Lane::Inline) => Some("the registry offers no direct uploads".to_owned()),
        Ok(_) => None,
        Err(error) => Some(format!("{error:#}")),
    };
    for case in direct_cases() {
        report.add(match &obstacle {
            Some(reason) => case.skipped(reason.clone()),
            None => case.check(target).await,
        })?;
    }
    for case in large::CASES {
        report.add(case.check(target).await)?;
    }
    Ok(())
}

/// What every registry has to do.
fn open_cases() -> impl Iterator<Item = &'static Case> {
    let groups =
        [burst::CASES, manifests::CASES, blobs::CASES, uploads::CASES, bodies::CASES, spelling::CASES];
    groups.into_iter().flatten()
}

/// What a registry has to do that offers direct uploads.
fn direct_cases() -> impl Iterator<Item = &'static Case> {
    [direct::CASES, adoption::CASES].into_iter().flatten()
}
