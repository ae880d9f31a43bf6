//! Logins that clients keep in place of what they showed.
//!
//! Who showed a stored token keeps that token, which is as good: it can be shown again, has its own end and can be revoked.
//! A password opens more than it is kept for, and an identity token is accepted once, so these get a login instead.

use std::time::Duration;

use crate::access::accounts::Access;
use crate::access::caller::Who;
use crate::access::{AccessError, AccountName, Caller, Credential, Limits};
use crate::records::{TokenKind, TokenRecord};

/// How long a login by password lasts at most, however much it is used.
const PASSWORD_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How long what an OIDC issuer vouched for lasts.
const IDENTITY_LIFE: Duration = Duration::from_secs(15 * 60);

/// How many logins a user may have, and how many are kept when there are as many.
const LOGINS_MAX: usize = 1000;
const LOGINS_KEPT: usize = 900;

impl Access {
    /// Makes a credential that the client keeps in place of the one it showed, if it needs one.
    ///
    /// Where a user has too many, others end. Those of robots are not counted: they are over in a quarter of an hour, and
    /// ending one would end a push.
    pub async fn refresh_issue(
        &self,
        caller: &Caller,
        client: &str,
    ) -> Result<Option<Credential>, AccessError> {
        let (owner, robot, life) = match (&caller.who, caller.via.last()) {
            (Who::User(name), None) => (name, None, PASSWORD_LIFE),
            (Who::Robot(namespace, robot), Some(via)) if via.is_trust() => {
                (namespace, Some(robot.clone()), IDENTITY_LIFE)
            }
            _ => return Ok(None),
        };
        if robot.is_none() {
            self.logins_make_room(owner).await?;
        }
        let kind = TokenKind::Refresh { made_with: caller.via.last().cloned(), robot };
        let now = self.registry.now();
        let credential = Credential::fresh(&kind, &*self.registry.stores.random);
        let record = TokenRecord {
            kind,
            owner: owner.clone(),
            label: client.chars().filter(|c| !c.is_control()).take(64).collect(),
            sha256: credential.sha256(),
            limits: Limits::None,
            created: now,
            created_by: caller.who.to_string(),
            expires: Some(now.after(life)),
            last_used: None,
        };
        self.token_store(caller, &credential, record, None).await?;
        Ok(Some(credential))
    }

    /// Ends those logins of the user that were not used for longest, if there are too many. No client can help it that it
    /// logs in, so none is refused.
    async fn logins_make_room(&self, owner: &AccountName) -> Result<(), AccessError> {
        let mut logins = self.tokens_if_many(owner, LOGINS_MAX).await?;
        logins.retain(|(_, token)| matches!(token.kind, TokenKind::Refresh { robot: None, .. }));
        if logins.len() < LOGINS_MAX {
            return Ok(());
        }
        logins.sort_by_key(|(_, token)| token.last_used.unwrap_or(token.created));
        logins.truncate(logins.len() - LOGINS_KEPT);
        let ids: Vec<String> = logins.into_iter().map(|(id, _)| id).collect();
        self.tokens_end(owner, &ids).await
    }
}
