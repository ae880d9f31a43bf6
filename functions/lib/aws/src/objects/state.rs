//! How far an upload has come in S3's terms. Persisted in the upload's item: keep stable.

use registry::ports::Clock;
use registry::ports::{
    AppendState, ObjectKey, Random, StoreError, StoreErrorKind, SystemClock, SystemRandom,
};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::error::corrupt;

/// No part but the last may be smaller (S3, "Amazon S3 multipart upload limits").
pub const PART_BYTES_MIN: u64 = 5 * 1024 * 1024;

/// How long a part is when there are bytes enough; with 10,000 of them an object ends at 78 GiB.
pub(super) const PART_BYTES: usize = 8 * 1024 * 1024;

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
    /// The parts in the order of their numbers, which S3 counts from 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) etags: Vec<Place>,
    /// How many numbers after them were given to requests of which nobody knows what became.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) given: usize,
    /// What comes after the parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tail: Option<Tail>,
}

/// What is at one part number, or at several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Place {
    /// A part by its entity tag, without quotes.
    Part(String),
    /// So many numbers that were given to requests whose bytes do not count. They may be at work still.
    Skipped(usize),
}

/// The end of an upload, held back until it is large enough to be a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tail {
    /// Where it is.
    pub(super) key: String,
    /// How long it is.
    pub(super) size_bytes: u64,
    /// As which part a commit has sent it, or is going to: another commit sends the same bytes there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) number: Option<i32>,
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

    /// Gives away numbers for so many parts, or for as many as there are; none of them is ever given again.
    ///
    /// The tail's own is left: whoever is given the last ones may come to nothing.
    pub(super) fn give(&mut self, count: usize) -> Result<usize, StoreError> {
        let for_tail = usize::from(self.tail.as_ref().is_some_and(|tail| tail.number.is_none()));
        match count.min(self.places_left().saturating_sub(for_tail)) {
            0 => Err(self.full()),
            count => {
                self.given += count;
                Ok(count)
            }
        }
    }

    /// Returns the number that was given to this tail.
    pub(super) fn number_of(&self, tail: &Tail) -> Option<i32> {
        self.tail.as_ref().filter(|own| own.key == tail.key)?.number
    }

    /// Gives a number to this tail.
    pub(super) fn give_to(&mut self, tail: &Tail) -> Result<i32, StoreError> {
        if self.places_left() == 0 {
            return Err(self.full());
        }
        let number = self.next_number();
        self.given += 1;
        if let Some(own) = self.tail.as_mut().filter(|own| own.key == tail.key) {
            own.number = Some(number);
        }
        Ok(number)
    }

    /// Returns how many more parts S3 takes, and the item their entity tags, if those are as long as the one before.
    pub(super) fn places_left(&self) -> usize {
        let bytes_of = |place: &Place| match place {
            Place::Part(etag) => etag.len() + r#""","#.len(),
            Place::Skipped(_) => "10000,".len(),
        };
        let taken: usize = self.etags.iter().map(bytes_of).sum();
        let is_part = |place: &&Place| matches!(place, Place::Part(_));
        let next = self.etags.iter().rfind(is_part).map_or(1, bytes_of);
        let room = (ETAGS_BYTES_MAX.saturating_sub(taken) / next)
            .min(PARTS_MAX.saturating_sub(self.skipped_and_sent()));
        room.saturating_sub(self.given)
    }

    /// Says that there is no place for more.
    pub(super) fn full(&self) -> StoreError {
        let taken = self.next_number() - 1;
        let context =
            format!("an upload has {taken} parts, sent or given up, and there is no place for more");
        StoreError::new(StoreErrorKind::Full, context)
    }

    /// Returns the number of the next part.
    pub(super) fn next_number(&self) -> i32 {
        i32::try_from(self.skipped_and_sent() + self.given + 1).unwrap_or(i32::MAX)
    }

    /// Returns each part's number and entity tag.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (i32, &str)> {
        let numbers = self.etags.iter().scan(1, |next, place| {
            let number = *next;
            *next += place.numbers();
            Some((i32::try_from(number).unwrap_or(i32::MAX), place))
        });
        numbers.filter_map(|(number, place)| match place {
            Place::Part(etag) => Some((number, etag.as_str())),
            Place::Skipped(_) => None,
        })
    }

    fn skipped_and_sent(&self) -> usize {
        self.etags.iter().map(Place::numbers).sum()
    }
}

impl Place {
    fn numbers(&self) -> usize {
        match self {
            Self::Part(_) => 1,
            Self::Skipped(count) => *count,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
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
