//! Repository names: the `<name>` of the specification.

use std::sync::Arc;

use crate::{
    limits::NAME_MAX_CHARS,
    text::{excerpt, text_type},
};

/// A repository name such as `team/app`.
///
/// A name may hold words of the URL grammar: `a/manifests/b`, `x/blobs/uploads` and `tags/list` are names. No
/// URL becomes ambiguous by that, as [`Endpoint`](crate::Endpoint) takes the fixed words from both ends of
/// the path, and the name is what is left.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName(Arc<str>);

/// Why a text is no repository name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameInvalid {
    /// Longer than [`NAME_MAX_CHARS`].
    #[error("repository name of {chars} characters exceeds the limit of {NAME_MAX_CHARS}")]
    TooLong {
        /// How long it is.
        chars: usize,
    },
    /// Does not follow the specification's grammar.
    #[error(
        "repository name {name:?} is not made of lower-case letters and digits, \
         separated by \".\", \"_\", \"__\", \"-\" or \"/\""
    )]
    Grammar {
        /// The refused name, shortened if it is long.
        name: String,
    },
}

impl RepositoryName {
    /// Parses `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*`, if it is not too
    /// long.
    pub fn parse(text: &str) -> Result<Self, NameInvalid> {
        let chars = text.chars().count();
        if chars > NAME_MAX_CHARS {
            return Err(NameInvalid::TooLong { chars });
        }
        if !text.split('/').all(is_component) {
            return Err(NameInvalid::Grammar { name: excerpt(text) });
        }
        Ok(Self(text.into()))
    }

    /// Returns the name as it stands in URLs.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_type!(RepositoryName, NameInvalid);

fn is_component(text: &str) -> bool {
    let starts_and_ends_well = text.starts_with(is_alphanumeric) && text.ends_with(is_alphanumeric);
    starts_and_ends_well && text.split(is_alphanumeric).all(is_separator)
}

fn is_alphanumeric(character: char) -> bool {
    character.is_ascii_lowercase() || character.is_ascii_digit()
}

fn is_separator(text: &str) -> bool {
    matches!(text, "" | "." | "_" | "__") || text.bytes().all(|byte| byte == b'-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_the_grammar_are_accepted() {
        let longest = format!("a/{}", "b".repeat(NAME_MAX_CHARS - 2));
        let good = "a 0 app a.b a_b a__b a-b a---b a.b_c__d-e 1/2 team/app a/b/c/d/e/f library/hello-world";
        let words_of_urls = "v2/v2 tags/list a/manifests/b x/blobs/uploads";
        for good in good.split(' ').chain(words_of_urls.split(' ')).chain([longest.as_str()]) {
            assert_eq!(RepositoryName::parse(good).map(|name| name.to_string()), Ok(good.to_owned()));
        }
    }

    #[test]
    fn names_outside_the_grammar_are_refused() {
        for bad in [
            "", "/", "a/", "/a", "a//b", ".", "..", "a/../b", "a/./b", "A", "aB", ".a", "a.", "_a", "a_",
            "-a", "a-", "a..b", "a___b", "a._b", "a-_b", "a-.b", "a/-b", "a-/b", "a b", " a", "a\n", "a:b",
            "a@b", "a%2fb", "a\\b", "a+b", "é", "a\u{0}", "_catalog", "a/_b", "ａ",
        ] {
            let refusal = NameInvalid::Grammar { name: bad.to_owned() };
            assert_eq!(RepositoryName::parse(bad), Err(refusal));
        }
    }

    #[test]
    fn name_over_the_limit_is_refused_without_repeating_it() {
        let chars = NAME_MAX_CHARS + 1;
        assert_eq!(RepositoryName::parse(&"a".repeat(chars)), Err(NameInvalid::TooLong { chars }));
    }

    #[test]
    fn serde_carries_the_name_as_checked_text() {
        let name = RepositoryName::parse("team/app").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), r#""team/app""#);
        assert_eq!(serde_json::from_str::<RepositoryName>(r#""team/app""#).unwrap(), name);
        assert!(serde_json::from_str::<RepositoryName>(r#""Team/app""#).is_err());
        assert!(serde_json::from_str::<RepositoryName>("5").is_err());
    }

    proptest! {
        #[test]
        fn every_generated_name_parses(
            name in r"[a-z0-9]{1,5}((\.|_|__|-{1,3})[a-z0-9]{1,3}){0,2}(/[a-z0-9]{1,5}((\.|__)[a-z0-9]){0,2}){0,3}"
        ) {
            prop_assert!(RepositoryName::parse(&name).is_ok_and(|parsed| parsed.as_str() == name));
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            let _ = RepositoryName::parse(&text);
        }
    }
}
