//! Who manages an account.

use crate::access::account_list::is_there;
use crate::access::accounts::Access;
use crate::access::policy::namespace_visibility;
use crate::access::{AccessError, AccountName, Caller};
use crate::records::{MemberRecord, OrganisationRole, keys};

impl Access {
    /// Returns the caller as a member of the organisation.
    pub(crate) async fn member(
        &self,
        caller: &Caller,
        organisation: &AccountName,
    ) -> Result<Option<MemberRecord>, AccessError> {
        let Some(user) = caller.user() else { return Ok(None) };
        self.user_now(caller).await?;
        let item = self.registry.get(keys::member(organisation, user)).await?;
        Ok(item.and_then(|item| item.record.as_member().cloned()))
    }

    /// Refuses everybody but the account itself, owners of the organisation, and administrators; and all of them where
    /// the account cannot be used.
    pub(crate) async fn require_manager(
        &self,
        caller: &Caller,
        name: &AccountName,
    ) -> Result<(), AccessError> {
        self.require_warden(caller, name).await?;
        self.require_active(name).await
    }

    /// Refuses the same, and nobody because the account is disabled: what it has left can be looked at and ended.
    pub(crate) async fn require_warden(
        &self,
        caller: &Caller,
        name: &AccountName,
    ) -> Result<(), AccessError> {
        let is_own = caller.user() == Some(name);
        if is_own {
            self.user_now(caller).await?;
        } else {
            let member = self.member(caller, name).await?;
            let is_owner = member.as_ref().is_some_and(|member| member.role == OrganisationRole::Owner);
            if !is_owner && !self.is_administrator(caller).await? {
                return Err(match member {
                    Some(_) => AccessError::forbidden("only an owner of the organisation may do that"),
                    None => AccessError::unknown(format!("account {name}")),
                });
            }
        }
        let account = self.account_item(name).await?.filter(|(_, account)| is_there(account));
        account.map(|_| ()).ok_or_else(|| AccessError::unknown(format!("account {name}")))
    }

    /// Refuses unless there is such an account, and it can be used.
    pub(crate) async fn require_active(&self, name: &AccountName) -> Result<(), AccessError> {
        let item = self.registry.get(keys::account(name)).await?;
        let visibility = item.as_ref().and_then(namespace_visibility);
        visibility.map(|_| ()).ok_or_else(|| AccessError::unknown(format!("account {name}")))
    }
}
