//! Tags: a name for a manifest that can be moved.

use std::sync::Arc;

use crate::{
    limits::TAG_MAX_CHARS,
    text::{excerpt, text_type},
};

/// A tag such as `latest` or `1.2.3`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Arc<str>);

/// Why a text is no tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagInvalid {
    /// Longer than [`TAG_MAX_CHARS`].
    #[error("tag of {chars} characters exceeds the limit of {TAG_MAX_CHARS}")]
    TooLong {
        /// How long it is.
        chars: usize,
    },
    /// Does not follow the specification's grammar.
    #[error(
        "tag {tag:?} is not made of letters, digits, \"_\", \".\" and \"-\", or starts with \".\" or \"-\""
    )]
    Grammar {
        /// The refused tag, shortened if it is long.
        tag: String,
    },
}

impl Tag {
    /// Parses `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
    pub fn parse(text: &str) -> Result<Self, TagInvalid> {
        let chars = text.chars().count();
        if chars > TAG_MAX_CHARS {
            return Err(TagInvalid::TooLong { chars });
        }
        if !text.starts_with(is_first) || !text.chars().all(is_following) {
            return Err(TagInvalid::Grammar { tag: excerpt(text) });
        }
        Ok(Self(text.into()))
    }

    /// Returns the tag as it stands in URLs.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_type!(Tag, TagInvalid);

fn is_first(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn is_following(character: char) -> bool {
    is_first(character) || matches!(character, '.' | '-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_of_the_grammar_are_accepted() {
        let longest = "t".repeat(TAG_MAX_CHARS);
        for good in
            ["latest", "1", "_", "_a", "A.b-c_D", "1.2.3", "a..b", "a--", "v1.", "uploads", "list", &longest]
        {
            assert_eq!(Tag::parse(good).map(|tag| tag.to_string()), Ok(good.to_owned()));
        }
    }

    #[test]
    fn tags_outside_the_grammar_are_refused() {
        for bad in
            ["", ".", "..", ".a", "-a", "a/b", "a b", "a:b", "a+b", "a@b", "a%41", "é", "a\n", "\u{0}", "a\\"]
        {
            assert_eq!(Tag::parse(bad), Err(TagInvalid::Grammar { tag: bad.to_owned() }));
        }
    }

    #[test]
    fn tag_over_the_limit_is_refused() {
        let chars = TAG_MAX_CHARS + 1;
        assert_eq!(Tag::parse(&"t".repeat(chars)), Err(TagInvalid::TooLong { chars }));
    }

    #[test]
    fn serde_carries_the_tag_as_checked_text() {
        let tag = Tag::parse("latest").unwrap();
        assert_eq!(serde_json::to_string(&tag).unwrap(), r#""latest""#);
        assert_eq!(serde_json::from_str::<Tag>(r#""latest""#).unwrap(), tag);
        assert!(serde_json::from_str::<Tag>(r#"".latest""#).is_err());
    }

    proptest! {
        #[test]
        fn every_generated_tag_parses(tag in "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}") {
            prop_assert!(Tag::parse(&tag).is_ok_and(|parsed| parsed.as_str() == tag));
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            let _ = Tag::parse(&text);
        }
    }
}
