//! How far an upload has come in S3's terms. Persisted in the upload's item: keep stable.

use registry::ports::Clock;
use registry::ports::{AppendState, ObjectKey, Random, StoreError, SystemClock, SystemRandom};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::error::corrupt;

/// No part but the last may be smaller (S3, "Amazon S3 multipart upload limits").
pub const PART_BYTES_MIN: u64 = 5 * 1024 * 1024;

/// A multipart upload has no more parts (the same page).
const PARTS_MAX: usize = 10_000;

/// What the entity tags may take of the upload's item, which DynamoDB takes up to 400 KiB; 10,000 of S3's take 342 KiB.
const ETAGS_BYTES_MAX: usize = 390 * 1024;

/// What S3 has of an upload: parts that are large enough, and a tail that is not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parts {
    /// The multipart upload, from the first part on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) multipart_id: Option<String>,
    /// The entity tag of each part, without quotes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) etags: Vec<String>,
    /// What comes after the parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tail: Option<Tail>,
}

/// The end of an upload, held back until it is large enough to be a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tail {
    /// Where it is.
    pub(super) key: String,
    /// How long it is.
    pub(super) size_bytes: u64,
}

impl Parts {
    /// Returns what the upload's item says.
    pub(super) fn of(state: &AppendState) -> Result<Self, StoreError> {
        if state.store.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(&state.store).map_err(|error| corrupt("state of an upload", error))
    }

    /// Returns what the upload's item has to say.
    pub(super) fn state(&self, size_bytes: u64) -> Result<AppendState, StoreError> {
        let store = serde_json::to_string(self).map_err(|error| corrupt("state of an upload", error))?;
        Ok(AppendState { size_bytes, store })
    }

    /// Returns whether S3 takes another part, and the item its entity tag, if that is as long as the one before.
    pub(super) fn has_place(&self) -> bool {
        let bytes_of = |etag: &String| etag.len() + r#""","#.len();
        let taken: usize = self.etags.iter().map(bytes_of).sum();
        let next = self.etags.last().map_or(0, bytes_of);
        self.etags.len() < PARTS_MAX && taken + next <= ETAGS_BYTES_MAX
    }

    /// Returns the number of the next part; S3 counts from 1.
    pub(super) fn next_number(&self) -> i32 {
        i32::try_from(self.etags.len() + 1).unwrap_or(i32::MAX)
    }
}

/// Returns a new place for a tail of this object: an append that fails must not touch the tail before it.
pub(super) fn tail_key(object: &ObjectKey) -> String {
    let unique = Ulid::from_parts(SystemClock.now().as_millis(), SystemRandom.bits());
    format!("{TAIL_PREFIX}{}/{unique}", object.as_str().trim_start_matches("data/"))
}

/// The beginning of the keys of tails.
pub(super) const TAIL_PREFIX: &str = "tails/";

/// Returns the object whose tail this is.
pub(super) fn object_of_tail(key: &str) -> Option<ObjectKey> {
    let (object, _) = key.strip_prefix(TAIL_PREFIX)?.rsplit_once('/')?;
    Some(ObjectKey::stored(format!("data/{object}")))
}
