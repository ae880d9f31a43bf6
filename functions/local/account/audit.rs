//! `slipway audit`.

use std::time::{Duration, SystemTime};

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::RegistryOption;
use crate::api::{Api, segment};
use crate::output::Column;

const COLUMNS: &[Column] = &[
    ("AT", "at"),
    ("WHO", "actor"),
    ("FROM", "address"),
    ("WHAT", "action"),
    ("TO", "target"),
    ("OUTCOME", "outcome"),
    ("DETAIL", "detail"),
];

/// What `audit` understands.
#[derive(Debug, Args)]
pub(crate) struct AuditOptions {
    #[command(flatten)]
    pub(crate) registry: RegistryOption,
    /// How many entries
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
    /// Only what this one did or tried: a user, a robot such as team+ci, or anonymous
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only this, such as grant.put, or all that begins with this word, such as grant
    #[arg(long, value_name = "WORD")]
    action: Option<String>,
    /// Not this, likewise: `--not-action login`
    #[arg(long, value_name = "WORD")]
    not_action: Option<String>,
    /// Only what was done to this, such as alice, or team/app with its tags and manifests
    #[arg(long, visible_alias = "repository", value_name = "NAME")]
    target: Option<String>,
    /// Only what was done, what was refused, or what was begun and takes a while
    #[arg(long)]
    outcome: Option<Outcome>,
    /// Only since then: 2026-01-31, 2026-01-31T12:00:00Z, or how long ago, such as 2h or 7d
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<SystemTime>,
    /// Only before then, written likewise
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<SystemTime>,
    /// Print JSON, for programs
    #[arg(long = "json")]
    pub(crate) is_json: bool,
}

/// How it ended.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Outcome {
    Done,
    Refused,
    Begun,
}

impl AuditOptions {
    /// Prints the entries, the latest first.
    pub(crate) async fn run(self, api: &Api) -> Result<()> {
        api.print_list(COLUMNS, api.list_some(&self.path(), "before", self.limit).await?)
    }

    fn path(&self) -> String {
        let outcome = self.outcome.map(|outcome| match outcome {
            Outcome::Done => "done".to_owned(),
            Outcome::Refused => "refused".to_owned(),
            Outcome::Begun => "begun".to_owned(),
        });
        let text = |time: Option<SystemTime>| Some(humantime::format_rfc3339_millis(time?).to_string());
        let parameters = [
            ("actor", self.actor.clone()),
            ("action", self.action.clone()),
            ("not_action", self.not_action.clone()),
            ("target", self.target.clone()),
            ("outcome", outcome),
            ("since", text(self.since)),
            ("until", text(self.until)),
        ];
        let given = parameters.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let query: Vec<String> = given.map(|(name, value)| format!("{name}={}", segment(&value))).collect();
        if query.is_empty() { "/audit".to_owned() } else { format!("/audit?{}", query.join("&")) }
    }
}

/// Reads a day, a moment, or how long ago it was.
fn time(text: &str) -> Result<SystemTime, String> {
    let long_ago =
        |ago: Duration| SystemTime::now().checked_sub(ago).filter(|at| *at > SystemTime::UNIX_EPOCH);
    let moment = humantime::parse_rfc3339_weak(text)
        .or_else(|_| humantime::parse_rfc3339_weak(&format!("{text}T00:00:00Z")))
        .ok()
        .or_else(|| long_ago(humantime::parse_duration(text).ok()?));
    moment
        .ok_or_else(|| "write 2026-01-31, 2026-01-31T12:00:00Z, or how long ago, such as 2h or 7d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_day_a_moment_or_how_long_ago() {
        let written = |text: &str| humantime::format_rfc3339(time(text).unwrap()).to_string();
        assert_eq!(written("2026-01-31"), "2026-01-31T00:00:00Z");
        assert_eq!(written("2026-01-31T12:00:00Z"), "2026-01-31T12:00:00Z");
        assert!(time("1h").unwrap() < SystemTime::now());
        for bad in ["", "yesterday", "2026", "31.1.2026", "900y"] {
            assert!(time(bad).is_err(), "{bad:?}");
        }
    }
}
