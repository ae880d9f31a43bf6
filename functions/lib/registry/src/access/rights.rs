//! What a caller may do in a repository, read from the store or remembered for seconds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use oci::RepositoryName;
use quick_cache::sync::Cache;

use crate::access::account_list::is_there;
use crate::access::accounts::{Access, Found, account_of};
use crate::access::caller::{Via, Who};
use crate::access::policy::{Facts, namespace_visibility};
use crate::access::{AccessError, AccountName, Caller, Limits, Permission, Permissions, Role};
use crate::ports::{Item, Key, Timestamp, Write};
use crate::records::{RepositoryRecord, TokenKind, TokenRecord, Visibility, keys};

/// How long a decision may rest on what was read before: a revoked grant ends within five seconds.
const FRESH: Duration = Duration::from_secs(4);

const CACHED_MAX: usize = 10_000;

/// What somebody may do in a repository, and what the repository would be if they made it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rights {
    pub(crate) permissions: Permissions,
    pub(crate) new_visibility: Visibility,
    /// Whether the repository exists.
    pub(crate) is_there: bool,
    /// Whether somebody is deleting the repository.
    pub(crate) is_ending: bool,
    /// Whether the repository exists and anybody may pull.
    pub(crate) is_public: bool,
    /// That the account whose namespace it is has not changed since, and stays.
    pub(crate) same_account: Option<Write>,
}

impl Rights {
    /// Returns whether there is no such repository, and who has these rights may know that.
    pub(crate) fn knows_it_is_missing(&self) -> bool {
        !self.is_there && self.permissions.contains(&Permission::Pull)
    }
}

/// Who asks, by which stored credentials, and when their access token was made: an older password may be in it.
type RightsKey = (Who, Vec<Via>, Option<u64>, RepositoryName);

/// What was decided lately.
pub(crate) struct RightsCache(Cache<RightsKey, (Timestamp, Arc<Rights>)>);

impl Default for RightsCache {
    fn default() -> Self {
        Self(Cache::new(CACHED_MAX))
    }
}

impl Access {
    /// Returns what the caller may do in each of the repositories, as it is now, or was seconds ago.
    pub(crate) async fn rights(
        &self,
        caller: &Caller,
        repositories: &[RepositoryName],
    ) -> Result<Vec<Arc<Rights>>, AccessError> {
        let cached: Option<Vec<_>> =
            repositories.iter().map(|repository| self.rights_cached(caller, repository)).collect();
        match cached {
            Some(rights) => Ok(rights),
            None => self.rights_now(caller, repositories).await,
        }
    }

    /// Returns the same as it is now: one read for all of them.
    pub(crate) async fn rights_now(
        &self,
        caller: &Caller,
        repositories: &[RepositoryName],
    ) -> Result<Vec<Arc<Rights>>, AccessError> {
        let read_at = self.registry.now();
        let mut keys = caller.keys();
        keys.extend(repositories.iter().flat_map(|repository| keys_of(caller, repository)));
        let found = self.read(keys).await?;
        let limits = self.limits_now(caller, &found);
        let rights = repositories.iter().map(|repository| {
            let same_account = account(repository, &found).map(|item| self.account_stays(item));
            let rights = rights_of(caller, limits.as_deref(), repository, &found);
            let rights = Arc::new(Rights { same_account, ..rights });
            self.rights_cache().0.insert(cache_key(caller, repository), (read_at, Arc::clone(&rights)));
            rights
        });
        Ok(rights.collect())
    }

    fn rights_cached(&self, caller: &Caller, repository: &RepositoryName) -> Option<Arc<Rights>> {
        let (read_at, rights) = self.rights_cache().0.get(&cache_key(caller, repository))?;
        (self.registry.now() < read_at.after(FRESH)).then_some(rights)
    }

    /// Returns how far what was shown reaches now; `None` if any of it is void.
    pub(crate) fn limits_now(&self, caller: &Caller, found: &Found) -> Option<Vec<Limits>> {
        let user = caller.user().and_then(|name| found.get(&keys::account(name)));
        let password_since = user.and_then(|item| item.record.as_user()).map(|user| user.password_since);
        if caller.via.is_empty() {
            // What an older password was given is void; a token remembers its age in seconds.
            let made = caller.token.as_ref().map(|claims| claims.iat);
            let is_void = made.zip(password_since).is_some_and(|(made, since)| made < since.as_secs());
            return (!is_void).then(Vec::new);
        }
        let mut limits = Vec::new();
        for via in &caller.via {
            let record = &found.get(&via.key()?)?.record;
            match (record.as_token(), record.as_trust()) {
                (Some(token), _) if self.is_usable(token, password_since) => {
                    limits.push(token.limits.clone());
                }
                (_, Some(trust)) => limits.push(Limits::Scopes(trust.scopes.clone())),
                _ => return None,
            }
        }
        limits.retain(|limits| !limits.is_none());
        Some(limits)
    }

    /// Returns whether a stored credential can be used still.
    pub(crate) fn is_usable(&self, token: &TokenRecord, password_since: Option<Timestamp>) -> bool {
        let is_in_time = token.expires.is_none_or(|expires| self.registry.now() < expires);
        let is_of_password = matches!(token.kind, TokenKind::Refresh { made_with: None, .. });
        let is_of_older = is_of_password && password_since.is_some_and(|since| token.created < since);
        is_in_time && !is_of_older
    }
}

fn cache_key(caller: &Caller, repository: &RepositoryName) -> RightsKey {
    let made = caller.token.as_ref().map(|claims| claims.iat);
    (caller.who.clone(), caller.via.clone(), made, repository.clone())
}

/// What a decision about the repository rests on, beside who asks.
fn keys_of(caller: &Caller, repository: &RepositoryName) -> BTreeSet<Key> {
    let mut wanted = BTreeSet::from([keys::repository(repository)]);
    if let Some(namespace) = AccountName::namespace_of(repository) {
        wanted.extend(caller.user().map(|user| keys::member(&namespace, user)));
        wanted.insert(keys::account(&namespace));
    }
    wanted
}

fn facts(caller: &Caller, repository: &RepositoryName, found: &Found) -> Facts {
    let namespace = AccountName::namespace_of(repository);
    let item = |key: Option<Key>| key.and_then(|key| found.get(&key));
    let user = item(caller.user().map(keys::account));
    let member = caller.user().zip(namespace.as_ref()).map(|(user, namespace)| keys::member(namespace, user));
    Facts {
        user: user.and_then(|item| item.record.as_user().cloned()),
        repository: item(Some(keys::repository(repository)))
            .and_then(|item| item.record.as_repository().cloned()),
        namespace: item(namespace.as_ref().map(keys::account)).and_then(namespace_visibility),
        member: item(member).and_then(|item| item.record.as_member().cloned()),
    }
}

/// Returns the account whose namespace the repository is in.
fn account<'a>(repository: &RepositoryName, found: &'a Found) -> Option<&'a Item> {
    AccountName::namespace_of(repository).and_then(|name| found.get(&keys::account(&name)))
}

/// Whose credential is void has what everybody has, and nobody's limits take that away.
fn rights_of(
    caller: &Caller,
    limits: Option<&[Limits]>,
    repository: &RepositoryName,
    found: &Found,
) -> Rights {
    let facts = facts(caller, repository, found);
    let is_public = facts.repository.as_ref().is_some_and(RepositoryRecord::is_open);
    let mut permissions = match limits {
        Some(limits) => limits
            .iter()
            .fold(facts.permissions(&caller.who, repository), |left, limits| limits.within(repository, left)),
        None => Permissions::new(),
    };
    if is_public {
        permissions.extend(Role::Pull.permissions());
    }
    let account = account(repository, found).and_then(account_of);
    if facts.repository.is_none() && account.is_some_and(|account| !is_there(&account)) {
        // Nothing begins in an account that is no more, whoever asks.
        permissions.remove(&Permission::Push);
    }
    Rights {
        permissions,
        new_visibility: facts.namespace.unwrap_or_default(),
        is_there: facts.repository.is_some(),
        is_ending: facts.repository.is_some_and(|repository| repository.is_ending),
        is_public,
        same_account: None,
    }
}
