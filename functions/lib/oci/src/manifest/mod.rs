//! Manifests: what a registry has to know about an image, an index or an artifact to keep it.

mod admission;
mod error;
mod fields;
#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
mod stored_tests;
mod structure;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use serde_json::value::RawValue;

pub use error::ManifestInvalid;
use fields::{Body, Entry};

use crate::{Descriptor, Digest, MediaType, limits::MANIFEST_MAX_BYTES, text::excerpt};

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
    /// Parses a manifest that is pushed, and came with `content_type`.
    ///
    /// A manifest is refused if two readers could understand it differently, or if it contradicts itself. Fields that
    /// the specification does not know are ignored.
    pub fn parse(bytes: &[u8], content_type: Option<&MediaType>) -> Result<Self, ManifestInvalid> {
        if bytes.len() > MANIFEST_MAX_BYTES {
            return Err(ManifestInvalid::TooLarge { size_bytes: bytes.len() });
        }
        let json = text(bytes)?;
        structure::check(json)?;
        let body = Body::parse(json)?;
        let media_type = media_type(&body, content_type)?;
        admission::check_body(&body, &media_type)?;
        let list = list(&body, &media_type)?;
        admission::check_count(&body, list.1.len())?;
        let descriptors = Descriptors::read(&body, &media_type, list)?;
        admission::check_descriptors(&descriptors)?;
        descriptors.manifest(&body, media_type, admission::may_be_missing)
    }

    /// Reads a manifest that was accepted before, perhaps by a program with fewer rules, under this media type.
    ///
    /// What was accepted stays one: it is asked what it needs, and nothing else.
    pub fn read(bytes: &[u8], media_type: Option<&MediaType>) -> Result<Self, ManifestInvalid> {
        let body = Body::parse(text(bytes)?)?;
        let media_type = match media_type.filter(|it| it.is_manifest()) {
            Some(media_type) => media_type.clone(),
            None => self::media_type(&body, None)?,
        };
        let descriptors = Descriptors::read(&body, &media_type, list(&body, &media_type)?)?;
        descriptors.manifest(&body, media_type, |entry| entry.media_type.is_nondistributable())
    }
}

fn text(bytes: &[u8]) -> Result<&str, ManifestInvalid> {
    str::from_utf8(bytes).map_err(|error| ManifestInvalid::NotJson { reason: error.to_string() })
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

/// The descriptors of a manifest, in its order.
struct Descriptors<'a> {
    is_index: bool,
    config: Option<Entry<'a>>,
    listed: Vec<Entry<'a>>,
    subject: Option<Entry<'a>>,
}

impl<'a> Descriptors<'a> {
    fn read(
        body: &Body<'a>,
        media_type: &MediaType,
        (list_field, list): (&str, Vec<&'a RawValue>),
    ) -> Result<Self, ManifestInvalid> {
        let entry = |(index, raw)| fields::entry(format!("{list_field}[{index}]"), raw);
        Ok(Self {
            is_index: media_type.is_index(),
            config: config(body, media_type)?,
            listed: list.into_iter().enumerate().map(entry).collect::<Result<_, _>>()?,
            subject: body.subject.map(|raw| fields::entry("subject".to_owned(), raw)).transpose()?,
        })
    }

    /// Returns those of what the manifest needs.
    fn needed(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.config.iter().chain(&self.listed)
    }

    /// Decides where the registry keeps what the manifest needs.
    ///
    /// An index may list blobs as well, as the cache of `BuildKit` does. Only manifests of known types are stored
    /// as manifests, so whatever has another type can only be a blob.
    fn kind(&self, entry: &Entry<'_>) -> TargetKind {
        if self.is_index && entry.media_type.is_manifest() { TargetKind::Manifest } else { TargetKind::Blob }
    }

    fn manifest(
        self,
        body: &Body<'_>,
        media_type: MediaType,
        may_be_missing: impl Fn(&Entry<'_>) -> bool,
    ) -> Result<Manifest, ManifestInvalid> {
        let references = self.targets(may_be_missing);
        let config_type = self.config.map(|config| config.full_media_type);
        Ok(Manifest {
            kind: if self.is_index { ManifestKind::Index } else { ManifestKind::Image },
            media_type,
            subject: self.subject.map(|entry| Descriptor::new(entry.media_type, entry.digest, entry.size)),
            artifact_type: body.artifact_type()?.or(config_type),
            annotations: body.annotations()?,
            references,
        })
    }

    /// Collects what the manifest needs, each digest once.
    fn targets(&self, may_be_missing: impl Fn(&Entry<'_>) -> bool) -> Vec<Target> {
        let mut targets: Vec<Target> = Vec::new();
        let mut positions = HashMap::new();
        for entry in self.needed() {
            let may_be_missing = may_be_missing(entry);
            let position = *positions.entry(&entry.digest).or_insert(targets.len());
            match targets.get_mut(position) {
                // One descriptor that needs the content is enough to need it.
                Some(earlier) => earlier.may_be_missing &= may_be_missing,
                None => targets.push(Target {
                    digest: entry.digest.clone(),
                    media_type: entry.media_type.clone(),
                    size: entry.size,
                    kind: self.kind(entry),
                    may_be_missing,
                }),
            }
        }
        targets
    }
}

fn config<'a>(body: &Body<'a>, media_type: &MediaType) -> Result<Option<Entry<'a>>, ManifestInvalid> {
    if media_type.is_index() || *media_type == MediaType::OCI_ARTIFACT {
        return Ok(None);
    }
    let raw = body.config.ok_or_else(|| ManifestInvalid::FieldMissing { field: "config".to_owned() })?;
    fields::entry("config".to_owned(), raw).map(Some)
}
