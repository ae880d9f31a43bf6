//! `slipway gc` and `slipway undelete`: they ask the running server, or do the work themselves when there is none.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use http::Method;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use oci::{Digest, RepositoryName};
use registry::jobs::garbage_collection::{Kind, Report};
use serde_json::{Value, json};

use crate::cli::GcOptions;
use crate::connection::Connection;
use crate::housekeeping;
use crate::output::{print, print_line, printable};
use crate::settings::Settings;

/// Collects garbage, or says what would go.
pub(crate) async fn collect(settings: &Settings, options: &GcOptions) -> Result<()> {
    let connection = Connection::keeping_house(settings).await?;
    let report = match options.dry_run {
        true => report_of(ask(&connection, &json!({ "task": "rehearse" })).await?)?,
        false => run(&connection).await?,
    };
    match options.json {
        true => crate::api::print_json(&serde_json::to_value(&report)?)?,
        false => print(text(&report))?,
    }
    ensure!(report.error.is_none(), "it ended early: {}", report.error.unwrap_or_default());
    Ok(())
}

/// Brings blobs back from the trash.
pub(crate) async fn undelete(
    settings: &Settings,
    repository: &RepositoryName,
    digests: &[Digest],
) -> Result<()> {
    let connection = Connection::keeping_house(settings).await?;
    for digest in digests {
        let task = json!({ "task": "undelete", "repository": repository, "digest": digest });
        let done = ask(&connection, &task).await?;
        let size_bytes = done["size_bytes"].as_u64().unwrap_or_default();
        print_line(&format!("{repository}@{digest} is back, {}", HumanBytes(size_bytes)))?;
    }
    Ok(())
}

async fn ask(connection: &Connection, task: &Value) -> Result<Value> {
    let response = connection.ask_with(Method::POST, housekeeping::PATH, Some(task)).await?;
    Ok(serde_json::from_slice(response.body())?)
}

fn report_of(answer: Value) -> Result<Report> {
    Ok(serde_json::from_value(answer)?)
}

async fn run(connection: &Connection) -> Result<Report> {
    let waiting = ask(connection, &json!({ "task": "waiting" })).await?["waiting"].as_u64();
    let bar = ProgressBar::new(waiting.unwrap_or_default()).with_message("0 gone");
    let style = "{bar:30} {human_pos} of {human_len} looked at, {msg}, {eta} to go";
    bar.set_style(ProgressStyle::with_template(style)?);
    let (mut all, mut from) = (Report::default(), None);
    loop {
        let report = report_of(ask(connection, &json!({ "task": "collect", "from": from })).await?)?;
        from = report.next;
        all.add(report);
        // What is collected leaves more to look at.
        bar.set_length(bar.length().unwrap_or_default().max(all.suspects));
        bar.set_message(format!("{} gone", HumanCount(all.gone.len() as u64)));
        bar.set_position(all.suspects);
        if from.is_none() || all.error.is_some() {
            bar.finish_and_clear();
            return Ok(all);
        }
    }
}

/// What went or would go, and why, one a line; and the sum.
fn text(report: &Report) -> String {
    let mut text = String::new();
    for gone in &report.gone {
        let size =
            if gone.size_bytes == 0 { String::new() } else { format!(", {}", HumanBytes(gone.size_bytes)) };
        text +=
            &format!("{:10}  {}{size}: {}\n", word(gone.kind), printable(&gone.what), printable(&gone.why));
    }
    for failure in &report.failures {
        text += &format!("{:10}  {}: {}\n", "FAILED", printable(&failure.what), printable(&failure.problem));
    }
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    for gone in &report.gone {
        *counts.entry(gone.kind).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {}", word(*kind))).collect();
    let (verb, bytes) =
        (if report.is_rehearsal { "would go" } else { "gone" }, HumanBytes(report.gone_bytes()));
    match counts.is_empty() {
        true => text += "no garbage",
        false => text += &format!("{verb}: {}, {bytes}", counts.join(", ")),
    }
    let freed = match report.freed_bytes {
        0 => String::new(),
        freed if report.is_rehearsal => format!("; {} of earlier collections too", HumanBytes(freed)),
        freed => format!("; {} left the disk or went to the trash", HumanBytes(freed)),
    };
    text + &format!("{freed} ({} looked at, {} later again)\n", report.suspects, report.postponed)
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Link => "link",
        Kind::Blob => "blob",
        Kind::Manifest => "manifest",
        Kind::ManifestObject | Kind::Adoption => "object",
        Kind::Upload => "upload",
        Kind::Repository => "repository",
    }
}

#[cfg(test)]
mod tests {
    use registry::jobs::garbage_collection::Gone;

    use super::*;

    #[test]
    fn a_report_says_what_goes_and_why_and_the_sum() {
        let gone = |kind, what: &str, size_bytes| Gone {
            kind,
            what: what.to_owned(),
            why: "nobody needs it".into(),
            size_bytes,
        };
        let report = Report {
            is_rehearsal: true,
            gone: vec![gone(Kind::Link, "app@sha256:1", 0), gone(Kind::Blob, "sha256:1\u{1b}", 2048)],
            suspects: 3,
            postponed: 1,
            ..Report::default()
        };
        let expected = "\
link        app@sha256:1: nobody needs it
blob        sha256:1\\u{1b}, 2.00 KiB: nobody needs it
would go: 1 link, 1 blob, 2.00 KiB (3 looked at, 1 later again)
";
        assert_eq!(text(&report), expected);
        assert_eq!(text(&Report::default()), "no garbage (0 looked at, 0 later again)\n");
    }
}
