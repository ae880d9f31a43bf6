//! Accounts as they are shown to whoever may see them.

use crate::access::accounts::{Access, Account, account_of};
use crate::access::{AccessError, AccountName, Caller};
use crate::ports::Query;
use crate::records::{AccountState, keys};

impl Access {
    /// Returns the account. Users see their own and their organisations, administrators all.
    pub async fn account_get(&self, caller: &Caller, name: &AccountName) -> Result<Account, AccessError> {
        let is_own = caller.user() == Some(name);
        if is_own {
            self.user_now(caller).await?;
        } else if !self.is_administrator(caller).await? && self.member(caller, name).await?.is_none() {
            return Err(AccessError::unknown(format!("account {name}")));
        }
        let account = self.account_item(name).await?.map(|(_, account)| account);
        account.filter(is_there).ok_or_else(|| AccessError::unknown(format!("account {name}")))
    }

    /// Lists accounts beyond `after`; only administrators see them.
    pub async fn account_list(
        &self,
        caller: &Caller,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(AccountName, Account)>, AccessError> {
        self.require_administrator(caller).await?;
        let mut after = after.map(str::to_owned);
        let mut accounts = Vec::new();
        while accounts.len() < limit {
            let page = self.account_names(after.clone(), limit).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.to_string());
            let found = self.read(page.iter().map(keys::account).collect()).await?;
            let there = page.into_iter().filter_map(|name| {
                let account = account_of(found.get(&keys::account(&name))?).filter(is_there)?;
                Some((name, account))
            });
            accounts.extend(there);
        }
        accounts.truncate(limit);
        Ok(accounts)
    }

    async fn account_names(
        &self,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<AccountName>, AccessError> {
        let query = Query { pk: keys::account_list_partition(), after, limit, ..Query::default() };
        let listed = self.registry.stores.items.query(query).await?;
        Ok(listed.iter().filter_map(|item| item.key.sk.parse().ok()).collect())
    }
}

/// Returns whether the account was not deleted.
pub(super) fn is_there(account: &Account) -> bool {
    let state = match account {
        Account::User(user) => user.state,
        Account::Organisation(organisation) => organisation.state,
    };
    state != AccountState::Deleted
}
