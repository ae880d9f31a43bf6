//! The check before a manifest is read: JSON that every reader understands the same way.
//!
//! Of a repeated key most parsers keep the last value and some the first, so a manifest with one could mean
//! something else to a scanner than to the client that runs the image.

use std::{borrow::Cow, cell::RefCell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::ManifestInvalid;
use crate::{limits::MANIFEST_MAX_DEPTH, text::excerpt};

/// Checks that `json` is one JSON value without repeated keys and not nested too deep.
pub(super) fn check(json: &str) -> Result<(), ManifestInvalid> {
    let finding = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let checked = Checker { finding: &finding, depth: 0 }.deserialize(&mut deserializer);
    let ended = checked.and_then(|()| deserializer.end());
    match finding.into_inner() {
        Some(finding) => Err(finding),
        None => ended.map_err(|error| ManifestInvalid::NotJson { reason: error.to_string() }),
    }
}

/// Walks one JSON value and keeps nothing but its finding.
#[derive(Clone, Copy)]
struct Checker<'a> {
    finding: &'a RefCell<Option<ManifestInvalid>>,
    depth: usize,
}

impl Checker<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == MANIFEST_MAX_DEPTH {
            return Err(self.stop(ManifestInvalid::TooDeep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn distinct<E: Error>(self, mut keys: Vec<Key<'_>>) -> Result<(), E> {
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(self.stop(ManifestInvalid::DuplicateKey { key: excerpt(&pair[0].0) })),
            None => Ok(()),
        }
    }

    fn stop<E: Error>(self, finding: ManifestInvalid) -> E {
        *self.finding.borrow_mut() = Some(finding);
        E::custom("the finding says why")
    }
}

impl<'de> DeserializeSeed<'de> for Checker<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checker<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        let mut keys = Vec::new();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            keys.push(key);
            map.next_value_seed(inner)?;
        }
        self.distinct(keys)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while seq.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A key, borrowed from the manifest unless it is written with escapes.
#[derive(PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
