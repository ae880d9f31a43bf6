//! A direct upload has arrived in the bucket: it becomes a blob.

use aws_lambda_events::event::s3::S3Event;
use lambda_runtime::Error;
use oci::UploadId;
use registry::Registry;
use serde_json::Value;

/// Takes over direct uploads.
#[derive(Clone)]
pub(crate) struct Adoption {
    registry: Registry,
}

impl Adoption {
    pub(crate) fn new(registry: Registry) -> Self {
        Self { registry }
    }

    /// Takes over each upload of the event. With an error the whole event comes again, which does no harm.
    pub(crate) async fn take_over(&self, event: S3Event) -> Result<Value, Error> {
        let keys = event.records.into_iter().filter_map(|record| record.s3.object.key);
        for id in keys.filter_map(|key| upload_id(&key)) {
            match self.registry.upload_adopt(&id).await? {
                Some(blob) => tracing::info!(upload_id = %id, digest = %blob.digest, "taken over"),
                None => tracing::info!(upload_id = %id, "nothing to take over"),
            }
        }
        Ok(Value::Null)
    }
}

/// Returns the upload that an object of the bucket belongs to. The event has keys percent-encoded; ids need none.
fn upload_id(key: &str) -> Option<UploadId> {
    key.strip_prefix("uploads/")?.parse().ok()
}
