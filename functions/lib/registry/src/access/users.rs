//! Users: the first one, and all that come after.

use secrecy::ExposeSecret;

use crate::access::accounts::{Access, Account};
use crate::access::caller::Who;
use crate::access::{AccessError, AccountName, Caller, Secret, passwords};
use crate::ports::{Condition, Conflict, Version, Write};
use crate::records::{AccountState, AuditOutcome, Record, UserRecord, Visibility, keys};
use crate::registry::ATTEMPTS;

/// The name of the first administrator.
const FIRST: &str = "admin";

/// A change of a user; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// A new password.
    pub password: Option<Secret>,
    /// The old one, which somebody who changes their own has to know.
    pub old_password: Option<Secret>,
    /// Whether the user is an administrator.
    pub is_administrator: Option<bool>,
    /// Whether the account can be used; `Deleted` is for [`Access::account_delete`].
    pub is_disabled: Option<bool>,
    /// What new repositories are.
    pub default_visibility: Option<Visibility>,
}

impl Access {
    /// Makes the first administrator with this password, unless there is an account already.
    ///
    /// Returns whether it was made.
    pub async fn first_administrator_create(&self, password: &Secret) -> Result<bool, AccessError> {
        if self.has_accounts().await? {
            return Ok(false);
        }
        let name: AccountName = FIRST.parse()?;
        let system = Caller::new(Who::Everybody, crate::access::Address::default());
        let user = self.fresh_user(password, true).await?;
        match self.user_store(&system, &name, user, true).await {
            Err(AccessError::Conflict(_)) => Ok(false),
            is_stored => is_stored,
        }
    }

    /// Makes the first administrator when somebody logs in under that name where it was told its password beforehand.
    pub(crate) async fn first_administrator(&self, name: &AccountName) -> Result<(), AccessError> {
        if let Some(password) = self.options().first_password.clone().filter(|_| name.as_str() == FIRST) {
            self.first_administrator_create(&password).await?;
        }
        Ok(())
    }

    /// Makes a user. The first of an open registry is an administrator, and closes it; of those who make one at the same
    /// moment one is the first.
    pub async fn user_create(
        &self,
        caller: &Caller,
        name: &AccountName,
        password: &Secret,
        is_administrator: bool,
    ) -> Result<UserRecord, AccessError> {
        self.require_administrator(caller).await?;
        passwords::check_strength(password, name.as_str())?;
        let user = self.fresh_user(password, is_administrator).await?;
        for _ in 0..ATTEMPTS {
            let is_first = !self.has_accounts().await?;
            if caller.who == Who::Everybody {
                self.require_open().await?;
            }
            let user = UserRecord { is_administrator: is_administrator || is_first, ..user.clone() };
            if self.user_store(caller, name, user.clone(), is_first).await? {
                return Ok(user);
            }
        }
        Err(AccessError::contended())
    }

    async fn fresh_user(&self, password: &Secret, is_administrator: bool) -> Result<UserRecord, AccessError> {
        let now = self.registry.now();
        Ok(UserRecord {
            state: AccountState::Active,
            password: Some(passwords::hash(password).await?),
            password_since: now,
            is_administrator,
            default_visibility: Visibility::default(),
            created: now,
            organisations_made: 0,
            is_ending: false,
        })
    }

    /// Returns whether the user is stored; the first one is not if somebody else was quicker.
    async fn user_store(
        &self,
        caller: &Caller,
        name: &AccountName,
        user: UserRecord,
        is_first: bool,
    ) -> Result<bool, AccessError> {
        let version = self.registry.fresh_version();
        let put = |key| self.registry.put(key, version.clone(), Record::Listed, Condition::Absent);
        let first = is_first.then(|| put(keys::first_account())).into_iter().collect();
        self.account_store(caller, name, Record::User(user), "user.create", &version, first).await
    }

    /// Writes a new account, and `more` with it; a name is given once and for ever.
    ///
    /// Returns whether that is done; if not, what `more` rests on has changed.
    pub(crate) async fn account_store(
        &self,
        caller: &Caller,
        name: &AccountName,
        record: Record,
        action: &str,
        version: &Version,
        more: Vec<Write>,
    ) -> Result<bool, AccessError> {
        if Who::parse(name.as_str()) == Some(Who::Anonymous) {
            return Err(AccessError::Invalid(format!("{name} is what those are called who have no account")));
        }
        let (key, listed) = (keys::account(name), keys::account_listed(name));
        let mut writes = vec![
            self.registry.put(key.clone(), version.clone(), record, Condition::Absent),
            self.registry.put(listed.clone(), version.clone(), Record::Listed, Condition::Absent),
            self.audit_write(caller, action, name.as_str(), AuditOutcome::Done, ""),
        ];
        writes.extend(more);
        let is_own =
            |conflict: &Conflict| conflict.found.as_ref().is_some_and(|item| item.version == *version);
        match self.registry.transact(writes).await?.filter(|conflict| !is_own(conflict)) {
            None => self.note_account(),
            Some(conflict) if [key, listed].contains(&conflict.key) => {
                return Err(AccessError::Conflict(format!("the name {name} is taken, or was once")));
            }
            Some(_) => return Ok(false),
        }
        Ok(true)
    }

    /// Changes a user. Users change their own password and visibility, administrators everything of everybody.
    pub async fn user_change(
        &self,
        caller: &Caller,
        name: &AccountName,
        change: &UserChange,
    ) -> Result<(), AccessError> {
        let is_own = caller.user() == Some(name);
        let is_administrator = self.is_administrator(caller).await?;
        if !is_own && !is_administrator {
            return Err(AccessError::unknown(format!("user {name}")));
        }
        if !is_administrator && (change.is_administrator.is_some() || change.is_disabled.is_some()) {
            return Err(AccessError::forbidden("only an administrator may do that"));
        }
        if is_own && (change.is_administrator == Some(false) || change.is_disabled == Some(true)) {
            return Err(AccessError::Conflict(
                "another administrator has to do that, so that one is left".to_owned(),
            ));
        }
        if is_own {
            self.user_now(caller).await?;
        }
        let hash = self.new_password_hash(caller, name, change, is_own).await?;
        self.user_update(caller, name, change, hash.as_deref()).await
    }

    async fn new_password_hash(
        &self,
        caller: &Caller,
        name: &AccountName,
        change: &UserChange,
        is_own: bool,
    ) -> Result<Option<String>, AccessError> {
        let Some(password) = &change.password else { return Ok(None) };
        passwords::check_strength(password, name.as_str())?;
        if is_own {
            let old = change.old_password.as_ref().filter(|old| !old.expose_secret().is_empty());
            let old =
                old.ok_or_else(|| AccessError::Invalid("the old password has to be given too".to_owned()))?;
            self.require_password(caller, name, old).await?;
        }
        Ok(Some(passwords::hash(password).await?))
    }

    /// Refuses whoever does not know the password itself: a stolen token must not be enough to take the account over.
    async fn require_password(
        &self,
        caller: &Caller,
        name: &AccountName,
        password: &Secret,
    ) -> Result<(), AccessError> {
        match self.login_password(name.as_str(), password, &caller.address).await {
            Err(AccessError::Unauthorized) => {
                self.audit(caller, "user.change", name.as_str(), AuditOutcome::Refused, "old password").await;
                Err(AccessError::forbidden("the old password is wrong"))
            }
            result => result.map(|_| ()),
        }
    }

    async fn user_update(
        &self,
        caller: &Caller,
        name: &AccountName,
        change: &UserChange,
        hash: Option<&str>,
    ) -> Result<(), AccessError> {
        for _ in 0..ATTEMPTS {
            let (item, user) = match self.account_item(name).await? {
                Some((item, Account::User(user))) if user.state != AccountState::Deleted => (item, user),
                _ => return Err(AccessError::unknown(format!("user {name}"))),
            };
            let was_administrator = is_administrator(&user);
            let changed = changed(user, change, hash, self.registry.now());
            let check = match was_administrator && !is_administrator(&changed) {
                true => self.still_administrator(caller).await?,
                false => None,
            };
            let seen = Condition::Version(item.version.clone());
            let version = self.registry.fresh_version();
            let mut writes = vec![
                self.registry.put(item.key.clone(), version, Record::User(changed), seen),
                self.audit_write(caller, "user.change", name.as_str(), AuditOutcome::Done, &words(change)),
            ];
            writes.extend(check);
            if self.registry.transact(writes).await?.is_none() {
                return Ok(());
            }
        }
        Err(AccessError::contended())
    }

    /// Returns the check that the caller is an administrator still when this is written: of two who take it from each
    /// other at the same time, one is left. The operator needs none.
    pub(super) async fn still_administrator(&self, caller: &Caller) -> Result<Option<Write>, AccessError> {
        let Some(name) = caller.user() else { return Ok(None) };
        match self.account_item(name).await? {
            Some((item, Account::User(user))) if is_administrator(&user) => {
                Ok(Some(Write::Check(item.key, Condition::Version(item.version))))
            }
            _ => Err(AccessError::forbidden("only an administrator may do that")),
        }
    }
}

pub(super) fn is_administrator(user: &UserRecord) -> bool {
    user.is_administrator && user.state == AccountState::Active
}

fn changed(
    user: UserRecord,
    change: &UserChange,
    hash: Option<&str>,
    now: crate::ports::Timestamp,
) -> UserRecord {
    let state = match change.is_disabled {
        Some(true) => AccountState::Disabled,
        Some(false) => AccountState::Active,
        None => user.state,
    };
    UserRecord {
        state,
        password_since: if hash.is_some() { now } else { user.password_since },
        password: hash.map(str::to_owned).or(user.password),
        is_administrator: change.is_administrator.unwrap_or(user.is_administrator),
        default_visibility: change.default_visibility.unwrap_or(user.default_visibility),
        created: user.created,
        organisations_made: user.organisations_made,
        // Whoever is deleting it finds it changed, and looks again.
        is_ending: false,
    }
}

fn words(change: &UserChange) -> String {
    let words = [
        change.password.as_ref().map(|_| "password".to_owned()),
        change.is_administrator.map(|is| format!("administrator={is}")),
        change.is_disabled.map(|is| format!("disabled={is}")),
        change.default_visibility.map(|visibility| format!("visibility={visibility:?}").to_lowercase()),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
