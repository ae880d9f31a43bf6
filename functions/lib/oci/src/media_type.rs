//! Media types: what a manifest, a config or a layer says it is.

use std::borrow::Cow;

use crate::text::{excerpt, text_type};

/// Longest name on either side of the slash (RFC 6838, section 4.2).
const PART_MAX_CHARS: usize = 127;

/// A media type such as `application/vnd.oci.image.manifest.v1+json`, without parameters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaType(Cow<'static, str>);

/// The text is not `type/subtype` as RFC 6838 defines it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("media type {media_type:?} is not of the form type/subtype")]
pub struct MediaTypeInvalid {
    /// The refused media type, shortened if it is long.
    pub media_type: String,
}

impl MediaType {
    /// An image manifest of the image specification.
    pub const OCI_MANIFEST: Self = Self::of("application/vnd.oci.image.manifest.v1+json");
    /// An image index of the image specification.
    pub const OCI_INDEX: Self = Self::of("application/vnd.oci.image.index.v1+json");
    /// An artifact manifest, as the release candidates of the image specification 1.1 had it.
    pub const OCI_ARTIFACT: Self = Self::of("application/vnd.oci.artifact.manifest.v1+json");
    /// The config of an image.
    pub const OCI_CONFIG: Self = Self::of("application/vnd.oci.image.config.v1+json");
    /// A descriptor without content worth naming.
    pub const OCI_EMPTY: Self = Self::of("application/vnd.oci.empty.v1+json");
    /// Docker's image manifest, version 2 schema 2.
    pub const DOCKER_MANIFEST: Self = Self::of("application/vnd.docker.distribution.manifest.v2+json");
    /// Docker's manifest list.
    pub const DOCKER_LIST: Self = Self::of("application/vnd.docker.distribution.manifest.list.v2+json");
    /// Docker's schema 1 manifest.
    pub const DOCKER_SCHEMA1: Self = Self::of("application/vnd.docker.distribution.manifest.v1+json");
    /// Docker's schema 1 manifest with signatures.
    pub const DOCKER_SCHEMA1_SIGNED: Self =
        Self::of("application/vnd.docker.distribution.manifest.v1+prettyjws");
    /// Bytes.
    pub const OCTET_STREAM: Self = Self::of("application/octet-stream");
    /// JSON.
    pub const JSON: Self = Self::of("application/json");

    const WELL_KNOWN: [Self; 11] = [
        Self::OCI_MANIFEST,
        Self::OCI_INDEX,
        Self::OCI_ARTIFACT,
        Self::OCI_CONFIG,
        Self::OCI_EMPTY,
        Self::DOCKER_MANIFEST,
        Self::DOCKER_LIST,
        Self::DOCKER_SCHEMA1,
        Self::DOCKER_SCHEMA1_SIGNED,
        Self::OCTET_STREAM,
        Self::JSON,
    ];

    const fn of(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// Parses `type/subtype`, each a restricted name of RFC 6838, section 4.2; case is kept.
    pub fn parse(text: &str) -> Result<Self, MediaTypeInvalid> {
        if let Some(well_known) = Self::WELL_KNOWN.into_iter().find(|well_known| well_known.as_str() == text)
        {
            return Ok(well_known);
        }
        match text.split_once('/') {
            Some((kind, subtype)) if is_restricted_name(kind) && is_restricted_name(subtype) => {
                Ok(Self(text.to_owned().into()))
            }
            _ => Err(MediaTypeInvalid { media_type: excerpt(text) }),
        }
    }

    /// Parses the value of a `Content-Type` header; parameters such as `; charset=utf-8` are dropped.
    pub fn from_header(value: &str) -> Result<Self, MediaTypeInvalid> {
        let without_parameters = value.split(';').next().unwrap_or_default();
        Self::parse(without_parameters.trim_matches([' ', '\t']))
    }

    /// Returns the media type as it stands in headers and manifests.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether this is a manifest of any kind, schema 1 included.
    pub fn is_manifest(&self) -> bool {
        self.is_schema1() || self.is_image() || self.is_index()
    }

    /// Returns whether this is a manifest that refers to blobs.
    pub fn is_image(&self) -> bool {
        [Self::OCI_MANIFEST, Self::DOCKER_MANIFEST, Self::OCI_ARTIFACT].contains(self)
    }

    /// Returns whether this is a manifest that refers to manifests.
    pub fn is_index(&self) -> bool {
        [Self::OCI_INDEX, Self::DOCKER_LIST].contains(self)
    }

    /// Returns whether this is Docker's schema 1, signed or not.
    pub fn is_schema1(&self) -> bool {
        [Self::DOCKER_SCHEMA1, Self::DOCKER_SCHEMA1_SIGNED].contains(self)
    }

    /// Returns whether a layer of this type may be kept elsewhere, so that clients do not push it.
    pub fn is_nondistributable(&self) -> bool {
        self.as_str().starts_with("application/vnd.oci.image.layer.nondistributable.v1.")
            || self.as_str().starts_with("application/vnd.docker.image.rootfs.foreign.diff.tar")
    }
}

text_type!(MediaType, MediaTypeInvalid);

fn is_restricted_name(text: &str) -> bool {
    let starts_well = text.starts_with(|first: char| first.is_ascii_alphanumeric());
    starts_well && text.len() <= PART_MAX_CHARS && text.bytes().all(is_restricted_name_byte)
}

fn is_restricted_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn media_types_of_the_grammar_are_accepted() {
        let longest = format!("{}/{}", "a".repeat(PART_MAX_CHARS), "b".repeat(PART_MAX_CHARS));
        for good in [
            "application/vnd.oci.image.layer.v1.tar+gzip",
            "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
            "text/plain",
            "Application/X",
            "a/b",
            "0/1",
            "a!#$&-^_.+/b!#$&-^_.+",
            &longest,
        ] {
            assert_eq!(MediaType::parse(good).map(|media_type| media_type.to_string()), Ok(good.to_owned()));
        }
        assert_eq!(MediaType::parse("application/vnd.oci.image.index.v1+json"), Ok(MediaType::OCI_INDEX));
    }

    #[test]
    fn media_types_outside_the_grammar_are_refused() {
        let long = format!("a/{}", "b".repeat(PART_MAX_CHARS + 1));
        for bad in [
            "", "/", "a", "a/", "/b", "a/b/c", "a/b;c=d", "a /b", "a/ b", " a/b", "a/b ", "a/b\n", "*/*",
            "a/*", "a/.b", "a/+b", "é/b", "a/b\u{0}", "\"a/b\"", "a,b/c", &long,
        ] {
            assert!(MediaType::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn header_parameters_are_dropped() {
        for header in [
            "application/json",
            "application/json; charset=utf-8",
            " application/json ;q=1;",
            "application/json;",
        ] {
            assert_eq!(MediaType::from_header(header), Ok(MediaType::JSON), "{header:?}");
        }
        for bad in ["", ";", "; charset=utf-8", "application/json, application/json"] {
            assert!(MediaType::from_header(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn layers_kept_elsewhere_are_known() {
        for (media_type, expected) in [
            ("application/vnd.oci.image.layer.nondistributable.v1.tar", true),
            ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", true),
            ("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", true),
            ("application/vnd.docker.image.rootfs.foreign.diff.tar", true),
            ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", true),
            ("application/vnd.oci.image.layer.v1.tar+gzip", false),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", false),
        ] {
            assert_eq!(MediaType::parse(media_type).unwrap().is_nondistributable(), expected, "{media_type}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            let _ = MediaType::parse(&text);
            let _ = MediaType::from_header(&text);
        }
    }
}
