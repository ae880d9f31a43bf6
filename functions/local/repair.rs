//! `slipway repair`: puts right what `fsck` finds, while the registry is stopped.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use registry::jobs::repair::{Report, Shop};

use crate::connection::is_in_use;
use crate::output::{print, printable};
use crate::progress::Progress;
use crate::settings::Settings;
use crate::storage::Storage;

/// What `repair` understands.
#[derive(Debug, Args)]
pub(crate) struct RepairOptions {
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Repairs, or says what would be done; fails if something is left that storage alone cannot bring back.
pub(crate) async fn repair(settings: &Settings, options: &RepairOptions) -> Result<ExitCode> {
    let storage = Storage::open_checked(&settings.data).map_err(|error| match is_in_use(&error) {
        true => error.context("repair needs the registry stopped"),
        false => error,
    })?;
    let storage = storage.lasting(settings.collection.lifetimes);
    let (registry, progress) = (storage.registry(), Progress::bytes("read"));
    let shop = Shop {
        registry: &registry,
        items: &*storage.items,
        objects: &*storage.objects,
        quarantine: Some(&*storage.objects),
        is_deep: true,
    };
    let watch = |done, total| progress.set(done, total);
    let report = match options.dry_run {
        true => shop.rehearse(&watch).await?,
        false => shop.repair(&watch).await?,
    };
    progress.clear();
    match options.json {
        true => crate::api::print_json(&serde_json::to_value(&report)?)?,
        false => print(text(&report))?,
    }
    Ok(if report.losses.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What was done and what is left, one a line, and the sum.
fn text(report: &Report) -> String {
    let verb = if report.is_rehearsal { "would mend" } else { "mended" };
    let mut text = String::new();
    for mend in &report.mends {
        text += &format!("{verb}  {}: {}; {}\n", printable(&mend.what), printable(&mend.problem), mend.done);
    }
    for loss in &report.losses {
        let (what, problem) = (printable(&loss.what), printable(&loss.problem));
        text += &format!("LOST    {what}: {problem}; {}\n", printable(&loss.advice));
    }
    let (mends, losses) = (report.mends.len(), report.losses.len());
    let (objects, bytes) = (report.hashed_objects, report.hashed_bytes);
    text + &format!("{objects} objects with {bytes} bytes read: {mends} {verb}, {losses} lost\n")
}

#[cfg(test)]
mod tests {
    use registry::jobs::repair::{Loss, Mend};

    use super::*;

    #[test]
    fn a_report_says_what_is_mended_what_is_lost_and_what_to_do() {
        let report = Report {
            is_rehearsal: false,
            mends: vec![Mend { what: "blob sha256:1".into(), problem: "gone".into(), done: "forgotten" }],
            losses: vec![Loss {
                what: "manifest app@sha256:2".into(),
                problem: "it needs it\u{1b}".into(),
                advice: "push it again".into(),
            }],
            hashed_objects: 2,
            hashed_bytes: 3,
        };
        let expected = "\
mended  blob sha256:1: gone; forgotten
LOST    manifest app@sha256:2: it needs it\\u{1b}; push it again
2 objects with 3 bytes read: 1 mended, 1 lost
";
        assert_eq!(text(&report), expected);
    }
}
