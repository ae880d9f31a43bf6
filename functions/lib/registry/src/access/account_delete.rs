//! The end of an account.

use std::collections::BTreeSet;

use oci::RepositoryName;

use crate::access::account_list::is_there;
use crate::access::accounts::{Access, Account, account_of};
use crate::access::users::is_administrator;
use crate::access::{AccessError, AccountName, Caller};
use crate::ports::{Condition, Item, Query, TRANSACT_WRITES_MAX, Write};
use crate::records::{AccountState, AuditOutcome, OrganisationRecord, Record, UserRecord, keys};
use crate::registry::ATTEMPTS;

/// How many checks fit beside the account and the line of the audit log. Each organisation that the user owns takes one, and
/// each account of another owner; who is no administrator owns 20 at most.
const CHECKS_MAX: usize = TRANSACT_WRITES_MAX - 2;

impl Access {
    /// Deletes an account that has no repositories, and everything that opens it. Its name stays taken.
    ///
    /// Owners may end their organisation; everything else takes an administrator.
    pub async fn account_delete(&self, caller: &Caller, name: &AccountName) -> Result<(), AccessError> {
        match self.account_item(name).await? {
            Some((_, Account::Organisation(_))) => self.require_manager(caller, name).await?,
            _ => self.require_administrator(caller).await?,
        }
        if caller.user() == Some(name) {
            return Err(AccessError::Conflict(
                "another administrator has to do that, so that one is left".to_owned(),
            ));
        }
        self.account_end(caller, name).await?;
        self.remains_end(caller, name).await
    }

    /// Ends a deletion of the account that broke off; an account that is there, and a name that nobody has taken, stay what
    /// they are.
    pub async fn account_deletion_end(&self, caller: &Caller, name: &AccountName) -> Result<(), AccessError> {
        match self.account_item(name).await? {
            Some((_, account)) if !is_there(&account) => {
                self.may_manage(caller, name).await?;
                self.remains_end(caller, name).await
            }
            _ => Ok(()),
        }
    }

    /// Tidies up: the account opens nothing any more, and nothing begins in it.
    async fn remains_end(&self, caller: &Caller, name: &AccountName) -> Result<(), AccessError> {
        self.tokens_revoke_all(name).await?;
        self.memberships_end(caller, name).await
    }

    /// Flags the account, looks what it is needed for, and decides (R3): whatever begins in it beside that either has
    /// been seen, or finds the account changed, or takes the flag off.
    async fn account_end(&self, caller: &Caller, name: &AccountName) -> Result<(), AccessError> {
        for _ in 0..ATTEMPTS {
            let unknown = || AccessError::unknown(format!("account {name}"));
            let (item, account) = self.account_item(name).await?.ok_or_else(unknown)?;
            let checks = self.require_unneeded(caller, name, &account).await?;
            let (seen, version) = (Condition::Version(item.version), self.registry.fresh_version());
            if !is_ending(&account) {
                // What was refused so far has changed nothing. The next look is the one that counts.
                let flag = self.registry.put(item.key, version, flagged(account, true), seen);
                self.registry.transact(vec![flag]).await?;
                continue;
            }
            let mut writes = vec![
                self.registry.put(item.key, version, ended(account), seen),
                self.audit_write(caller, "account.delete", name.as_str(), AuditOutcome::Done, ""),
            ];
            writes.extend(checks);
            if self.registry.transact(writes).await?.is_none() {
                return Ok(());
            }
        }
        Err(AccessError::contended())
    }

    /// Refuses while anything needs the account; returns the checks that this is so still when it ends.
    async fn require_unneeded(
        &self,
        caller: &Caller,
        name: &AccountName,
        account: &Account,
    ) -> Result<Vec<Write>, AccessError> {
        if let Some(repository) = self.first_repository(name).await? {
            let message = format!("{name} has repositories, for example {repository}; delete them first");
            return Err(AccessError::Conflict(message));
        }
        let Account::User(user) = account else { return Ok(Vec::new()) };
        let mut checks = self.other_owners(name).await?;
        if is_administrator(user) {
            checks.extend(self.still_administrator(caller).await?);
        }
        // The same account may be the other owner of many organisations, and the caller's; what was read first counts.
        let mut keys = BTreeSet::new();
        checks.retain(|check| keys.insert(check.key().clone()));
        match checks.len() <= CHECKS_MAX {
            true => Ok(checks),
            false => Err(AccessError::Conflict(format!(
                "{name} owns more organisations than can be looked after at once; take it out of some of them first"
            ))),
        }
    }

    /// Returns the write that keeps the account while something begins that needs it: it must not have changed since it
    /// was read, and whoever is deleting it finds it changed.
    pub(crate) fn account_stays(&self, item: &Item) -> Write {
        match account_of(item).filter(is_ending) {
            Some(account) => self.account_rewritten(item, account),
            None => Write::Check(item.key.clone(), Condition::Version(item.version.clone())),
        }
    }

    /// Returns the write that has the account so, if it has not changed since it was read: of two who do that at the same
    /// moment, one finds it changed. Whoever is deleting it does, too.
    pub(crate) fn account_rewritten(&self, item: &Item, account: Account) -> Write {
        let (seen, version) = (Condition::Version(item.version.clone()), self.registry.fresh_version());
        self.registry.put(item.key.clone(), version, flagged(account, false), seen)
    }

    /// Returns a user who can use their account, and refuses others.
    pub(crate) async fn user_item(&self, user: &AccountName) -> Result<(Item, UserRecord), AccessError> {
        match self.account_item(user).await? {
            Some((item, Account::User(record))) if record.state == AccountState::Active => Ok((item, record)),
            _ => Err(AccessError::unknown(format!("user {user}"))),
        }
    }

    /// Returns one of the repositories whose namespace has this name, if there is any.
    pub(crate) async fn first_repository(
        &self,
        name: &AccountName,
    ) -> Result<Option<RepositoryName>, AccessError> {
        let mut named = self.repositories_of(name, None, 1).await?;
        Ok(named.pop())
    }

    /// Writes a deletion of each membership; what was given by them ends with the account anyway.
    async fn memberships_end(&self, caller: &Caller, name: &AccountName) -> Result<(), AccessError> {
        for (prefix, is_user) in [(keys::MEMBERSHIPS, true), (keys::MEMBERS, false)] {
            loop {
                let query = Query {
                    pk: keys::account_partition(name),
                    prefix: prefix.to_owned(),
                    limit: 40,
                    ..Query::default()
                };
                let listed = self.registry.stores.items.query(query).await?;
                let other = |item: &Item| item.key.sk.strip_prefix(prefix)?.parse().ok();
                let mut others: Vec<AccountName> = listed.iter().filter_map(other).collect();
                if others.len() > 1 {
                    // Their own goes last: by it an owner may end what breaks off here.
                    others.retain(|other| caller.user() != Some(other));
                }
                let writes: Vec<Write> = others
                    .into_iter()
                    .flat_map(|other| {
                        let (organisation, user) = if is_user { (&other, name) } else { (name, &other) };
                        let member = Write::Delete(keys::member(organisation, user), Condition::Always);
                        [member, Write::Delete(keys::membership(user, organisation), Condition::Always)]
                    })
                    .collect();
                if writes.is_empty() {
                    break;
                }
                self.registry.transact(writes).await?;
            }
        }
        Ok(())
    }
}

fn is_ending(account: &Account) -> bool {
    match account {
        Account::User(user) => user.is_ending,
        Account::Organisation(organisation) => organisation.is_ending,
    }
}

fn flagged(account: Account, is_ending: bool) -> Record {
    match account {
        Account::User(user) => Record::User(UserRecord { is_ending, ..user }),
        Account::Organisation(organisation) => {
            Record::Organisation(OrganisationRecord { is_ending, ..organisation })
        }
    }
}

fn ended(account: Account) -> Record {
    let (state, is_ending) = (AccountState::Deleted, false);
    match account {
        Account::User(user) => {
            Record::User(UserRecord { state, is_ending, password: None, is_administrator: false, ..user })
        }
        Account::Organisation(organisation) => {
            Record::Organisation(OrganisationRecord { state, is_ending, ..organisation })
        }
    }
}
