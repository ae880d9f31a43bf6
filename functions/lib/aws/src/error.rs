//! What AWS says, as errors of the ports.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use registry::ports::{StoreError, StoreErrorKind};

/// Codes by which AWS asks for fewer calls; nothing was written then.
const THROTTLED: &[&str] = &[
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// Turns what the SDK gave up with into an error of the port.
pub(crate) fn store_error<E, R>(context: impl Into<String>, error: SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    let kind = match code {
        Some(code) if THROTTLED.contains(&code) => StoreErrorKind::Throttled,
        _ => StoreErrorKind::Unavailable,
    };
    StoreError::caused(kind, context, error)
}

/// Returns whether the service answered with this code.
pub(crate) fn has_code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>, codes: &[&str]) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code).is_some_and(|code| codes.contains(&code))
}

/// What is stored cannot be understood.
pub(crate) fn corrupt(
    context: impl Into<String>,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::caused(StoreErrorKind::Corrupt, context, cause)
}
