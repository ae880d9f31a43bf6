//! Access tokens: what is asked for, what of it is granted, and the token that says so.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use oci::RepositoryName;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::access::accounts::Access;
use crate::access::caller::Who;
use crate::access::refusals::Refusal;
use crate::access::{AccessError, Caller, Claims, Permission, Permissions};
use crate::ports::Timestamp;

/// How long an access token is good. Some clients take less than a minute for a mistake.
pub const TOKEN_LIFE: Duration = Duration::from_secs(5 * 60);

/// How many repositories one token may be about.
const SCOPES_MAX: usize = 100;

/// A part of what a client asks for, such as `repository:team/app:pull,push`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeWanted {
    /// Something in a repository.
    Repository(RepositoryName, Permissions),
    /// The list of repositories, as far as one may pull from them.
    Catalog,
}

/// A part of what a token allows, as the token protocol writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantedScope {
    /// `repository` or `registry`
    #[serde(rename = "type")]
    pub kind: String,
    /// The repository, or `catalog`.
    pub name: String,
    /// What is allowed there.
    pub actions: Vec<String>,
}

/// An access token, just made.
#[derive(Clone)]
pub struct Grant {
    /// The token.
    pub token: String,
    /// How long it is good.
    pub life: Duration,
    /// When it was made.
    pub issued: Timestamp,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("life", &self.life)
            .field("issued", &self.issued)
            .finish_non_exhaustive()
    }
}

impl ScopeWanted {
    /// Reads `type:name:actions`; what is nothing of ours is `None`, and simply not granted.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        match (kind, name) {
            ("registry", "catalog") => Some(Self::Catalog),
            ("repository", _) => Some(Self::Repository(name.parse().ok()?, permissions(actions))),
            _ => None,
        }
    }
}

impl GrantedScope {
    /// Returns whether the scope is about this, and allows it.
    pub(crate) fn allows(&self, repository: &RepositoryName, permission: Permission) -> bool {
        self.is_of(repository) && self.actions.iter().any(|action| action == permission.as_str())
    }

    pub(crate) fn is_of(&self, repository: &RepositoryName) -> bool {
        self.kind == "repository" && self.name == repository.as_str()
    }

    pub(crate) fn is_catalog(&self) -> bool {
        self.kind == "registry" && self.name == "catalog"
    }
}

impl Access {
    /// Makes an access token for what the caller may have of what is wanted; what is refused is noted.
    ///
    /// This is where clients are refused: with a token for less they ask for no more.
    pub async fn token_issue(&self, caller: &Caller, wanted: &[ScopeWanted]) -> Result<Grant, AccessError> {
        let access = self.granted(caller, wanted).await?;
        let issued = self.registry.now();
        let keys = self.keys();
        let claims = Claims {
            iss: keys.service().to_owned(),
            sub: caller.who.to_string(),
            aud: keys.service().to_owned(),
            exp: issued.after(TOKEN_LIFE).as_secs(),
            nbf: issued.as_secs(),
            iat: issued.as_secs(),
            jti: self.registry.fresh_ulid().to_string(),
            access,
            via: caller.via.clone(),
        };
        let token = keys.sign(&claims).map_err(|error| Error::Damaged(error.to_string()))?;
        Ok(Grant { token, life: TOKEN_LIFE, issued })
    }

    async fn granted(
        &self,
        caller: &Caller,
        wanted: &[ScopeWanted],
    ) -> Result<Vec<GrantedScope>, AccessError> {
        let by_repository = merged(wanted);
        if by_repository.len() > SCOPES_MAX {
            return Err(AccessError::Invalid(format!(
                "a token can be about {SCOPES_MAX} repositories at most"
            )));
        }
        let repositories: Vec<RepositoryName> = by_repository.keys().cloned().collect();
        let rights = self.rights_now(caller, &repositories).await?;
        let mut granted = Vec::new();
        let mut refused = Vec::new();
        for ((name, wanted), rights) in by_repository.into_iter().zip(rights) {
            granted.extend(scope(&name, &(&wanted & &rights.permissions)));
            let lacking = &wanted - &rights.permissions;
            refused.extend((!lacking.is_empty()).then_some((name, lacking)));
        }
        if let Some(refusal) = Refusal::of_scopes(&refused) {
            self.note_refusal(caller, &refusal).await;
        }
        if wanted.contains(&ScopeWanted::Catalog) && caller.who != Who::Anonymous {
            let (kind, name) = ("registry".to_owned(), "catalog".to_owned());
            granted.push(GrantedScope { kind, name, actions: vec!["*".to_owned()] });
        }
        Ok(granted)
    }

    /// Returns whether the caller sees all repositories; a credential with limits is no administrator's.
    pub(crate) async fn may_list_all(&self, caller: &Caller) -> Result<bool, AccessError> {
        match self.is_administrator(caller).await {
            Err(AccessError::Forbidden(_) | AccessError::Unauthorized) => Ok(false),
            result => result,
        }
    }
}

/// What is wanted of each repository, however often it is named.
fn merged(wanted: &[ScopeWanted]) -> BTreeMap<RepositoryName, Permissions> {
    let mut merged = BTreeMap::<_, Permissions>::new();
    for scope in wanted {
        if let ScopeWanted::Repository(name, permissions) = scope {
            merged.entry(name.clone()).or_default().extend(permissions);
        }
    }
    merged
}

fn scope(name: &RepositoryName, permissions: &Permissions) -> Option<GrantedScope> {
    let actions: Vec<String> = permissions.iter().map(|permission| permission.as_str().to_owned()).collect();
    let kind = "repository".to_owned();
    (!actions.is_empty()).then(|| GrantedScope { kind, name: name.to_string(), actions })
}

/// Reads `pull,push`; `*` is everything.
fn permissions(actions: &str) -> Permissions {
    let is_wanted = |permission: &Permission| {
        actions.split(',').any(|action| action == "*" || action == permission.as_str())
    };
    Permission::ALL.into_iter().filter(is_wanted).collect()
}
