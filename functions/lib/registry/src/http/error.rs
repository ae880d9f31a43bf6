//! The one place where errors become OCI error codes and statuses.

use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use oci::{
    ContentRangeInvalid, Digest, EndpointError, ErrorBody, ErrorCode, ErrorEntry, ManifestInvalid,
    ReferenceInvalid, RepeatedParameter, upload_path,
};

use super::respond::{Body, complete, full, text_header};
use crate::Error;
use crate::ports::{Random, StoreErrorKind, SystemRandom};

/// So many missing digests are named in one answer: with all that a manifest may have, it would be too long for a function.
const MISSING_NAMED_MAX: usize = 1000;

/// An answer that is an error.
#[derive(Debug)]
pub(crate) struct HttpError {
    errors: Vec<(ErrorCode, String, Option<serde_json::Value>)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// What the log has to say, which the client must not see.
    internal: Option<String>,
}

impl HttpError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { errors: vec![(code, message.into(), None)], headers: Vec::new(), internal: None }
    }

    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.push((name, text_header(value)));
        self
    }

    fn internal(code: ErrorCode, error: &Error) -> Self {
        let told = match code {
            ErrorCode::InsufficientStorage => {
                "the registry's storage is full or read-only; nothing was stored"
            }
            ErrorCode::TooManyRequests => "the registry's storage is busy; try again",
            ErrorCode::Unavailable => "the registry's storage does not answer; try again",
            _ => "something went wrong inside the registry; its log says what",
        };
        Self { internal: Some(chain(error)), ..Self::new(code, told) }
    }

    /// Writes to the log what the answer must not say, and returns under which id.
    fn log(&self) -> Option<String> {
        let internal = self.internal.as_ref()?;
        let request_id = format!("{:032x}", SystemRandom.bits());
        tracing::error!(request_id, error = %internal, "a request failed inside the registry");
        Some(request_id)
    }

    /// Returns the answer; what it must not say goes to the log.
    pub(crate) fn into_response(mut self) -> Response<Body> {
        if let Some(request_id) = self.log() {
            for (_, message, _) in &mut self.errors {
                *message = format!("{message} (request {request_id})");
            }
        }
        let code = self.errors.first().map_or(ErrorCode::Unknown, |(code, ..)| *code);
        let entry = |(code, message, detail): (ErrorCode, String, Option<serde_json::Value>)| ErrorEntry {
            code: code.as_str().to_owned(),
            message,
            detail,
        };
        let body = ErrorBody { errors: self.errors.into_iter().map(entry).collect() };
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::new(full(json));
        *response.status_mut() =
            StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().extend(self.headers);
        response.headers_mut().insert(header::CONTENT_TYPE, text_header("application/json"));
        response
    }
}

impl From<Error> for HttpError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::BlobUnknown { .. } => Self::new(ErrorCode::BlobUnknown, message),
            Error::BlobReferenced { .. } => {
                Self::new(ErrorCode::Unsupported, message).with_header(header::ALLOW, "GET, HEAD")
            }
            Error::ManifestReferenced { .. } => {
                Self::new(ErrorCode::Unsupported, message).with_header(header::ALLOW, "GET, HEAD, PUT")
            }
            Error::UploadUnknown { .. } => Self::new(ErrorCode::BlobUploadUnknown, message),
            Error::ChunkOutOfOrder { .. } => Self::new(ErrorCode::BlobUploadOutOfOrder, message),
            Error::ChunkLength { .. } => Self::new(ErrorCode::SizeInvalid, message),
            Error::UploadInterrupted { .. } => Self::new(ErrorCode::BlobUploadInvalid, message),
            Error::DigestMismatch { .. } => Self::new(ErrorCode::DigestInvalid, message),
            Error::ManifestUnknown { .. } | Error::TagMoveUnknown { .. } => {
                Self::new(ErrorCode::ManifestUnknown, message)
            }
            Error::ManifestInvalid(error) => error.into(),
            Error::AnnotationsTooLarge { .. } => Self::new(ErrorCode::ManifestTooLarge, message),
            Error::ManifestBlobUnknown { missing, repository } => {
                let entry = |digest: &Digest| {
                    let message = format!("{digest} is unknown to repository {repository}");
                    (ErrorCode::ManifestBlobUnknown, message, Some(serde_json::json!({ "digest": digest })))
                };
                let (named, others) = missing.split_at(missing.len().min(MISSING_NAMED_MAX));
                let others = (!others.is_empty()).then(|| {
                    let message = format!("{} more are unknown to repository {repository}", others.len());
                    (ErrorCode::ManifestBlobUnknown, message, None)
                });
                let errors = named.iter().map(entry).chain(others).collect();
                Self { errors, headers: Vec::new(), internal: None }
            }
            Error::DescriptorContradicts { .. } => Self::new(ErrorCode::ManifestInvalid, message),
            Error::TooManyTags { .. } => Self::new(ErrorCode::TooManyTags, message),
            Error::TagImmutable { .. } => Self::new(ErrorCode::Denied, message),
            Error::RepositoryUnknown(_) => Self::new(ErrorCode::NameUnknown, message),
            Error::AdoptionUnderWay
            | Error::Contended
            | Error::RepositoryEnding(_)
            | Error::UploadInUse(_) => Self::new(ErrorCode::TooManyRequests, message),
            Error::HashState(_) | Error::Damaged(_) | Error::TaskFailed(_) => {
                Self::internal(ErrorCode::Unknown, &error)
            }
            Error::Store(ref store) => Self::internal(store_code(store.kind), &error),
        }
    }
}

fn store_code(kind: StoreErrorKind) -> ErrorCode {
    match kind {
        StoreErrorKind::Throttled | StoreErrorKind::Overtaken => ErrorCode::TooManyRequests,
        StoreErrorKind::Unavailable => ErrorCode::Unavailable,
        StoreErrorKind::Full => ErrorCode::InsufficientStorage,
        StoreErrorKind::AlreadyFinished | StoreErrorKind::Corrupt => ErrorCode::Unknown,
    }
}

impl From<EndpointError> for HttpError {
    fn from(error: EndpointError) -> Self {
        let code = match &error {
            EndpointError::NotFound => ErrorCode::NotFound,
            EndpointError::Name(_) => ErrorCode::NameInvalid,
            EndpointError::Reference(ReferenceInvalid::Tag(_)) => ErrorCode::TagInvalid,
            EndpointError::Reference(ReferenceInvalid::Digest(_)) | EndpointError::Digest(_) => {
                ErrorCode::DigestInvalid
            }
            EndpointError::Upload(_) => ErrorCode::BlobUploadUnknown,
        };
        Self::new(code, error.to_string())
    }
}

impl From<ManifestInvalid> for HttpError {
    fn from(error: ManifestInvalid) -> Self {
        let code = match error {
            ManifestInvalid::TooLarge { .. } => ErrorCode::ManifestTooLarge,
            _ => ErrorCode::ManifestInvalid,
        };
        Self::new(code, error.to_string())
    }
}

impl From<RepeatedParameter> for HttpError {
    fn from(error: RepeatedParameter) -> Self {
        Self::new(ErrorCode::ParameterInvalid, error.to_string())
    }
}

impl From<ContentRangeInvalid> for HttpError {
    fn from(error: ContentRangeInvalid) -> Self {
        Self::new(ErrorCode::BlobUploadInvalid, error.to_string())
    }
}

/// Adds to an error of an upload where it stands, so that the client can go on from there.
pub(crate) fn at_upload(error: Error, repository: &oci::RepositoryName) -> HttpError {
    let standing = match &error {
        Error::ChunkOutOfOrder { id, offset, .. } | Error::UploadInterrupted { id, offset } => {
            Some((upload_path(repository, id), super::uploads::range_text(*offset)))
        }
        _ => None,
    };
    let http_error = HttpError::from(error);
    match standing {
        Some((location, range)) => {
            http_error.with_header(header::LOCATION, &location).with_header(header::RANGE, &range)
        }
        None => http_error,
    }
}

/// What clients are told of an error of the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The status.
    pub status: StatusCode,
    /// What went wrong, as far as it is the client's business.
    pub message: String,
    /// Where the log has the rest, if there is one.
    pub request_id: Option<String>,
}

/// Returns what clients of another API than this one are told; the rest goes to the log.
pub fn told(error: Error) -> Told {
    let error = HttpError::from(error);
    let request_id = error.log();
    let (code, message) = error
        .errors
        .into_iter()
        .next()
        .map_or((ErrorCode::Unknown, String::new()), |(code, message, _)| (code, message));
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Told { status, message, request_id }
}

/// Returns an answer that is an error, for those who answer before the service.
pub fn refusal(code: ErrorCode, message: &str) -> Response<Body> {
    let mut response = HttpError::new(code, message).into_response();
    complete(&mut response);
    response
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
