//! What can be started: `aws lambda invoke --payload '{"job": "fsck"}' …` does it by hand.

use std::sync::Arc;
use std::time::Duration;

use aws::environment::Backend;
use lambda_runtime::Error;
use registry::jobs::fsck::fsck;
use registry::jobs::garbage_collection::{Budget, Collector, Policy, Report};
use registry::jobs::repair::Shop;
use registry::ports::{Clock, SystemClock, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::adoption::Adoption;

/// How long before the deadline a collection begins nothing new.
const COLLECTION_MARGIN: Duration = Duration::from_secs(60);

/// How long before the deadline an adoption begins nothing new: S3 may copy for so long.
const ADOPTION_MARGIN: Duration = Duration::from_secs(5 * 60);

/// How many suspects a dry run looks at: it has all in memory that it would write.
const REHEARSED: u64 = 50_000;

/// How many failures an answer tells of; the log has them all.
const FAILURES_TOLD: usize = 20;

/// What the log says of a collection that failed, wholly or in part.
const FAILED: &str = "a collection failed";

/// What the event asks for. The schedules of the stack ask for the first two.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(tag = "job", rename_all = "kebab-case")]
pub enum Job {
    /// Take over direct uploads whose event was lost, until the function's time is over; each run begins anywhere.
    Adopt,
    /// Take away what nobody needs, until the function's time is over.
    ///
    /// What is left then the next run finds, which begins anywhere; who asks by hand goes on at the answer's `next`.
    Collect {
        /// Whether it is only said what would go: of all that is due, if the answer has no `next`.
        #[serde(default)]
        dry_run: bool,
        /// Where the run before ended.
        #[serde(default)]
        from: Option<u64>,
        /// After how many days without a tag a manifest goes; never if absent.
        #[serde(default)]
        untagged_days: Option<u32>,
        /// For how many days after that a tag's history keeps what it pointed to.
        #[serde(default)]
        history_days: Option<u32>,
    },
    /// Put right what can be put right from storage; nothing may be pushed meanwhile, and nothing collected.
    Repair {
        /// Whether it is only said what would be done.
        #[serde(default)]
        dry_run: bool,
        /// Whether every blob is read and hashed.
        #[serde(default)]
        deep: bool,
    },
    /// Check every promise that can be checked from storage; nothing may be pushed meanwhile.
    Fsck {
        /// Whether every blob is read and hashed.
        #[serde(default)]
        deep: bool,
    },
}

/// Does it, and says what came of it; the function ends at the deadline.
pub async fn run(backend: &Backend, job: Job, deadline: Timestamp) -> Result<Value, Error> {
    run_at(backend, job, deadline, Arc::new(SystemClock)).await
}

/// Does it by another clock.
pub async fn run_at(
    backend: &Backend,
    job: Job,
    deadline: Timestamp,
    clock: Arc<dyn Clock>,
) -> Result<Value, Error> {
    match job {
        Job::Adopt => {
            let adoption = Adoption::new(backend, clock, before(deadline, ADOPTION_MARGIN));
            Ok(serde_json::to_value(adoption.run().await?)?)
        }
        Job::Collect { dry_run, from, untagged_days, history_days } => {
            let policy = policy(untagged_days, history_days);
            let collector = Collector::new(backend.registry_at(clock), policy);
            let until = Some(before(deadline, COLLECTION_MARGIN));
            let report = match dry_run {
                true => collector.rehearse(&Budget { suspects: REHEARSED, until }, from).await,
                false => collector.run(&Budget { until, ..Budget::ALL }, from).await,
            };
            answer(&report)
        }
        Job::Repair { dry_run, deep } => {
            let (registry, items, objects) = (backend.registry_at(clock), &backend.items, &backend.objects);
            let shop = Shop { registry: &registry, items, objects, quarantine: None, is_deep: deep };
            let report = match dry_run {
                true => shop.rehearse(&|_, _| {}).await?,
                false => shop.repair(&|_, _| {}).await?,
            };
            Ok(serde_json::to_value(report)?)
        }
        Job::Fsck { deep } => {
            let report = fsck(&backend.items, &backend.objects, deep).await?;
            Ok(serde_json::to_value(report)?)
        }
    }
}

fn policy(untagged_days: Option<u32>, history_days: Option<u32>) -> Policy {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let usual = Policy::default();
    Policy {
        history: history_days.map_or(usual.history, |days| days * DAY),
        untagged: untagged_days.map(|days| days * DAY),
    }
}

/// What a run has begun when its time is over is done to its end, so it stops a while before.
fn before(deadline: Timestamp, margin: Duration) -> Timestamp {
    let margin = u64::try_from(margin.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_millis(deadline.as_millis().saturating_sub(margin))
}

/// What went is in the log; an answer has room for its number alone.
fn answer(report: &Report) -> Result<Value, Error> {
    for gone in &report.gone {
        tracing::info!(kind = ?gone.kind, what = gone.what, why = %gone.why, bytes = gone.size_bytes, "collected");
    }
    if report.error.is_some() || !report.failures.is_empty() {
        // The stack's alarm knows this line; the log before it says what failed.
        tracing::error!(error = report.error.as_deref(), failures = report.failures.len(), "{FAILED}");
    }
    if let Some(error) = &report.error {
        return Err(error.clone().into());
    }
    let failures: Vec<_> = report.failures.iter().take(FAILURES_TOLD).collect();
    Ok(json!({
        "suspects": report.suspects,
        "gone": report.gone.len(),
        "gone_bytes": report.gone_bytes(),
        "freed_bytes": report.freed_bytes,
        "postponed": report.postponed,
        "contended": report.contended,
        "failures": failures,
        "next": report.next,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_names_its_job() {
        let job = |text: &str| serde_json::from_str::<Job>(text).ok();
        assert_eq!(job(r#"{"job": "adopt"}"#), Some(Job::Adopt));
        assert_eq!(job(r#"{"job": "fsck"}"#), Some(Job::Fsck { deep: false }));
        assert_eq!(job(r#"{"job": "fsck", "deep": true}"#), Some(Job::Fsck { deep: true }));
        assert_eq!(job(r#"{"job": "burn"}"#), None);
        let (from, untagged_days, history_days) = (Some(3), Some(30), None);
        let collect = Job::Collect { dry_run: false, from, untagged_days, history_days };
        assert_eq!(job(r#"{"job": "collect", "from": 3, "untagged_days": 30}"#), Some(collect));
    }

    #[test]
    fn an_answer_says_where_to_go_on() {
        let report = Report { suspects: 5, next: Some(7), ..Report::default() };
        let told = answer(&report).unwrap_or_default();
        assert_eq!((&told["suspects"], &told["next"], &told["gone"]), (&json!(5), &json!(7), &json!(0)));
        let failed = Report { error: Some("store".to_owned()), ..Report::default() };
        assert!(answer(&failed).is_err());
    }

    /// Returns every event that the template writes, with its parameters' defaults.
    fn events_of_the_stack() -> Vec<Job> {
        let template = include_str!("../../../infra/template.yaml");
        let inputs = template.lines().filter_map(|line| Some(line.split_once("'{\"job\"")?.1));
        let filled = inputs.map(|rest| {
            let text = format!("{{\"job\"{}", rest.trim_end_matches('\''));
            text.replace("${HistoryDays}", "7").replace("${UntaggedDays}", "30")
        });
        filled.map(|text| serde_json::from_str(&text).expect("a job")).collect()
    }

    #[test]
    fn the_schedules_of_the_stack_ask_for_jobs_that_there_are() {
        let collect =
            |untagged_days| Job::Collect { dry_run: false, from: None, untagged_days, history_days: Some(7) };
        assert_eq!(events_of_the_stack(), [Job::Adopt, collect(Some(30)), collect(None)]);
    }

    #[test]
    fn the_alarm_of_the_stack_knows_what_the_log_says() {
        let template = include_str!("../../../infra/template.yaml");
        assert!(template.contains(&format!("{{ $.fields.message = \"{FAILED}\" }}")));
    }
}
