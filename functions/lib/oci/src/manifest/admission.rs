//! What is asked of a manifest that is pushed, beyond the form of its fields: that everybody understands it alike.
//!
//! A rule of form in `fields` holds for every manifest that was ever stored. A new rule belongs here: what an earlier
//! version took is kept, and is read without these.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;

use serde_json::value::RawValue;

use super::fields::{self, Body, Entry};
use super::{Descriptors, ManifestInvalid, TargetKind};
use crate::{MediaType, limits::MANIFEST_MAX_DESCRIPTORS, text::excerpt};

pub(super) fn check_body(body: &Body<'_>, media_type: &MediaType) -> Result<(), ManifestInvalid> {
    check_schema_version(body, media_type)?;
    check_ambiguity(body)
}

fn check_schema_version(body: &Body<'_>, media_type: &MediaType) -> Result<(), ManifestInvalid> {
    match body.schema_version.map(RawValue::get) {
        Some("2") => Ok(()),
        Some("1") => Err(ManifestInvalid::Schema1),
        // The artifact manifest was specified without it.
        None if *media_type == MediaType::OCI_ARTIFACT => Ok(()),
        found => Err(ManifestInvalid::SchemaVersion { found: excerpt(found.unwrap_or("missing")) }),
    }
}

fn check_ambiguity(body: &Body<'_>) -> Result<(), ManifestInvalid> {
    let is_filled = |field: Option<&RawValue>| field.is_some_and(|raw| raw.get() != "null");
    if is_filled(body.manifests) && is_filled(body.config) {
        return Err(ManifestInvalid::Ambiguous { field: "config" });
    }
    if is_filled(body.manifests) && is_filled(body.layers) {
        return Err(ManifestInvalid::Ambiguous { field: "layers" });
    }
    Ok(())
}

/// Counts the descriptors before any is read.
pub(super) fn check_count(body: &Body<'_>, listed: usize) -> Result<(), ManifestInvalid> {
    let count = listed + usize::from(body.config.is_some()) + usize::from(body.subject.is_some());
    if count > MANIFEST_MAX_DESCRIPTORS { Err(ManifestInvalid::TooManyDescriptors { count }) } else { Ok(()) }
}

/// Checks that no descriptor contradicts itself or an earlier one.
pub(super) fn check_descriptors(descriptors: &Descriptors<'_>) -> Result<(), ManifestInvalid> {
    descriptors.needed().chain(&descriptors.subject).try_for_each(fields::check_data)?;
    let mut first = HashMap::new();
    for entry in descriptors.needed() {
        match first.entry(&entry.digest) {
            Place::Vacant(place) => drop(place.insert(entry)),
            Place::Occupied(earlier) => check_repeated(descriptors, earlier.get(), entry)?,
        }
    }
    Ok(())
}

/// Blobs may have several media types, as the empty one does. Which type a manifest has decides how it is read.
fn check_repeated(
    descriptors: &Descriptors<'_>,
    earlier: &Entry<'_>,
    entry: &Entry<'_>,
) -> Result<(), ManifestInvalid> {
    let Entry { field, digest, size, media_type, .. } = entry;
    let invalid =
        |key: &str, reason| Err(ManifestInvalid::FieldInvalid { field: format!("{field}.{key}"), reason });
    let kind = descriptors.kind(entry);
    if descriptors.kind(earlier) != kind {
        return invalid("digest", format!("{digest} is listed as a manifest and as a blob"));
    }
    if earlier.size != *size {
        return invalid("size", format!("{size} for {digest}, which had {} before", earlier.size));
    }
    if kind == TargetKind::Manifest && earlier.media_type != *media_type {
        let reason = format!("{media_type} for {digest}, which had {} before", earlier.media_type);
        return invalid("mediaType", reason);
    }
    Ok(())
}

/// Layers alone may be kept elsewhere, if their media type says so.
pub(super) fn may_be_missing(entry: &Entry<'_>) -> bool {
    entry.field.starts_with("layers[") && entry.media_type.is_nondistributable()
}
