//! The end of an account.

use oci::RepositoryName;

use crate::access::accounts::{Access, Account};
use crate::access::users::is_administrator;
use crate::access::{AccessError, AccountName, Caller};
use crate::ports::{Condition, Query, Write};
use crate::records::{AccountState, AuditOutcome, OrganisationRecord, Record, UserRecord, keys};

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
        if let Some(repository) = self.first_repository(name).await? {
            let message = format!("{name} has repositories, for example {repository}; delete them first");
            return Err(AccessError::Conflict(message));
        }
        let unknown = || AccessError::unknown(format!("account {name}"));
        let (item, account) = self.account_item(name).await?.ok_or_else(unknown)?;
        if let Account::User(_) = &account {
            self.require_other_owners(name).await?;
        }
        let check = match &account {
            Account::User(user) if is_administrator(user) => self.still_administrator(caller).await?,
            _ => None,
        };
        let record = match account {
            Account::User(user) => Record::User(UserRecord {
                state: AccountState::Deleted,
                password: None,
                is_administrator: false,
                ..user
            }),
            Account::Organisation(organisation) => {
                Record::Organisation(OrganisationRecord { state: AccountState::Deleted, ..organisation })
            }
        };
        let seen = Condition::Version(item.version.clone());
        let mut writes = vec![
            self.registry.put(item.key.clone(), self.registry.fresh_version(), record, seen),
            self.audit_write(caller, "account.delete", name.as_str(), AuditOutcome::Done, ""),
        ];
        writes.extend(check);
        if self.registry.transact(writes).await?.is_some() {
            return Err(AccessError::contended());
        }
        // The account opens nothing any more; what is left is only tidied up.
        self.tokens_revoke_all(name).await?;
        self.memberships_end(name).await
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
    async fn memberships_end(&self, name: &AccountName) -> Result<(), AccessError> {
        for (prefix, is_user) in [(keys::MEMBERSHIPS, true), (keys::MEMBERS, false)] {
            loop {
                let query = Query {
                    pk: keys::account_partition(name),
                    prefix: prefix.to_owned(),
                    limit: 40,
                    ..Query::default()
                };
                let listed = self.registry.stores.items.query(query).await?;
                let others = listed.iter().filter_map(|item| item.key.sk.strip_prefix(prefix)?.parse().ok());
                let writes: Vec<Write> = others
                    .flat_map(|other: AccountName| {
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
