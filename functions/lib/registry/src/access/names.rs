//! The names of accounts, teams and robots.

use std::fmt;
use std::sync::Arc;

use oci::RepositoryName;
use serde::{Deserialize, Serialize};

/// How long a name may be.
pub const NAME_MAX_CHARS: usize = 64;

/// Why a text is no name of an account, a team or a robot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no name: 2 to {NAME_MAX_CHARS} lower-case letters and digits, with single \".\", \"_\" or \"-\" between them"
)]
pub struct NameInvalid(String);

impl NameInvalid {
    pub(crate) fn of(text: &str) -> Self {
        Self(text.chars().take(NAME_MAX_CHARS + 1).collect())
    }
}

/// Defines a name with the grammar of one component of a repository's name.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
            #[serde(try_from = "String", into = "String")]
            pub struct $name(Arc<str>);

            impl $name {
                /// Returns the name as text.
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }

            impl std::str::FromStr for $name {
                type Err = NameInvalid;

                fn from_str(text: &str) -> Result<Self, NameInvalid> {
                    checked(text).map(|text| Self(text.into()))
                }
            }

            impl TryFrom<String> for $name {
                type Error = NameInvalid;

                fn try_from(text: String) -> Result<Self, NameInvalid> {
                    text.parse()
                }
            }

            impl From<$name> for String {
                fn from(name: $name) -> Self {
                    name.0.as_ref().to_owned()
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(&self.0)
                }
            }
        )*
    };
}

names! {
    /// The name of a user or an organisation, and so of the namespace that is theirs: every repository whose name
    /// begins with it.
    AccountName,
    /// The name of a team in its organisation.
    TeamName,
    /// The name of a robot in its namespace.
    RobotName,
}

impl AccountName {
    /// Returns the namespace that the repository is in: the first component of its name.
    ///
    /// `None` if that can be no account's name.
    pub fn namespace_of(repository: &RepositoryName) -> Option<Self> {
        repository.as_str().split('/').next()?.parse().ok()
    }

    /// Returns whether the repository is in this account's namespace.
    pub fn owns(&self, repository: &RepositoryName) -> bool {
        repository.as_str().split('/').next() == Some(self.as_str())
    }
}

fn checked(text: &str) -> Result<&str, NameInvalid> {
    let is_long_enough = (2..=NAME_MAX_CHARS).contains(&text.len());
    let is_component = text.parse::<RepositoryName>().is_ok() && !text.contains('/') && !text.contains("__");
    if is_long_enough && is_component {
        return Ok(text);
    }
    Err(NameInvalid::of(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_components_of_repository_names() {
        for good in ["alice", "a1", "team-7", "a.b_c-d", "0x", "double--dash", &"a".repeat(64)] {
            assert!(good.parse::<AccountName>().is_ok(), "{good:?}");
        }
        for bad in ["", "a", "Alice", "a/b", "-a", "a-", "a b", "a+b", "ä1", "a#b", "a__b", &"a".repeat(65)]
        {
            assert!(bad.parse::<AccountName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_namespace_is_the_first_component() {
        let alice: AccountName = "alice".parse().unwrap();
        assert!(alice.owns(&"alice/app".parse().unwrap()));
        assert!(alice.owns(&"alice".parse().unwrap()));
        assert!(!alice.owns(&"alice2/app".parse().unwrap()));
        assert!(!alice.owns(&"bob/alice".parse().unwrap()));
        assert_eq!(AccountName::namespace_of(&"alice/a/b".parse().unwrap()), Some(alice));
        assert_eq!(AccountName::namespace_of(&"a/b".parse().unwrap()), None);
    }
}
