//! Who shows a credential: a password, a stored token, an identity token, or an access token.

use std::time::Duration;

use secrecy::ExposeSecret;

use crate::access::accounts::{Access, Found};
use crate::access::caller::{Via, Who};
use crate::access::throttle::Buckets;
use crate::access::{AccessError, AccountName, Address, Caller, Credential, Secret, TokenInvalid, passwords};
use crate::ports::{Condition, Item};
use crate::records::{AccountState, AuditOutcome, Record, TokenKind, TokenRecord, keys};

/// How exactly it is known when a token was used last: noting it more often would cost a write for each use.
const LAST_USED_EXACT: Duration = Duration::from_secs(60 * 60);

/// How long after its end an access token still tells whose upload goes on.
const UPLOAD_GRACE_SECS: u64 = 24 * 60 * 60;

/// How far the clock of the process that made a token may be ahead of this one's.
const SKEW_SECS: u64 = 10;

impl Access {
    /// Finds out who shows user name and secret, as Basic authentication has them; a refusal is audited.
    pub async fn login(&self, user: &str, secret: &Secret, address: &Address) -> Result<Caller, AccessError> {
        let result = self.login_by_kind(user, secret, address).await;
        self.audit_login(user, address, &result).await;
        result
    }

    async fn audit_login(&self, user: &str, address: &Address, result: &Result<Caller, AccessError>) {
        if let Err(error) = result {
            // What was typed as a name may be a secret in the wrong field.
            let actor = user.parse::<AccountName>().map(|name| name.to_string()).unwrap_or_default();
            let stranger = Caller::anonymous(address.clone());
            // Of those that are throttled there is a trace already, one for all; the log has the others.
            let is_traced_elsewhere = matches!(
                error,
                AccessError::Registry(_) | AccessError::IssuerUnavailable | AccessError::Throttled { .. }
            );
            if !is_traced_elsewhere {
                self.audit(&stranger, "login", &actor, AuditOutcome::Refused, &error.to_string()).await;
            }
        }
    }

    async fn login_by_kind(
        &self,
        user: &str,
        secret: &Secret,
        address: &Address,
    ) -> Result<Caller, AccessError> {
        let text = secret.expose_secret();
        let result = if let Ok(credential) = text.parse::<Credential>() {
            self.login_credential(user, &credential, address).await
        } else if self.identities().is_some() && is_jwt(text) {
            self.login_identity(user, text, address).await
        } else {
            return self.login_password(user, secret, address).await;
        };
        match result {
            Ok(caller) => Ok(caller),
            Err(error) => Err(self.attempt_charge(user.parse().ok().as_ref(), address, error).await),
        }
    }

    async fn login_credential(
        &self,
        user: &str,
        credential: &Credential,
        address: &Address,
    ) -> Result<Caller, AccessError> {
        // A kept login is renewed and makes no others: who has it shall not outlive its revocation.
        if credential.is_login() {
            return Err(AccessError::Unauthorized);
        }
        let caller = self.login_stored(credential, address).await?;
        // A token under a wrong name is a mistake that somebody wants to know of.
        if caller.who.to_string() == user { Ok(caller) } else { Err(AccessError::Unauthorized) }
    }

    pub(crate) async fn login_password(
        &self,
        user: &str,
        secret: &Secret,
        address: &Address,
    ) -> Result<Caller, AccessError> {
        let name = user.parse::<AccountName>().ok();
        let buckets = Buckets::of(name.as_ref(), address);
        if let Some(name) = &name {
            self.first_administrator(name).await?;
        }
        let account = name.as_ref().map(keys::account);
        let (turn, found) = self.attempt_begin(&buckets, account.clone()).await?;
        let record = account.and_then(|key| found.get(&key)?.record.as_user());
        let record = record.filter(|user| user.state == AccountState::Active);
        let phc = record.and_then(|user| user.password.clone());
        let is_right = passwords::verify(&turn, secret, phc).await?;
        match name.filter(|_| is_right) {
            Some(name) => {
                self.attempt_return(&buckets).await;
                Ok(Caller::new(Who::User(name), address.clone()))
            }
            None => Err(AccessError::Unauthorized),
        }
    }

    /// Finds out whose login is renewed; that it is none is audited.
    pub async fn login_refresh(
        &self,
        credential: &Credential,
        address: &Address,
    ) -> Result<Caller, AccessError> {
        let result = match credential.is_login() {
            true => self.login_stored(credential, address).await,
            false => Err(AccessError::Unauthorized),
        };
        let error = match result {
            Ok(caller) => return Ok(caller),
            Err(error) => self.attempt_charge(None, address, error).await,
        };
        if matches!(error, AccessError::Unauthorized) {
            let stranger = Caller::anonymous(address.clone());
            self.audit(&stranger, "login", credential.id(), AuditOutcome::Refused, "stored credential").await;
        }
        Err(error)
    }

    /// Finds out whose stored credential this is.
    pub(crate) async fn login_stored(
        &self,
        credential: &Credential,
        address: &Address,
    ) -> Result<Caller, AccessError> {
        let item = self.registry.get(keys::token(credential.id())).await?;
        let token = item.as_ref().and_then(|item| item.record.as_token());
        let token = token.filter(|token| credential.is(&token.sha256)).ok_or(AccessError::Unauthorized)?;
        let caller = stored_caller(credential.id(), token, address);
        let mut wanted = caller.keys();
        wanted.insert(keys::account(&token.owner));
        let found = self.read(wanted).await?;
        if !self.is_owner_active(token, &found) || self.limits_now(&caller, &found).is_none() {
            return Err(AccessError::Unauthorized);
        }
        if let Some(item) = item.as_ref().filter(|_| self.options().notes_use) {
            self.note_use(item, token).await;
        }
        Ok(caller)
    }

    pub(crate) fn is_owner_active(&self, token: &TokenRecord, found: &Found) -> bool {
        let owner = found.get(&keys::account(&token.owner));
        owner.and_then(crate::access::policy::namespace_visibility).is_some()
    }

    /// That a token is used matters less than that it can be.
    async fn note_use(&self, item: &Item, token: &TokenRecord) {
        let now = self.registry.now();
        if token.last_used.is_some_and(|used| now < used.after(LAST_USED_EXACT)) {
            return;
        }
        let record = Record::Token(Box::new(TokenRecord { last_used: Some(now), ..token.clone() }));
        let seen = Condition::Version(item.version.clone());
        let write = self.registry.put(item.key.clone(), self.registry.fresh_version(), record, seen);
        if let Err(error) = self.registry.transact(vec![write]).await {
            tracing::warn!(error = %error, "the use of a token could not be noted");
        }
    }

    /// Finds out whose access token this is, without asking the store.
    ///
    /// One whose time is over still names its owner for a day, so that a long upload can go on.
    pub fn login_token(&self, token: &str, address: &Address) -> Result<Caller, TokenInvalid> {
        let claims = self.keys().verify(token)?;
        let now = self.registry.now().as_secs();
        let end = claims.exp.checked_add(UPLOAD_GRACE_SECS).ok_or(TokenInvalid::Invalid)?;
        if now + SKEW_SECS < claims.nbf || now >= end {
            return Err(TokenInvalid::Expired);
        }
        let who = Who::parse(&claims.sub).ok_or(TokenInvalid::Invalid)?;
        Ok(Caller {
            via: claims.via.clone(),
            is_expired: now >= claims.exp,
            token: Some(claims.into()),
            ..Caller::new(who, address.clone())
        })
    }
}

pub(crate) fn stored_caller(id: &str, token: &TokenRecord, address: &Address) -> Caller {
    let (who, made_with) = match &token.kind {
        TokenKind::Personal => (Who::User(token.owner.clone()), None),
        TokenKind::Robot(robot) => (Who::Robot(token.owner.clone(), robot.clone()), None),
        TokenKind::Refresh { made_with, robot: None } => (Who::User(token.owner.clone()), made_with.clone()),
        TokenKind::Refresh { made_with, robot: Some(robot) } => {
            (Who::Robot(token.owner.clone(), robot.clone()), made_with.clone())
        }
    };
    let via = [Some(Via::token(id)), made_with].into_iter().flatten().collect();
    Caller { via, ..Caller::new(who, address.clone()) }
}

/// Three parts with dots between them, the first of them a JSON object.
fn is_jwt(text: &str) -> bool {
    text.starts_with("eyJ") && text.split('.').count() == 3
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::access::{AccessOptions, KeyRing, UserChange, passwords::work};
    use crate::testing::{MemoryItems, MemoryObjects, SeededRandom, SetClock};
    use crate::{Lifetimes, Registry, Stores};

    async fn access() -> Access {
        let stores = Stores {
            items: Arc::new(MemoryItems::default()),
            objects: Arc::new(MemoryObjects::default()),
            clock: Arc::new(SetClock::default()),
            random: Arc::new(SeededRandom::new(1)),
            abilities: Default::default(),
        };
        let registry = Registry::new(stores, Lifetimes::default());
        let access =
            Access::new(registry, KeyRing::new("test", b"secret", &[]), AccessOptions::default(), None);
        let root = Caller::everybody(Address::default());
        for name in ["alice", "disabled", "deleted"] {
            let name = name.parse().unwrap();
            access.user_create(&root, &name, &"plum-Harbour-94-kettle".into(), false).await.unwrap();
        }
        let change = UserChange { is_disabled: Some(true), ..UserChange::default() };
        access.user_change(&root, &"disabled".parse().unwrap(), &change).await.unwrap();
        access.account_delete(&root, &"deleted".parse().unwrap()).await.unwrap();
        access
    }

    #[tokio::test]
    async fn a_wrong_login_costs_the_same_work_whoever_is_named() {
        let access = access().await;
        for user in ["alice", "nobody", "disabled", "deleted", "No Name", "", "team+robot", "slipway_pat_123"]
        {
            let guess = format!("a guess at {user:?}");
            let result = access.login(user, &guess.as_str().into(), &Address::default()).await;
            assert!(matches!(result, Err(AccessError::Unauthorized)), "{user:?}");
            assert_eq!(work::done_for(&guess), ["m=19456,t=2,p=1"], "{user:?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_password_costs_no_such_work() {
        let access = access().await;
        let personal = Credential::fresh(&TokenKind::Personal, &crate::ports::SystemRandom);
        let result = access.login("alice", &personal.reveal().into(), &Address::default()).await;
        assert!(matches!(result, Err(AccessError::Unauthorized)));
        assert!(work::done_for(personal.reveal()).is_empty());
    }
}
