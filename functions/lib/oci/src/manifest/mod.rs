//! Manifests: what a registry has to know about an image, an index or an artifact to keep it.

mod error;
mod fields;
mod structure;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use serde_json::value::RawValue;

pub use error::ManifestInvalid;
use fields::{Body, Entry};

use crate::{
    Descriptor, Digest, MediaType,
    limits::{MANIFEST_MAX_BYTES, MANIFEST_MAX_DESCRIPTORS},
    text::excerpt,
};

/// What a manifest says, as far as a registry needs it; the bytes themselves are stored and served untouched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The media type it is served with.
    pub media_type: MediaType,
    /// Whether it refers to blobs or to manifests.
    pub kind: ManifestKind,
    /// The manifest that this one is about, which may be missing.
    pub subject: Option<Descriptor>,
    /// What the referrers list says it is: `artifactType`, or for an image without one `config.mediaType`.
    pub artifact_type: Option<String>,
    /// Its annotations, which the referrers list repeats.
    pub annotations: BTreeMap<String, String>,
    /// Everything it needs, each digest once, in the order of the manifest; the subject is not among them.
    pub references: Vec<Target>,
}

/// The two kinds of manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ManifestKind {
    /// Refers to blobs: an image or an artifact.
    Image,
    /// Refers to manifests: an image index or a manifest list.
    Index,
}

/// A content that a manifest needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its digest.
    pub digest: Digest,
    /// Its media type, as the manifest states it first.
    pub media_type: MediaType,
    /// Its size in bytes, as the manifest states it.
    pub size: u64,
    /// Where the registry keeps it.
    pub kind: TargetKind,
    /// Whether it may be kept elsewhere, as layers are that must not be distributed.
    pub may_be_missing: bool,
}

/// Where the registry keeps a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetKind {
    /// Among the blobs.
    Blob,
    /// Among the manifests.
    Manifest,
}

impl Manifest {
    /// Parses a manifest that came with `content_type`.
    ///
    /// A manifest is refused if two readers could understand it differently. Fields that the specification
    /// does not know are ignored.
    pub fn parse(bytes: &[u8], content_type: Option<&MediaType>) -> Result<Self, ManifestInvalid> {
        if bytes.len() > MANIFEST_MAX_BYTES {
            return Err(ManifestInvalid::TooLarge { size_bytes: bytes.len() });
        }
        let json =
            str::from_utf8(bytes).map_err(|error| ManifestInvalid::NotJson { reason: error.to_string() })?;
        structure::check(json)?;
        let body = Body::parse(json)?;
        let media_type = media_type(&body, content_type)?;
        check_schema_version(&body, &media_type)?;
        check_ambiguity(&body)?;
        read(&body, media_type)
    }
}

/// Decides what the manifest is: the header says it, or else the body, or else the fields it has.
fn media_type(body: &Body<'_>, content_type: Option<&MediaType>) -> Result<MediaType, ManifestInvalid> {
    let telling = content_type.filter(|it| ![MediaType::OCTET_STREAM, MediaType::JSON].contains(it));
    let stated = match (telling, body.media_type()?) {
        (Some(content_type), Some(media_type)) if content_type.as_str() != media_type => {
            let (content_type, media_type) = (content_type.to_string(), excerpt(&media_type));
            return Err(ManifestInvalid::MediaTypeContradicts { content_type, media_type });
        }
        (Some(content_type), _) => content_type.to_string(),
        (None, Some(media_type)) => media_type,
        (None, None) => return media_type_from_fields(body),
    };
    match MediaType::parse(&stated) {
        Ok(media_type) if media_type.is_schema1() => Err(ManifestInvalid::Schema1),
        Ok(media_type) if media_type.is_manifest() => Ok(media_type),
        _ => Err(ManifestInvalid::MediaTypeUnknown { media_type: excerpt(&stated) }),
    }
}

fn media_type_from_fields(body: &Body<'_>) -> Result<MediaType, ManifestInvalid> {
    if is_schema1(body) {
        Err(ManifestInvalid::Schema1)
    } else if body.manifests.is_some() {
        Ok(MediaType::OCI_INDEX)
    } else if body.config.is_some() || body.layers.is_some() {
        Ok(MediaType::OCI_MANIFEST)
    } else {
        Err(ManifestInvalid::MediaTypeMissing)
    }
}

fn is_schema1(body: &Body<'_>) -> bool {
    body.schema_version.is_some_and(|version| version.get() == "1")
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

fn read(body: &Body<'_>, media_type: MediaType) -> Result<Manifest, ManifestInvalid> {
    let (list_field, list) = list(body, &media_type)?;
    let singles = usize::from(body.config.is_some()) + usize::from(body.subject.is_some());
    check_count(list.len() + singles)?;

    let config = config(body, &media_type)?;
    let mut references = References::default();
    if let Some(config) = &config {
        references.add("config", config, TargetKind::Blob, false)?;
    }
    for (index, raw) in list.into_iter().enumerate() {
        let field = format!("{list_field}[{index}]");
        let entry = fields::entry(&field, raw)?;
        let may_be_missing = list_field == "layers" && entry.media_type.is_nondistributable();
        references.add(&field, &entry, target_kind(&media_type, &entry), may_be_missing)?;
    }

    let subject = body.subject.map(|raw| fields::entry("subject", raw)).transpose()?;
    Ok(Manifest {
        kind: if media_type.is_index() { ManifestKind::Index } else { ManifestKind::Image },
        media_type,
        subject: subject.map(|entry| Descriptor::new(entry.media_type, entry.digest, entry.size)),
        artifact_type: body.artifact_type()?.or(config.map(|config| config.full_media_type)),
        annotations: body.annotations()?,
        references: references.targets,
    })
}

/// Returns the list of descriptors that a manifest of this type has, and the name of its field.
fn list<'a>(
    body: &Body<'a>,
    media_type: &MediaType,
) -> Result<(&'static str, Vec<&'a RawValue>), ManifestInvalid> {
    let (field, raw, is_required) = match media_type {
        index if index.is_index() => ("manifests", body.manifests, true),
        artifact if *artifact == MediaType::OCI_ARTIFACT => ("blobs", body.blobs, false),
        image => ("layers", body.layers, *image == MediaType::DOCKER_MANIFEST),
    };
    if is_required && raw.is_none() {
        return Err(ManifestInvalid::FieldMissing { field: field.to_owned() });
    }
    Ok((field, fields::list(field, raw)?))
}

fn config(body: &Body<'_>, media_type: &MediaType) -> Result<Option<Entry>, ManifestInvalid> {
    if media_type.is_index() || *media_type == MediaType::OCI_ARTIFACT {
        return Ok(None);
    }
    let raw = body.config.ok_or_else(|| ManifestInvalid::FieldMissing { field: "config".to_owned() })?;
    fields::entry("config", raw).map(Some)
}

/// Decides where the registry keeps what a list names.
///
/// An index may list blobs as well, as the cache of `BuildKit` does. Only manifests of known types are stored
/// as manifests, so whatever has another type can only be a blob.
fn target_kind(media_type: &MediaType, entry: &Entry) -> TargetKind {
    if media_type.is_index() && entry.media_type.is_manifest() {
        TargetKind::Manifest
    } else {
        TargetKind::Blob
    }
}

fn check_count(count: usize) -> Result<(), ManifestInvalid> {
    if count > MANIFEST_MAX_DESCRIPTORS { Err(ManifestInvalid::TooManyDescriptors { count }) } else { Ok(()) }
}

/// Collects what a manifest needs, each digest once.
#[derive(Default)]
struct References {
    targets: Vec<Target>,
    positions: HashMap<Digest, usize>,
}

impl References {
    fn add(
        &mut self,
        field: &str,
        entry: &Entry,
        kind: TargetKind,
        may_be_missing: bool,
    ) -> Result<(), ManifestInvalid> {
        let digest = entry.digest.clone();
        let Some(&position) = self.positions.get(&digest) else {
            self.positions.insert(digest.clone(), self.targets.len());
            let media_type = entry.media_type.clone();
            self.targets.push(Target { digest, media_type, size: entry.size, kind, may_be_missing });
            return Ok(());
        };
        let earlier = &mut self.targets[position];
        if earlier.kind != kind {
            let reason = format!("{digest} is listed as a manifest and as a blob");
            return Err(ManifestInvalid::FieldInvalid { field: format!("{field}.digest"), reason });
        }
        if earlier.size != entry.size {
            let reason = format!("{} for {digest}, which had {} before", entry.size, earlier.size);
            return Err(ManifestInvalid::FieldInvalid { field: format!("{field}.size"), reason });
        }
        // One descriptor that needs the content is enough to need it.
        earlier.may_be_missing &= may_be_missing;
        Ok(())
    }
}
