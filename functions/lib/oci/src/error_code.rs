//! Error codes: what a client is told when something cannot be done.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What went wrong, in the words of the specification, Docker's registry API and a few of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table below says what each one is")]
pub enum ErrorCode {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadOutOfOrder,
    BlobUploadUnknown,
    Denied,
    DigestInvalid,
    InsufficientStorage,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestTooLarge,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    NotFound,
    PaginationNumberInvalid,
    ParameterInvalid,
    RangeInvalid,
    SizeInvalid,
    TagInvalid,
    TooManyRequests,
    TooManyTags,
    Unauthorized,
    Unavailable,
    Unknown,
    Unsupported,
}

impl ErrorCode {
    /// Returns the code as clients read it.
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// Returns the HTTP status that goes with the code, unless the endpoint knows better.
    pub const fn status(self) -> u16 {
        self.row().1
    }

    const fn row(self) -> (&'static str, u16) {
        match self {
            Self::BlobUnknown => ("BLOB_UNKNOWN", 404),
            Self::BlobUploadInvalid => ("BLOB_UPLOAD_INVALID", 400),
            Self::BlobUploadOutOfOrder => ("BLOB_UPLOAD_INVALID", 416),
            Self::BlobUploadUnknown => ("BLOB_UPLOAD_UNKNOWN", 404),
            Self::Denied => ("DENIED", 403),
            Self::DigestInvalid => ("DIGEST_INVALID", 400),
            Self::InsufficientStorage => ("INSUFFICIENT_STORAGE", 507),
            Self::ManifestBlobUnknown => ("MANIFEST_BLOB_UNKNOWN", 400),
            Self::ManifestInvalid => ("MANIFEST_INVALID", 400),
            Self::ManifestTooLarge => ("SIZE_INVALID", 413),
            Self::ManifestUnknown => ("MANIFEST_UNKNOWN", 404),
            Self::NameInvalid => ("NAME_INVALID", 400),
            Self::NameUnknown => ("NAME_UNKNOWN", 404),
            Self::NotFound => ("UNSUPPORTED", 404),
            Self::PaginationNumberInvalid => ("UNSUPPORTED", 400),
            Self::ParameterInvalid => ("UNSUPPORTED", 400),
            Self::RangeInvalid => ("SIZE_INVALID", 416),
            Self::SizeInvalid => ("SIZE_INVALID", 400),
            Self::TagInvalid => ("TAG_INVALID", 400),
            Self::TooManyRequests => ("TOOMANYREQUESTS", 429),
            Self::TooManyTags => ("TAG_INVALID", 414),
            Self::Unauthorized => ("UNAUTHORIZED", 401),
            Self::Unavailable => ("UNAVAILABLE", 503),
            Self::Unknown => ("UNKNOWN", 500),
            Self::Unsupported => ("UNSUPPORTED", 405),
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The body of every answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What went wrong, each thing on its own; never empty.
    pub errors: Vec<ErrorEntry>,
}

/// One thing that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorEntry {
    /// An [`ErrorCode`] as clients read it.
    pub code: String,
    /// A sentence for a person.
    pub message: String,
    /// Facts for a program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Value>,
}

impl ErrorEntry {
    /// Returns an entry without detail.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code: code.as_str().to_owned(), message: message.into(), detail: None }
    }

    /// Returns the entry with `detail`.
    pub fn with_detail(self, detail: Value) -> Self {
        Self { detail: Some(detail), ..self }
    }
}

impl From<ErrorEntry> for ErrorBody {
    fn from(entry: ErrorEntry) -> Self {
        Self { errors: vec![entry] }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn body_has_the_shape_of_the_specification() {
        let plain = ErrorEntry::new(ErrorCode::NameUnknown, "repository a is unknown");
        let detailed = plain.clone().with_detail(json!({"name": "a"}));
        let body = ErrorBody { errors: vec![plain, detailed] };
        let expected = json!({"errors": [
            {"code": "NAME_UNKNOWN", "message": "repository a is unknown"},
            {"code": "NAME_UNKNOWN", "message": "repository a is unknown", "detail": {"name": "a"}},
        ]});
        assert_eq!(serde_json::to_value(&body).unwrap(), expected);
        assert_eq!(serde_json::from_value::<ErrorBody>(expected).unwrap(), body);
    }

    #[test]
    fn oversized_manifest_shares_its_code_but_not_its_status() {
        assert_eq!(ErrorCode::ManifestTooLarge.as_str(), ErrorCode::SizeInvalid.as_str());
        assert_eq!((ErrorCode::ManifestTooLarge.status(), ErrorCode::SizeInvalid.status()), (413, 400));
    }
}
