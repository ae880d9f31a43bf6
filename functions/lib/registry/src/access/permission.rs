//! What can be allowed: three permissions, three roles that hold them, and scopes that narrow them.

use std::collections::BTreeSet;

use oci::RepositoryName;
use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

/// What may be done in a repository, in the words that the token protocol has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Read manifests, blobs, tags and referrers.
    Pull,
    /// Upload, mount, push and move tags.
    Push,
    /// Delete manifests, tags and blobs.
    Delete,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 3] = [Self::Pull, Self::Push, Self::Delete];

    /// Returns the word of the token protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
        }
    }
}

/// What somebody is in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May pull.
    Pull,
    /// May pull and push.
    Push,
    /// May pull, push, delete, and change the repository's settings.
    Admin,
}

impl Role {
    /// Returns what the role may do.
    pub fn permissions(self) -> Permissions {
        let all = Permission::ALL;
        let held = match self {
            Self::Pull => &all[..1],
            Self::Push => &all[..2],
            Self::Admin => &all[..],
        };
        held.iter().copied().collect()
    }
}

/// A set of permissions.
pub type Permissions = BTreeSet<Permission>;

/// A part of what somebody may do: these permissions in the repositories with such a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// A repository's name; `*` stands for any characters, `?` for one.
    pub repositories: String,
    /// What may be done there.
    pub permissions: Permissions,
}

/// How far a credential reaches, at most as far as its owner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limits {
    /// As far as its owner.
    #[default]
    None,
    /// No further than these scopes, and not to the management of accounts.
    Scopes(Vec<Scope>),
}

impl Limits {
    /// Returns what the limits leave of `permissions` in the repository.
    pub fn within(&self, repository: &RepositoryName, permissions: Permissions) -> Permissions {
        let Self::Scopes(scopes) = self else { return permissions };
        let matching = scopes.iter().filter(|scope| matches(&scope.repositories, repository.as_str()));
        let allowed: Permissions = matching.flat_map(|scope| scope.permissions.iter().copied()).collect();
        &permissions & &allowed
    }

    /// Returns the scopes, if there are some.
    pub fn scopes(&self) -> &[Scope] {
        match self {
            Self::None => &[],
            Self::Scopes(scopes) => scopes,
        }
    }

    /// Returns whether there are none.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// Returns whether the pattern (`*`, `?`) stands for all of the text.
pub fn matches(pattern: &str, text: &str) -> bool {
    WildMatch::new(pattern).matches(text)
}

/// Says that somebody may not do this, and what it takes; the same of what is not there and what is not theirs.
pub(crate) fn may_not(who: &str, permission: Permission, repository: &str) -> String {
    match permission {
        Permission::Pull => format!("{who} may not pull from {repository}, or there is no such repository"),
        Permission::Push => format!("{who} may not push to {repository}: that takes the role push"),
        Permission::Delete => format!("{who} may not delete in {repository}: that takes the role admin"),
    }
}

/// Says to somebody who may know it that there is no such repository, and that it takes more to make it.
pub(crate) fn may_not_begin(repository: &RepositoryName) -> String {
    format!("there is no repository {repository}, and these credentials may not make one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_holds_what_the_lesser_one_holds() {
        assert!(Role::Pull < Role::Push && Role::Push < Role::Admin);
        assert!(Role::Pull.permissions().is_subset(&Role::Push.permissions()));
        assert!(Role::Push.permissions().is_subset(&Role::Admin.permissions()));
        assert!(!Role::Push.permissions().contains(&Permission::Delete));
    }

    #[test]
    fn scopes_only_take_away() {
        let scope = Scope { repositories: "team/*".to_owned(), permissions: Role::Push.permissions() };
        let limits = Limits::Scopes(vec![scope]);
        let within = |name: &str, role: Role| limits.within(&name.parse().unwrap(), role.permissions());
        assert_eq!(within("team/app", Role::Admin), Role::Push.permissions());
        assert_eq!(within("team/app", Role::Pull), Role::Pull.permissions());
        assert_eq!(within("teams/app", Role::Admin), Permissions::new());
        assert_eq!(
            Limits::Scopes(Vec::new()).within(&"a/b".parse().unwrap(), Role::Admin.permissions()),
            Permissions::new()
        );
    }
}
