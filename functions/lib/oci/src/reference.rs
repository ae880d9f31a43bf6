//! References: what a manifest is asked for by, a tag or a digest.

use crate::{Digest, DigestInvalid, Tag, TagInvalid, text::text_type};

/// A tag or a digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// Whatever the tag points to now.
    Tag(Tag),
    /// Exactly this manifest.
    Digest(Digest),
}

/// Why a text is neither a tag nor a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceInvalid {
    /// It has no colon, so it was read as a tag.
    #[error(transparent)]
    Tag(#[from] TagInvalid),
    /// It has a colon, so it was read as a digest.
    #[error(transparent)]
    Digest(#[from] DigestInvalid),
}

impl Reference {
    /// Parses a digest if there is a colon, which no tag may hold, otherwise a tag.
    pub fn parse(text: &str) -> Result<Self, ReferenceInvalid> {
        if text.contains(':') {
            Ok(Self::Digest(Digest::parse(text)?))
        } else {
            Ok(Self::Tag(Tag::parse(text)?))
        }
    }

    /// Returns the reference as it stands in URLs.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Tag(tag) => tag.as_str(),
            Self::Digest(digest) => digest.as_str(),
        }
    }
}

text_type!(Reference, ReferenceInvalid);

impl From<Tag> for Reference {
    fn from(tag: Tag) -> Self {
        Self::Tag(tag)
    }
}

impl From<Digest> for Reference {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Algorithm;

    #[test]
    fn colon_decides_between_tag_and_digest() {
        let digest = Digest::of(Algorithm::Sha256, b"manifest");
        assert_eq!(Reference::parse(digest.as_str()), Ok(Reference::Digest(digest)));
        assert_eq!(Reference::parse("v1"), Ok(Reference::Tag(Tag::parse("v1").unwrap())));
    }

    #[test]
    fn refusal_says_what_it_was_read_as() {
        assert!(matches!(Reference::parse(""), Err(ReferenceInvalid::Tag(_))));
        assert!(matches!(Reference::parse("-v1"), Err(ReferenceInvalid::Tag(_))));
        assert!(matches!(Reference::parse("v1:"), Err(ReferenceInvalid::Digest(_))));
        assert!(matches!(Reference::parse("sha256:abc"), Err(ReferenceInvalid::Digest(_))));
    }
}
