//! Upload ids: the last part of an upload session's URL.

use std::sync::Arc;

use crate::{
    limits::UPLOAD_ID_MAX_CHARS,
    text::{excerpt, text_type},
};

/// The id of an upload session, such as a ULID or a UUID.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadId(Arc<str>);

/// Why a text is no upload id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("upload id {id:?} is not made of 1 to {UPLOAD_ID_MAX_CHARS} letters, digits and \"-\"")]
pub struct UploadIdInvalid {
    /// The refused id, shortened if it is long.
    pub id: String,
}

impl UploadId {
    /// Parses `[0-9a-zA-Z-]{1,64}`.
    pub fn parse(text: &str) -> Result<Self, UploadIdInvalid> {
        let has_good_length = (1..=UPLOAD_ID_MAX_CHARS).contains(&text.len());
        let has_good_bytes = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if has_good_length && has_good_bytes {
            Ok(Self(text.into()))
        } else {
            Err(UploadIdInvalid { id: excerpt(text) })
        }
    }

    /// Returns the id as it stands in URLs.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_type!(UploadId, UploadIdInvalid);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ulid_and_uuid_are_accepted() {
        for good in
            ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "0", &"a".repeat(64)]
        {
            assert_eq!(UploadId::parse(good).map(|id| id.to_string()), Ok(good.to_owned()));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["", ".", "..", "a/b", "a_b", "a.b", "a b", "%41", "é", "a\n", &"a".repeat(65)] {
            assert!(UploadId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
