//! Everything about accounts, on the same stores as the registry's content.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::Registry;
use crate::access::caller::Who;
use crate::access::refusals::Refusal;
use crate::access::rights::RightsCache;
use crate::access::{AccessError, AccountName, Caller, Identities, KeyRing, Secret};
use crate::ports::{Item, Key, Query};
use crate::records::{AccountState, OrganisationRecord, UserRecord, keys};

/// How accounts work in this installation.
#[derive(Clone, Debug, Default)]
pub struct AccessOptions {
    /// Whether everybody may do everything until there is an account.
    pub is_open_without_accounts: bool,
    /// The password that the first administrator begins with.
    pub first_password: Option<Secret>,
    /// Whether only administrators make organisations.
    pub organisations_are_for_administrators: bool,
    /// Whether it is noted when a stored credential was used last, which takes the right to write it.
    pub notes_use: bool,
    /// How long the deletion of a repository may take, where an answer has to come in time; the collector goes on with it.
    pub deletes_within: Option<Duration>,
}

/// An account as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub enum Account {
    /// A user.
    User(UserRecord),
    /// An organisation.
    Organisation(OrganisationRecord),
}

struct Inner {
    keys: RwLock<KeyRing>,
    options: AccessOptions,
    identities: Option<Arc<dyn Identities>>,
    has_accounts: AtomicBool,
    is_known_empty: AtomicBool,
    rights: RightsCache,
}

/// The accounts of a registry, and what they may do. Cloning it is cheap.
#[derive(Clone)]
pub struct Access {
    pub(crate) registry: Registry,
    inner: Arc<Inner>,
    is_operators: bool,
}

impl Access {
    /// Returns the accounts on the registry's stores.
    pub fn new(
        registry: Registry,
        keys: KeyRing,
        options: AccessOptions,
        identities: Option<Arc<dyn Identities>>,
    ) -> Self {
        let inner = Inner {
            keys: RwLock::new(keys),
            options,
            identities,
            has_accounts: AtomicBool::new(false),
            is_known_empty: AtomicBool::new(false),
            rights: RightsCache::default(),
        };
        Self { registry, inner: Arc::new(inner), is_operators: false }
    }

    /// Returns the same accounts for whoever has the stores in hand anyway: nobody is asked who they are.
    #[must_use]
    pub fn for_operator(&self) -> Self {
        Self { is_operators: true, ..self.clone() }
    }

    /// Returns the keys.
    pub(crate) fn keys(&self) -> KeyRing {
        self.inner.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the name of the registry in its tokens and challenges.
    pub fn service(&self) -> String {
        self.keys().service().to_owned()
    }

    /// Returns whether the token names a key of this registry, or none at all.
    pub fn knows_key_of(&self, token: &str) -> bool {
        self.keys().knows_key_of(token)
    }

    /// Takes other keys from now on.
    pub fn set_keys(&self, keys: KeyRing) {
        *self.inner.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    pub(crate) fn identities(&self) -> Option<&Arc<dyn Identities>> {
        self.inner.identities.as_ref()
    }

    pub(crate) fn options(&self) -> &AccessOptions {
        &self.inner.options
    }

    /// Returns whether everybody may do everything: there is no account and that is how it shall be, or only the
    /// operator gets here.
    ///
    /// Such a registry has its stores for itself, so that it makes its first account itself, and never is open again.
    pub async fn is_open(&self) -> Result<bool, AccessError> {
        if self.is_operators || !self.inner.options.is_open_without_accounts {
            return Ok(self.is_operators);
        }
        if !self.inner.is_known_empty.load(Ordering::Acquire) {
            let is_empty = !self.has_accounts().await?;
            self.inner.is_known_empty.store(is_empty, Ordering::Release);
        }
        Ok(!self.inner.has_accounts.load(Ordering::Acquire))
    }

    /// Returns whether the registry was open, and is not any more, as far as this process knows.
    pub(crate) fn has_closed(&self) -> bool {
        self.closes() && self.inner.has_accounts.load(Ordering::Acquire)
    }

    /// Refuses everybody once there is an account: who they are was found out before the body of their request came.
    pub(crate) async fn require_open(&self) -> Result<(), AccessError> {
        match self.closes() && self.has_accounts().await? {
            true => Err(AccessError::Unauthorized),
            false => Ok(()),
        }
    }

    fn closes(&self) -> bool {
        self.inner.options.is_open_without_accounts && !self.is_operators
    }

    /// Notes that there is an account.
    pub(crate) fn note_account(&self) {
        self.inner.has_accounts.store(true, Ordering::Release);
    }

    /// Returns whether there is any account.
    pub async fn has_accounts(&self) -> Result<bool, AccessError> {
        if self.inner.has_accounts.load(Ordering::Acquire) {
            return Ok(true);
        }
        let query = Query { pk: keys::account_list_partition(), limit: 1, ..Query::default() };
        let has_any = !self.registry.stores.items.query(query).await?.is_empty();
        self.inner.has_accounts.fetch_or(has_any, Ordering::AcqRel);
        Ok(has_any)
    }

    /// Returns the account, whatever its state.
    pub(crate) async fn account_item(
        &self,
        name: &AccountName,
    ) -> Result<Option<(Item, Account)>, AccessError> {
        let item = self.registry.get(keys::account(name)).await?;
        Ok(item.and_then(|item| {
            let account = account_of(&item)?;
            Some((item, account))
        }))
    }

    /// Refuses everybody but administrators who showed all they have.
    pub(crate) async fn require_administrator(&self, caller: &Caller) -> Result<(), AccessError> {
        if self.is_administrator(caller).await? {
            return Ok(());
        }
        let refusal = Refusal { action: "manage", target: String::new(), detail: String::new() };
        self.note_refusal(caller, &refusal).await;
        Err(AccessError::forbidden("only an administrator may do that"))
    }

    /// Returns whether the caller is an administrator now; in an open registry everybody is.
    pub async fn is_administrator(&self, caller: &Caller) -> Result<bool, AccessError> {
        match &caller.who {
            Who::Everybody => self.require_open().await.map(|()| true),
            Who::User(_) => Ok(self.user_now(caller).await?.is_administrator),
            _ => Ok(false),
        }
    }

    /// Returns the user who calls, as it is now; refuses everybody else, and credentials with limits.
    pub(crate) async fn user_now(&self, caller: &Caller) -> Result<UserRecord, AccessError> {
        let Who::User(name) = &caller.who else {
            return Err(AccessError::forbidden("only a user may do that"));
        };
        let found = self.read(caller.keys()).await?;
        let limits = self.limits_now(caller, &found).ok_or(AccessError::Unauthorized)?;
        if !limits.is_empty() {
            return Err(AccessError::forbidden("a token with scopes cannot manage accounts"));
        }
        let user = found.get(&keys::account(name)).and_then(|item| item.record.as_user());
        user.filter(|user| user.state == AccountState::Active).cloned().ok_or(AccessError::Unauthorized)
    }

    /// Reads the items, each once, all at once.
    pub(crate) async fn read(&self, keys: BTreeSet<Key>) -> Result<Found, AccessError> {
        let keys: Vec<Key> = keys.into_iter().collect();
        let items = self.registry.stores.items.get(&keys).await?;
        Ok(keys.into_iter().zip(items).filter_map(|(key, item)| Some((key, item?))).collect())
    }

    pub(crate) fn rights_cache(&self) -> &RightsCache {
        &self.inner.rights
    }
}

/// Items that were read together.
pub(crate) type Found = HashMap<Key, Item>;

pub(crate) fn account_of(item: &Item) -> Option<Account> {
    let user = item.record.as_user().cloned().map(Account::User);
    user.or_else(|| item.record.as_organisation().cloned().map(Account::Organisation))
}
