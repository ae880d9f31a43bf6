//! Writes of objects with a condition, while another write of the same object is under way.

use std::time::Duration;

use aws_sdk_s3::config::{AsyncSleep, SharedAsyncSleep};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use backon::{ExponentialBuilder, Retryable};

use crate::error::has_code;
use crate::objects::S3;

/// What S3 says of a write with a condition that met another one. A PUT and a copy are to be made again, says AWS; after
/// the completion of a multipart upload that upload is to be begun anew.
pub(crate) const MET_ANOTHER: &str = "ConditionalRequestConflict";

/// What S3 says until the other write has ended; nothing was written.
const UNDER_WAY: &[&str] = &[MET_ANOTHER, "OperationAborted"];

/// Makes the write, and again after it met another one, until that has ended or so much was waited.
///
/// The other is often the same: an attempt whose connection broke, or that another process makes.
pub(crate) async fn settled<T, E, R, W>(
    store: &S3,
    patience: Duration,
    write: impl FnMut() -> W + Send,
) -> Result<T, SdkError<E, R>>
where
    E: ProvideErrorMetadata,
    W: Future<Output = Result<T, SdkError<E, R>>> + Send,
{
    let waits = ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(1))
        .without_max_times()
        .with_total_delay(Some(patience));
    let sleep = store.client.config().sleep_impl();
    write
        .retry(waits)
        .sleep(move |wait| sleep_by(sleep.clone(), wait))
        .when(|error| has_code(error, UNDER_WAY))
        .await
}

/// Waits as the SDK does.
async fn sleep_by(sleep: Option<SharedAsyncSleep>, wait: Duration) {
    match sleep {
        Some(sleep) => sleep.sleep(wait).await,
        None => tokio::time::sleep(wait).await,
    }
}
