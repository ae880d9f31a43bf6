//! The check before a manifest is read: JSON that every reader understands the same way.
//!
//! Of a repeated key most parsers keep the last value and some the first, so a manifest with one could mean
//! something else to a scanner than to the client that runs the image. Go's parser takes `Layers` for `layers`, too.

use std::{borrow::Cow, cell::RefCell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::ManifestInvalid;
use crate::{limits::MANIFEST_MAX_DEPTH, text::excerpt};

/// Checks that `json` is one JSON value without repeated keys and not nested too deep.
pub(super) fn check(json: &str) -> Result<(), ManifestInvalid> {
    let finding = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let checked =
        Checker { finding: &finding, depth: 0, part: Part::Manifest }.deserialize(&mut deserializer);
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
    part: Part,
}

/// What of a manifest a value is, as far as its keys are the specification's.
#[derive(Clone, Copy)]
enum Part {
    Manifest,
    /// A descriptor, or a list of them.
    Descriptors,
    Platform,
    /// Annotations, and what the specification does not know.
    Free,
}

impl Part {
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Manifest => &[
                "schemaVersion",
                "mediaType",
                "artifactType",
                "config",
                "layers",
                "blobs",
                "manifests",
                "subject",
                "annotations",
            ],
            Self::Descriptors => {
                &["mediaType", "digest", "size", "urls", "annotations", "data", "artifactType", "platform"]
            }
            Self::Platform => &["architecture", "os", "os.version", "os.features", "variant", "features"],
            Self::Free => &[],
        }
    }

    /// Returns what the value of this key is.
    fn inside(self, key: &str) -> Self {
        match (self, key) {
            (Self::Manifest, "config" | "layers" | "blobs" | "manifests" | "subject") => Self::Descriptors,
            (Self::Descriptors, "platform") => Self::Platform,
            _ => Self::Free,
        }
    }

    /// Returns the key that a program would take this one for if it did not look at the case of letters.
    fn meant_by(self, key: &str) -> Option<&'static str> {
        self.keys().iter().copied().find(|known| *known != key && is_same_but_for_case(known, key))
    }
}

/// Compares as Go does, to whom `ſ` is an `s` and the sign of kelvin a `k`.
fn is_same_but_for_case(known: &str, key: &str) -> bool {
    let folded = key.chars().map(|char| match char {
        'ſ' => 's',
        '\u{212a}' => 'k',
        char => char.to_ascii_lowercase(),
    });
    known.chars().map(|char| char.to_ascii_lowercase()).eq(folded)
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
            if let Some(meant) = self.part.meant_by(&key.0) {
                return Err(self.stop(ManifestInvalid::KeySpelling { key: excerpt(&key.0), meant }));
            }
            let part = self.part.inside(&key.0);
            keys.push(key);
            map.next_value_seed(Self { part, ..inner })?;
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
