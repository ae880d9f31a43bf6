//! Who manages an account.

use crate::access::account_list::is_there;
use crate::access::accounts::Access;
use crate::access::policy::namespace_visibility;
use crate::access::refusals::Refusal;
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

    /// Refuses the same, and nobody because the account is disabled: what it has left can be looked at and ended. Whom it
    /// refuses is noted.
    pub(crate) async fn require_warden(
        &self,
        caller: &Caller,
        name: &AccountName,
    ) -> Result<(), AccessError> {
        let allowed = self.may_manage(caller, name).await;
        if matches!(allowed, Err(AccessError::Forbidden(_) | AccessError::Unknown(_)))
            && !caller.is_anonymous()
        {
            let (target, detail) = (name.to_string(), String::new());
            self.note_refusal(caller, &Refusal { action: "account.manage", target, detail }).await;
        }
        allowed?;
        let account = self.account_item(name).await?.filter(|(_, account)| is_there(account));
        account.map(|_| ()).ok_or_else(|| AccessError::unknown(format!("account {name}")))
    }

    pub(crate) async fn may_manage(&self, caller: &Caller, name: &AccountName) -> Result<(), AccessError> {
        if caller.user() == Some(name) {
            return self.user_now(caller).await.map(|_| ());
        }
        let member = self.member(caller, name).await?;
        let is_owner = member.as_ref().is_some_and(|member| member.role == OrganisationRole::Owner);
        match member {
            _ if is_owner || self.is_administrator(caller).await? => Ok(()),
            Some(_) => Err(AccessError::forbidden("only an owner of the organisation may do that")),
            None => Err(AccessError::unknown(format!("account {name}"))),
        }
    }

    /// Refuses unless there is such an account, and it can be used.
    pub(crate) async fn require_active(&self, name: &AccountName) -> Result<(), AccessError> {
        let item = self.registry.get(keys::account(name)).await?;
        let visibility = item.as_ref().and_then(namespace_visibility);
        visibility.map(|_| ()).ok_or_else(|| AccessError::unknown(format!("account {name}")))
    }
}
