//! The only way from a request to a registry's content.
//!
//! Whoever answers requests holds a [`Gate`], not a registry. It gives out a [`Permit`] for one right in one
//! repository, and the permit has the operations of that right, and no others:
//!
//! ```compile_fail
//! # async fn no(permit: registry::access::Permit<registry::access::Pull>, tag: oci::Tag) {
//! permit.tag_delete(&tag).await.unwrap();
//! # }
//! ```
//!
//! Nobody else can make one:
//!
//! ```compile_fail
//! # fn no(registry: registry::Registry, repository: oci::RepositoryName) {
//! registry::access::Permit::<registry::access::Pull> { registry, repository };
//! # }
//! ```

use std::fmt;
use std::marker::PhantomData;

use oci::RepositoryName;

use crate::access::caller::Who;
use crate::access::permit::{Permit, Right};
use crate::access::refusals::Refusal;
use crate::access::rights::Rights;
use crate::access::{
    Access, AccessError, Address, Caller, GrantedScope, Permission, Secret, may_not, may_not_begin,
};
use crate::beginning::Beginning;
use crate::records::Visibility;
use crate::{Error, Registry};

/// What a request shows of whom it speaks for.
#[derive(Clone)]
pub enum Shown {
    /// Nothing.
    Nothing,
    /// A name and a secret.
    Basic(String, Secret),
    /// An access token.
    Bearer(String),
    /// Something that is none of these.
    Unreadable,
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Basic(..) => "Basic(..)",
            Self::Bearer(_) => "Bearer(..)",
            Self::Unreadable => "Unreadable",
        })
    }
}

/// Why the gate stays shut.
#[derive(Debug)]
pub enum Denied {
    /// Something else has to be shown; what was shown is not enough, or wrong.
    Unauthorized(Lack),
    /// What was shown is enough to know that this is not allowed.
    Forbidden(String),
    /// Nobody knows.
    Access(AccessError),
}

/// What is wrong with what was shown, in the words of RFC 6750.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Nothing was shown.
    Nothing,
    /// It is wrong or void.
    Invalid,
    /// It is for something else.
    Scope,
}

impl From<AccessError> for Denied {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Unauthorized => Self::Unauthorized(Lack::Invalid),
            AccessError::Forbidden(why) => Self::Forbidden(why),
            error => Self::Access(error),
        }
    }
}

/// A registry behind its accounts, or open to everybody.
#[derive(Clone)]
pub struct Gate {
    registry: Registry,
    access: Option<Access>,
}

impl Gate {
    /// Returns the gate of a registry that has no accounts, and never will.
    pub fn open(registry: Registry) -> Self {
        Self { registry, access: None }
    }

    /// Returns the gate that these accounts guard.
    pub fn guarded(access: Access) -> Self {
        Self { registry: access.registry.clone(), access: Some(access) }
    }

    /// Returns the accounts, if there can be any.
    pub fn access(&self) -> Option<&Access> {
        self.access.as_ref()
    }

    /// Finds out who asks.
    pub async fn caller(&self, shown: &Shown, address: &Address) -> Result<Caller, Denied> {
        let Some(access) = &self.access else { return Ok(Caller::everybody(address.clone())) };
        if access.is_open().await? {
            return Ok(Caller::everybody(address.clone()));
        }
        match shown {
            Shown::Nothing => Ok(Caller::anonymous(address.clone())),
            Shown::Unreadable => Err(Denied::Unauthorized(Lack::Invalid)),
            Shown::Basic(user, secret) => Ok(access.login(user, secret, address).await?),
            Shown::Bearer(token) => {
                access.login_token(token, address).map_err(|_| Denied::Unauthorized(Lack::Invalid))
            }
        }
    }

    /// Lets anybody pass who showed something, which is what a login is checked with (end-1).
    pub fn admit_known(&self, caller: &Caller) -> Result<(), Denied> {
        match caller.is_anonymous() {
            true => Err(Denied::Unauthorized(Lack::Nothing)),
            false if caller.is_expired => Err(Denied::Unauthorized(Lack::Invalid)),
            false => Ok(()),
        }
    }

    /// Returns the permit for one right in the repository, or says why there is none.
    pub async fn admit<R: Right>(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
    ) -> Result<Permit<R>, Denied> {
        if caller.is_expired {
            return Err(Denied::Unauthorized(Lack::Invalid));
        }
        self.admit_late(caller, repository).await
    }

    /// Returns the same, also to somebody whose access token ended lately: what it began may go on.
    pub async fn admit_late<R: Right>(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
    ) -> Result<Permit<R>, Denied> {
        self.require(caller, repository, R::PERMISSION).await?;
        Ok(Permit {
            registry: self.registry.clone(),
            gate: self.clone(),
            caller: caller.clone(),
            principal: caller.principal(),
            repository: repository.clone(),
            right: PhantomData,
        })
    }

    /// Decides. A valid token is enough to read; to write, it has to be true still; to delete, true right now.
    async fn require(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        permission: Permission,
    ) -> Result<(), Denied> {
        if caller.who == Who::Everybody && self.access.as_ref().is_some_and(Access::has_closed) {
            return Err(Denied::Unauthorized(Lack::Invalid));
        }
        // What is pushed to an open registry is nobody else's once it is closed.
        let Some(access) = self.guarding_from(caller) else { return Ok(()) };
        match caller.token_allows(repository, permission) {
            Some(false) => {
                self.note_strange_token(access, caller, repository, permission).await;
                return Err(Denied::Unauthorized(Lack::Scope));
            }
            Some(true) if permission == Permission::Pull => return Ok(()),
            _ => {}
        }
        let names = std::slice::from_ref(repository);
        let rights = match permission {
            Permission::Delete => access.rights_now(caller, names).await?,
            Permission::Pull | Permission::Push => access.rights(caller, names).await?,
        };
        match rights.first() {
            Some(rights) if rights.permissions.contains(&permission) => {
                match rights.is_ending && permission == Permission::Push {
                    true => Err(Denied::Access(Error::RepositoryEnding(repository.clone()).into())),
                    false => Ok(()),
                }
            }
            _ if caller.is_anonymous() => Err(Denied::Unauthorized(Lack::Nothing)),
            _ => Err(self.forbidden(caller, repository, permission).await.into()),
        }
    }

    /// Returns the accounts, if they guard the registry from this caller.
    fn guarding_from(&self, caller: &Caller) -> Option<&Access> {
        self.access.as_ref().filter(|_| caller.who != Who::Everybody)
    }

    /// Returns what somebody is told who is known and may not, and notes it.
    pub(crate) async fn forbidden(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        permission: Permission,
    ) -> AccessError {
        let (action, target) = (permission.as_str(), repository.to_string());
        if let Some(access) = &self.access {
            access.note_refusal(caller, &Refusal { action, target, detail: String::new() }).await;
        }
        if permission == Permission::Push && self.knows_it_is_missing(caller, repository).await {
            return AccessError::Forbidden(may_not_begin(repository));
        }
        let who = caller.who.to_string();
        AccessError::Forbidden(may_not(&who, permission, repository.as_str()))
    }

    /// Returns whether the caller, who may not push, may know that there is no such repository: what it shows reaches
    /// there for less.
    async fn knows_it_is_missing(&self, caller: &Caller, repository: &RepositoryName) -> bool {
        let Some(access) = self.guarding_from(caller) else { return false };
        let rights = access.rights(caller, std::slice::from_ref(repository)).await.unwrap_or_default();
        rights.first().is_some_and(|rights| rights.knows_it_is_missing())
    }

    /// Decides whether a push of the caller may begin the repository, by what is true right now.
    pub(crate) async fn beginning(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
    ) -> Result<Beginning, Error> {
        let Some(access) = self.guarding_from(caller) else {
            return Ok(Beginning::As(Visibility::default(), Vec::new()));
        };
        let rights = match access.rights_now(caller, std::slice::from_ref(repository)).await {
            Ok(rights) => rights.into_iter().next().unwrap_or_default(),
            Err(AccessError::Registry(error)) => return Err(error),
            Err(_) => return Ok(Beginning::Refused),
        };
        Ok(match rights.permissions.contains(&Permission::Push) {
            true if rights.is_there => Beginning::IsThere,
            true => Beginning::As(rights.new_visibility, rights.same_account.iter().cloned().collect()),
            false => Beginning::Refused,
        })
    }

    /// Notes that a token is shown where it does not belong.
    ///
    /// One that is for less in this repository was refused the rest where it was made, or asks for it next; and one
    /// without scopes, or none at all, is how every client begins.
    async fn note_strange_token(
        &self,
        access: &Access,
        caller: &Caller,
        repository: &RepositoryName,
        permission: Permission,
    ) {
        if caller.is_for_scopes() && !caller.token_names(repository) {
            let (action, target) = (permission.as_str(), repository.to_string());
            let detail = "the access token is for other repositories".to_owned();
            access.note_refusal(caller, &Refusal { action, target, detail }).await;
        }
    }

    /// Returns those of the repositories that the caller may pull from.
    pub(crate) async fn readable(
        &self,
        caller: &Caller,
        repositories: Vec<RepositoryName>,
    ) -> Result<Vec<RepositoryName>, AccessError> {
        let Some(access) = self.guarding_from(caller) else { return Ok(repositories) };
        let rights = access.rights(caller, &repositories).await?;
        let is_readable = |name: &RepositoryName, rights: &Rights| {
            let is_in_token = caller.token_allows(name, Permission::Pull).unwrap_or(true);
            rights.is_public || (is_in_token && rights.permissions.contains(&Permission::Pull))
        };
        let named = repositories.into_iter().zip(rights);
        Ok(named.filter(|(name, rights)| is_readable(name, rights)).map(|(name, _)| name).collect())
    }

    /// Lists the repositories that the caller may pull from, for whoever is known. Returns also where the next page
    /// begins.
    pub async fn repository_list(
        &self,
        caller: &Caller,
        limit: usize,
        last: Option<&str>,
    ) -> Result<(Vec<RepositoryName>, Option<String>), Denied> {
        let Some(access) = self.guarding_from(caller) else {
            return Ok(self.all_repositories(limit, last).await?);
        };
        let is_in_token =
            caller.token.as_ref().map(|claims| claims.access.iter().any(GrantedScope::is_catalog));
        match is_in_token {
            _ if caller.is_expired => return Err(Denied::Unauthorized(Lack::Invalid)),
            _ if caller.is_anonymous() => return Err(Denied::Unauthorized(Lack::Nothing)),
            Some(false) => return Err(Denied::Unauthorized(Lack::Scope)),
            Some(true) | None => {}
        }
        if limit == 0 || access.may_list_all(caller).await? {
            return Ok(self.all_repositories(limit, last).await?);
        }
        let (repositories, next) = access.repository_page(caller, None, last, limit).await?;
        Ok((repositories.into_iter().map(|(name, _)| name).collect(), next))
    }

    async fn all_repositories(
        &self,
        limit: usize,
        last: Option<&str>,
    ) -> Result<(Vec<RepositoryName>, Option<String>), AccessError> {
        let page = self.registry.repository_list(limit, last).await?;
        let next = page.entries.last().filter(|_| page.has_more).map(ToString::to_string);
        Ok((page.entries, next))
    }

    /// Returns what the fsck of a running registry reads, and other work that answers no request.
    pub fn registry_for_jobs(&self) -> &Registry {
        &self.registry
    }
}
