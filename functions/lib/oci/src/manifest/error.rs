//! Why a manifest is refused, in sentences for the person who pushed it.

use crate::limits::{MANIFEST_MAX_BYTES, MANIFEST_MAX_DEPTH, MANIFEST_MAX_DESCRIPTORS};

/// Why bytes are no manifest that this registry keeps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestInvalid {
    /// Larger than [`MANIFEST_MAX_BYTES`].
    #[error("manifest of {size_bytes} bytes exceeds the limit of {MANIFEST_MAX_BYTES}")]
    TooLarge {
        /// How large it is.
        size_bytes: usize,
    },
    /// Not one JSON value, from the first byte to the last.
    #[error("manifest is not JSON: {reason}")]
    NotJson {
        /// What the JSON parser says.
        reason: String,
    },
    /// JSON, but a list, a text or a number.
    #[error("manifest is not a JSON object")]
    NotAnObject,
    /// A key stands twice in one object, so readers disagree about what the manifest says.
    #[error("manifest has the key {key:?} twice in one object")]
    DuplicateKey {
        /// The repeated key, shortened if it is long.
        key: String,
    },
    /// A key differs from one of the specification in the case of letters alone, which some readers do not look at.
    #[error("manifest has the key {key:?}, which some programs take for {meant:?}")]
    KeySpelling {
        /// The key, shortened if it is long.
        key: String,
        /// The specification's.
        meant: &'static str,
    },
    /// Nested deeper than [`MANIFEST_MAX_DEPTH`].
    #[error("manifest is nested deeper than {MANIFEST_MAX_DEPTH} levels")]
    TooDeep,
    /// Docker's schema 1.
    #[error("docker schema 1 manifests are not supported, push with a newer client")]
    Schema1,
    /// Could be read as an index and as an image.
    #[error(
        "manifest has both \"manifests\" and \"{field}\", so it could be read as an index and as an image"
    )]
    Ambiguous {
        /// The field that only an image has.
        field: &'static str,
    },
    /// The header and the body name different media types.
    #[error("content type {content_type:?} contradicts the manifest's mediaType {media_type:?}")]
    MediaTypeContradicts {
        /// The header's.
        content_type: String,
        /// The body's, shortened if it is long.
        media_type: String,
    },
    /// Neither an image nor an index, as far as this registry knows.
    #[error("media type {media_type:?} is not one of a manifest")]
    MediaTypeUnknown {
        /// The unknown media type, shortened if it is long.
        media_type: String,
    },
    /// Nothing says what the manifest is.
    #[error("manifest has no mediaType, and neither its content type nor its fields say what it is")]
    MediaTypeMissing,
    /// `schemaVersion` is not 2.
    #[error("schemaVersion is {found} instead of 2")]
    SchemaVersion {
        /// The JSON found there, shortened if it is long, or `missing`.
        found: String,
    },
    /// More than [`MANIFEST_MAX_DESCRIPTORS`].
    #[error("manifest of {count} descriptors exceeds the limit of {MANIFEST_MAX_DESCRIPTORS}")]
    TooManyDescriptors {
        /// How many there are.
        count: usize,
    },
    /// A required field is not there.
    #[error("{field} is missing")]
    FieldMissing {
        /// Which one, such as `layers[2].digest`.
        field: String,
    },
    /// A field does not hold what the specification says it holds.
    #[error("{field}: {reason}")]
    FieldInvalid {
        /// Which one, such as `layers[2].digest`.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
}
