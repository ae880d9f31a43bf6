//! Adoption by the clock: direct uploads whose event was lost become blobs.

use std::sync::Arc;

use aws::S3;
use aws::environment::Backend;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use lambda_runtime::Error;
use oci::UploadId;
use registry::Registry;
use registry::ports::{Clock, Random, SystemRandom, Timestamp, VerifiedCopy};
use serde::Serialize;

/// How many uploads are listed in one call of the store.
const PAGE: usize = 1000;

/// How many uploads are looked at at once.
const AT_ONCE: usize = 8;

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

/// Looks at everything that has arrived, for as long as there is time.
pub(crate) struct Adoption<'a> {
    objects: &'a S3,
    registry: Registry,
    clock: Arc<dyn Clock>,
    until: Timestamp,
}

impl<'a> Adoption<'a> {
    /// Begins no upload after `until`.
    pub(crate) fn new(backend: &'a Backend, clock: Arc<dyn Clock>, until: Timestamp) -> Self {
        let registry = backend.registry_at(Arc::clone(&clock));
        Self { objects: &backend.objects, registry, clock, until }
    }

    /// Looks at each upload once, from anywhere on, so that none is last each time.
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
            let mut ids = self.objects.arrived_uploads(after.as_ref(), PAGE).await?;
            ids.retain(|id| last.is_none_or(|last| id <= last));
            if !self.look_at(&ids, report).await {
                return Ok(false);
            }
            match ids.pop() {
                Some(id) if ids.len() + 1 == PAGE => after = Some(id),
                _ => return Ok(true),
            }
        }
        Ok(false)
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
