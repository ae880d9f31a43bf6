//! Adoption by the clock: direct uploads whose event was lost become blobs.

use std::sync::Arc;
use std::time::Duration;

use aws::S3;
use aws::environment::Backend;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use lambda_runtime::Error;
use oci::UploadId;
use registry::Registry;
use registry::ports::{Arrived, Clock, Random, SystemRandom, Timestamp, VerifiedCopy};
use serde::Serialize;

/// How many uploads are listed in one call of the store.
const PAGE: usize = 1000;

/// How many uploads are looked at at once.
const AT_ONCE: usize = 8;

/// For how long after its arrival every run looks at an upload; until then most are taken over.
const FRESH: Duration = Duration::from_secs(2 * 60 * 60);

/// After how long it is looked at again, as often as that, for as long as the bucket keeps it.
const AGAIN: Duration = Duration::from_secs(6 * 60 * 60);

/// For how long such a look is due: there is a run every 15 minutes, and one may be a minute late.
const DUE: Duration = Duration::from_secs(16 * 60);

/// What a run has done.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// How many uploads it looked at; most were taken over long before.
    looked_at: u64,
    /// How many it took over.
    adopted: u64,
    /// How many it could not take over; the log says why.
    failed: u64,
    /// Whether it came to all of them before its time was over.
    is_whole: bool,
}

/// Looks at what has arrived and is due, for as long as there is time.
pub(crate) struct Adoption<'a> {
    objects: &'a S3,
    registry: Registry,
    began: Timestamp,
    clock: Arc<dyn Clock>,
    until: Timestamp,
}

impl<'a> Adoption<'a> {
    /// Begins no upload after `until`.
    pub(crate) fn new(backend: &'a Backend, clock: Arc<dyn Clock>, until: Timestamp) -> Self {
        let registry = backend.registry_at(Arc::clone(&clock));
        Self { objects: &backend.objects, registry, began: clock.now(), clock, until }
    }

    /// Looks at each upload that is due once, from anywhere on, so that none is last each time.
    pub(crate) async fn run(&self) -> Result<Report, Error> {
        // The ids are random, too.
        let first: UploadId = format!("{:032x}", SystemRandom.bits()).parse()?;
        let mut report = Report::default();
        report.is_whole = self.walk(Some(first.clone()), None, &mut report).await?
            && self.walk(None, Some(&first), &mut report).await?;
        tracing::info!(?report, "adopted");
        Ok(report)
    }

    /// Looks at the uploads beyond `after` and up to `last`; returns whether there was time for all.
    async fn walk(
        &self,
        mut after: Option<UploadId>,
        last: Option<&UploadId>,
        report: &mut Report,
    ) -> Result<bool, Error> {
        while self.has_time() {
            let mut arrived = self.objects.arrived_uploads(after.as_ref(), PAGE).await?;
            arrived.retain(|upload| last.is_none_or(|last| upload.id <= *last));
            after = arrived.last().filter(|_| arrived.len() == PAGE).map(|upload| upload.id.clone());
            if !self.look_at(&self.due(arrived), report).await {
                return Ok(false);
            }
            if after.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn due(&self, arrived: Vec<Arrived>) -> Vec<UploadId> {
        let due = arrived.into_iter().filter(|upload| is_due(upload.at, self.began));
        due.map(|upload| upload.id).collect()
    }

    /// Returns whether there was time for all of them.
    async fn look_at(&self, ids: &[UploadId], report: &mut Report) -> bool {
        let ended: Vec<_> = self.adoptions(ids).collect().await;
        report.looked_at += ended.len() as u64;
        for adopted in &ended {
            report.adopted += u64::from(*adopted == Some(true));
            report.failed += u64::from(adopted.is_none());
        }
        ended.len() == ids.len()
    }

    /// Each is begun when there is room for it, and none when the time is over.
    fn adoptions<'i>(&'i self, ids: &'i [UploadId]) -> BoxStream<'i, Option<bool>> {
        let begun = ids.iter().take_while(|_| self.has_time()).map(|id| self.adopt(id));
        stream::iter(begun).buffer_unordered(AT_ONCE).boxed()
    }

    /// Returns whether the upload became a blob now; `None` if that failed. The next run tries again.
    async fn adopt(&self, id: &UploadId) -> Option<bool> {
        match self.registry.upload_adopt(id).await {
            Ok(blob) => Some(blob.is_some()),
            Err(error) => {
                tracing::warn!(upload_id = %id, error = %error, "not taken over");
                None
            }
        }
    }

    fn has_time(&self) -> bool {
        self.clock.now() < self.until
    }
}

/// Returns whether a run that begins now looks at an upload that arrived then. No run remembers another, so the age says
/// it: a look costs a call for each upload, and the bucket has those of days.
fn is_due(arrived: Timestamp, now: Timestamp) -> bool {
    let age = now.as_secs().saturating_sub(arrived.as_secs());
    age < FRESH.as_secs() || age % AGAIN.as_secs() < DUE.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;

    /// Returns how many runs, one every 15 minutes, look at an upload between these ages.
    fn looks(first_run: u64, ages: std::ops::Range<u64>) -> usize {
        let arrived = Timestamp::from_millis(1_790_000_000_000);
        let runs = (0..).map(|run| first_run + run * 15 * MINUTE).take_while(|age| *age < ages.end);
        let due = |age: &u64| is_due(arrived, arrived.after(Duration::from_secs(*age)));
        runs.filter(|age| ages.contains(age)).filter(due).count()
    }

    #[test]
    fn every_upload_is_looked_at_often_at_first_and_then_now_and_then_whenever_the_runs_are() {
        for first_run in 0..15 * MINUTE {
            assert_eq!(looks(first_run, 0..2 * HOUR), 8, "{first_run}");
            for again in (6..72).step_by(6) {
                let due = looks(first_run, again * HOUR..(again + 6) * HOUR);
                assert!((1..=2).contains(&due), "{due} looks after {again} hours");
            }
            assert!(looks(first_run, 0..72 * HOUR) <= 8 + 11 * 2);
        }
    }

    #[test]
    fn an_upload_of_a_clock_that_is_ahead_has_just_come() {
        assert!(is_due(Timestamp::from_millis(u64::MAX), Timestamp::from_millis(0)));
    }
}
