//! What can be started: `aws lambda invoke --payload '{"job": "fsck"}' …` does it by hand.

use aws::environment::Backend;
use lambda_runtime::Error;
use oci::UploadId;
use registry::jobs::fsck::fsck;
use registry::ports::VerifiedCopy;
use serde::Deserialize;
use serde_json::{Value, json};

/// How many uploads are looked at in one call of the store.
const PAGE: usize = 1000;

/// What the event asks for. The scheduler of the stack asks for the first.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(tag = "job", rename_all = "kebab-case")]
pub enum Job {
    /// Take over direct uploads whose event was lost.
    Adopt,
    /// Check every promise that can be checked from storage; nothing may be pushed meanwhile.
    Fsck {
        /// Whether every blob is read and hashed.
        #[serde(default)]
        deep: bool,
    },
}

/// Does it, and says what came of it.
pub async fn run(backend: &Backend, job: Job) -> Result<Value, Error> {
    match job {
        Job::Adopt => adopt(backend).await,
        Job::Fsck { deep } => {
            let report = fsck(&backend.items, &backend.objects, deep).await?;
            Ok(serde_json::to_value(report)?)
        }
    }
}

/// What cannot be taken over now is tried again the next time; it does not keep the others waiting.
async fn adopt(backend: &Backend) -> Result<Value, Error> {
    let registry = backend.registry();
    let (mut after, mut adopted, mut failed): (Option<UploadId>, u64, u64) = (None, 0, 0);
    loop {
        let ids = backend.objects.arrived_uploads(after.as_ref(), PAGE).await?;
        for id in &ids {
            match registry.upload_adopt(id).await {
                Ok(blob) => adopted += u64::from(blob.is_some()),
                Err(error) => {
                    tracing::warn!(upload_id = %id, error = %error, "not taken over");
                    failed += 1;
                }
            }
        }
        match ids.last().filter(|_| ids.len() == PAGE) {
            Some(last) => after = Some(last.clone()),
            None => return Ok(json!({ "adopted": adopted, "failed": failed })),
        }
    }
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
    }

    #[test]
    fn the_scheduler_of_the_stack_asks_for_a_job_that_there_is() {
        let template = include_str!("../../../infra/template.yaml");
        let input = template.lines().find_map(|line| line.trim().strip_prefix("Input: ")).expect("an input");
        let job: Job = serde_json::from_str(input.trim_matches('\'')).expect("a job");
        assert_eq!(job, Job::Adopt);
    }
}
