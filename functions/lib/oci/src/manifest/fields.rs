//! Reading the fields of a manifest one by one, so that a refusal names the field.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::ManifestInvalid;
use crate::{Digest, MediaType, limits::MEDIA_TYPE_MAX_CHARS, text::excerpt};

/// The fields of every kind of manifest, not yet looked into; `null` counts as absent, except in a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a> {
    #[serde(borrow)]
    pub(super) schema_version: Option<&'a RawValue>,
    pub(super) media_type: Option<&'a RawValue>,
    pub(super) artifact_type: Option<&'a RawValue>,
    pub(super) config: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    pub(super) layers: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    pub(super) blobs: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    pub(super) manifests: Option<&'a RawValue>,
    pub(super) subject: Option<&'a RawValue>,
    pub(super) annotations: Option<&'a RawValue>,
}

/// Reads a field as present even if it is `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// The fields of a descriptor that a registry needs.
pub(super) struct Entry<'a> {
    /// Where it stands, such as `layers[2]`.
    pub(super) field: String,
    pub(super) media_type: MediaType,
    pub(super) digest: Digest,
    pub(super) size: u64,
    /// The media type as it is written, with its parameters.
    pub(super) full_media_type: String,
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEntry<'a> {
    #[serde(borrow)]
    media_type: Option<&'a RawValue>,
    digest: Option<&'a RawValue>,
    size: Option<&'a RawValue>,
    data: Option<&'a RawValue>,
}

impl<'a> Body<'a> {
    pub(super) fn parse(json: &'a str) -> Result<Self, ManifestInvalid> {
        if !json.trim_ascii_start().starts_with('{') {
            return Err(ManifestInvalid::NotAnObject);
        }
        serde_json::from_str(json).map_err(|error| ManifestInvalid::NotJson { reason: error.to_string() })
    }

    /// Returns `mediaType`, or `None` if it is absent or empty.
    pub(super) fn media_type(&self) -> Result<Option<String>, ManifestInvalid> {
        let text = self.media_type.map(|raw| text("mediaType", raw)).transpose()?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// Returns `artifactType`, or `None` if it is absent or empty.
    pub(super) fn artifact_type(&self) -> Result<Option<String>, ManifestInvalid> {
        let text = self.artifact_type.map(|raw| text("artifactType", raw)).transpose()?;
        match text {
            Some(text) if !text.is_empty() => check_media_type("artifactType", &text).map(|_| Some(text)),
            _ => Ok(None),
        }
    }

    pub(super) fn annotations(&self) -> Result<BTreeMap<String, String>, ManifestInvalid> {
        let annotations =
            self.annotations.map(|raw| value("annotations", raw, "an object of texts")).transpose()?;
        Ok(annotations.unwrap_or_default())
    }
}

/// Reads the elements of a list of descriptors, which are still to be read with [`entry`].
///
/// `null` is an empty list, because Go programs write it so.
pub(super) fn list<'a>(field: &str, raw: Option<&'a RawValue>) -> Result<Vec<&'a RawValue>, ManifestInvalid> {
    let list: Option<Option<_>> = raw.map(|raw| value(field, raw, "a list of descriptors")).transpose()?;
    Ok(list.flatten().unwrap_or_default())
}

/// Reads one descriptor.
pub(super) fn entry(field: String, raw: &RawValue) -> Result<Entry<'_>, ManifestInvalid> {
    // serde would also fill the struct from a list.
    if !raw.get().starts_with('{') {
        return Err(wrong(&field, raw, "a descriptor"));
    }
    let fields: RawEntry<'_> = value(&field, raw, "a descriptor")?;
    let (name, raw_digest) = required(&field, "digest", fields.digest)?;
    let digest = Digest::parse(&text(&name, raw_digest)?)
        .map_err(|error| ManifestInvalid::FieldInvalid { field: name, reason: error.to_string() })?;
    let (name, raw_size) = required(&field, "size", fields.size)?;
    let size = size_bytes(&name, raw_size)?;
    let (name, raw_media_type) = required(&field, "mediaType", fields.media_type)?;
    let full_media_type = text(&name, raw_media_type)?;
    let media_type = check_media_type(&name, &full_media_type)?;
    Ok(Entry { field, media_type, digest, size, full_media_type, data: fields.data })
}

/// Checks that content in the descriptor is the content that it names; clients may take it from here.
pub(super) fn check_data(entry: &Entry<'_>) -> Result<(), ManifestInvalid> {
    let Some(raw) = entry.data else { return Ok(()) };
    let field = format!("{}.data", entry.field);
    let data = text(&field, raw)?;
    if data.is_empty() {
        // Go programs take it for none.
        return Ok(());
    }
    let content = BASE64.decode(data).map_err(|_| wrong(&field, raw, "base64"))?;
    if content.len() as u64 == entry.size && Digest::of(entry.digest.algorithm(), &content) == entry.digest {
        return Ok(());
    }
    let reason = format!("is not the content {} of {} bytes", entry.digest, entry.size);
    Err(ManifestInvalid::FieldInvalid { field, reason })
}

fn required<'a>(
    parent: &str,
    key: &str,
    raw: Option<&'a RawValue>,
) -> Result<(String, &'a RawValue), ManifestInvalid> {
    let field = format!("{parent}.{key}");
    match raw {
        Some(raw) => Ok((field, raw)),
        None => Err(ManifestInvalid::FieldMissing { field }),
    }
}

/// Reads a size; beyond the signed 64 bits that Go programs use it is refused too.
fn size_bytes(field: &str, raw: &RawValue) -> Result<u64, ManifestInvalid> {
    const EXPECTED: &str = "a number of bytes";
    let size: i64 = value(field, raw, EXPECTED)?;
    u64::try_from(size).map_err(|_| wrong(field, raw, EXPECTED))
}

/// Parses a media type; parameters are tolerated, because artifacts carry them.
fn check_media_type(field: &str, text: &str) -> Result<MediaType, ManifestInvalid> {
    let invalid = |reason| ManifestInvalid::FieldInvalid { field: field.to_owned(), reason };
    if text.len() > MEDIA_TYPE_MAX_CHARS {
        return Err(invalid(format!("media type is longer than {MEDIA_TYPE_MAX_CHARS} characters")));
    }
    MediaType::from_header(text).map_err(|error| invalid(error.to_string()))
}

fn text(field: &str, raw: &RawValue) -> Result<String, ManifestInvalid> {
    value(field, raw, "a text")
}

fn value<'a, T: Deserialize<'a>>(
    field: &str,
    raw: &'a RawValue,
    expected: &str,
) -> Result<T, ManifestInvalid> {
    serde_json::from_str(raw.get()).map_err(|_| wrong(field, raw, expected))
}

fn wrong(field: &str, raw: &RawValue, expected: &str) -> ManifestInvalid {
    let reason = format!("{} is not {expected}", excerpt(raw.get()));
    ManifestInvalid::FieldInvalid { field: field.to_owned(), reason }
}
