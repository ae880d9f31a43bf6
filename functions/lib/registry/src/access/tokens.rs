//! Personal access tokens and robots: making, listing, revoking.

use std::collections::BTreeSet;
use std::time::Duration;

use oci::RepositoryName;
use serde::Serialize;

use crate::access::accounts::{Access, Found};
use crate::access::login::stored_caller;
use crate::access::policy::namespace_visibility;
use crate::access::token_lines::{LINES_READ, line};
use crate::access::{AccessError, AccountName, Address, Caller, Credential, Limits, RobotName, Scope};
use crate::ports::{Condition, Key, Version, Write};
use crate::records::{AuditOutcome, Record, TokenKind, TokenRecord, keys};
use crate::registry::ATTEMPTS;

/// How many tokens that can be used an account may have, beside its logins.
const TOKENS_MAX: usize = 1000;

/// How long a token may live at most, and lives if nothing else is said.
const LIFE_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const LIFE_USUAL: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How many scopes a token may have, and how long a pattern may be.
const SCOPES_MAX: usize = 50;
const PATTERN_MAX_CHARS: usize = 255;

/// A token that somebody wishes to make.
#[derive(Clone, Debug)]
pub struct TokenWanted {
    /// The robot that it is for; without one it is the caller's own.
    pub robot: Option<RobotName>,
    /// What it is for.
    pub label: String,
    /// How far it reaches; a robot has to have scopes.
    pub limits: Limits,
    /// How long it lives: a year at most, ninety days if nothing is said.
    pub life: Option<Duration>,
}

/// A token as it is listed: everything but the secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Its public part.
    pub id: String,
    /// What is stored of it.
    pub record: TokenRecord,
    /// Whether it can be used.
    pub state: TokenState,
}

/// Whether a token can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenState {
    /// It can.
    Good,
    /// Its time is over.
    Expired,
    /// What the login was made with was revoked, or the password was changed since.
    Revoked,
    /// The account is disabled.
    Disabled,
}

impl Access {
    /// Makes a token for the account, and returns the secret, which is stored nowhere.
    pub async fn token_create(
        &self,
        caller: &Caller,
        owner: &AccountName,
        wanted: TokenWanted,
    ) -> Result<(Token, Credential), AccessError> {
        self.require_manager(caller, owner).await?;
        check_limits(&wanted.limits)?;
        let kind = match wanted.robot {
            Some(_) if wanted.limits.is_none() => {
                return Err(AccessError::Invalid(
                    "a robot needs scopes: which repositories, and what there".to_owned(),
                ));
            }
            Some(robot) => {
                check_robot(owner, wanted.limits.scopes())?;
                TokenKind::Robot(robot)
            }
            // Acting for somebody else is for nobody, not even for administrators.
            None if caller.user() == Some(owner) => TokenKind::Personal,
            None => return Err(AccessError::forbidden("personal tokens are made by their owners alone")),
        };
        let life = wanted.life.unwrap_or(LIFE_USUAL);
        if life > LIFE_MAX || life.is_zero() {
            return Err(AccessError::Invalid("a token lives for a year at most".to_owned()));
        }
        if wanted.label.chars().count() > 100 || wanted.label.chars().any(char::is_control) {
            return Err(AccessError::Invalid(
                "a label has 100 characters at most, none of them a control character".to_owned(),
            ));
        }
        let now = self.registry.now();
        let credential = Credential::fresh(&kind, &*self.registry.stores.random);
        let record = TokenRecord {
            kind,
            owner: owner.clone(),
            label: wanted.label,
            sha256: credential.sha256(),
            limits: wanted.limits,
            created: now,
            created_by: caller.principal().as_str().to_owned(),
            expires: Some(now.after(life)),
            last_used: None,
        };
        for _ in 0..ATTEMPTS {
            let counted = self.require_few_tokens(owner).await?;
            if self.token_store(caller, &credential, record.clone(), Some(counted)).await? {
                let (id, state) = (credential.id().to_owned(), TokenState::Good);
                return Ok((Token { id, record, state }, credential));
            }
        }
        Err(AccessError::contended())
    }

    /// Refuses an account that has too many tokens; logins are none of them.
    ///
    /// Returns the write that has to come with the next one: of two who make one at the same moment, one finds the account
    /// changed, and counts again.
    async fn require_few_tokens(&self, owner: &AccountName) -> Result<Write, AccessError> {
        let usable = self.account_item(owner).await?.filter(|(item, _)| namespace_visibility(item).is_some());
        let (item, account) = usable.ok_or_else(|| AccessError::unknown(format!("account {owner}")))?;
        let now = self.registry.now();
        let is_live =
            |token: &TokenRecord| !token.kind.is_login() && token.expires.is_none_or(|expires| now < expires);
        let tokens = self.tokens_if_many(owner, TOKENS_MAX).await?;
        match tokens.iter().filter(|(_, token)| is_live(token)).count() < TOKENS_MAX {
            true => Ok(self.account_rewritten(&item, account)),
            false => Err(AccessError::Conflict(format!(
                "{owner} has {TOKENS_MAX} tokens, which is the most; revoke some first"
            ))),
        }
    }

    /// Stores a new credential, with its line in the list of its owner's; returns whether what was counted is so still.
    pub(crate) async fn token_store(
        &self,
        caller: &Caller,
        credential: &Credential,
        record: TokenRecord,
        counted: Option<Write>,
    ) -> Result<bool, AccessError> {
        let (owner, id) = (record.owner.clone(), credential.id());
        let version = Version::new(id);
        let put = |key, record| self.registry.put(key, version.clone(), record, Condition::Absent);
        let detail = format!("{} {}", kind_word(&record.kind), record.label);
        let record = Record::Token(Box::new(record));
        let mut writes = vec![
            put(keys::token_listed(&owner, id), line(&record)),
            put(keys::token(id), record),
            self.audit_write(
                caller,
                "token.create",
                &format!("{owner}/{id}"),
                AuditOutcome::Done,
                detail.trim_end(),
            ),
        ];
        writes.extend(counted);
        match self.registry.transact(writes).await? {
            None => Ok(true),
            // 64 random bits that were there already: that was this very write.
            Some(conflict) if conflict.found.as_ref().is_some_and(|item| item.version == version) => Ok(true),
            Some(conflict) if conflict.key == keys::account(&owner) => Ok(false),
            Some(_) => Err(AccessError::contended()),
        }
    }

    /// Lists the account's tokens and logins, as many as an account usually has.
    pub async fn token_list(&self, caller: &Caller, owner: &AccountName) -> Result<Vec<Token>, AccessError> {
        Ok(self.token_page(caller, owner, None, LINES_READ).await?.0)
    }

    /// Lists the account's tokens and logins beyond `after`. Returns also where the next page begins.
    pub async fn token_page(
        &self,
        caller: &Caller,
        owner: &AccountName,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Token>, Option<String>), AccessError> {
        self.require_warden(caller, owner).await?;
        let (ids, next) = self.tokens_listed(owner, after, limit).await?;
        let listed = ids.iter().map(|id| keys::token(id));
        let mut found = self.read(listed.chain([keys::account(owner)]).collect()).await?;
        let tokens = found.values().filter_map(|item| item.record.as_token());
        let sources: BTreeSet<Key> = tokens.filter_map(|token| token.kind.made_with()?.key()).collect();
        found.extend(self.read(sources).await?);
        let token = |id: String| {
            let record = found.get(&keys::token(&id))?.record.as_token()?.clone();
            let state = self.token_state(&id, &record, &found);
            Some(Token { id, record, state })
        };
        Ok((ids.into_iter().filter_map(token).collect(), next))
    }

    /// Returns whether a login with the token would succeed, from what was read.
    fn token_state(&self, id: &str, token: &TokenRecord, found: &Found) -> TokenState {
        let caller = stored_caller(id, token, &Address::default());
        match self.limits_now(&caller, found) {
            _ if !self.is_owner_active(token, found) => TokenState::Disabled,
            Some(_) => TokenState::Good,
            None if token.expires.is_some_and(|expires| expires <= self.registry.now()) => {
                TokenState::Expired
            }
            None => TokenState::Revoked,
        }
    }

    /// Revokes a token or login: from now on it opens nothing new, in seconds nothing can be written with what it was
    /// exchanged for, and read until that ends, five minutes later at most.
    pub async fn token_revoke(
        &self,
        caller: &Caller,
        owner: &AccountName,
        id: &str,
    ) -> Result<(), AccessError> {
        self.require_warden(caller, owner).await?;
        let item = self.registry.get(keys::token(id)).await?;
        let token =
            item.as_ref().and_then(|item| item.record.as_token()).filter(|token| token.owner == *owner);
        let token = token.ok_or_else(|| AccessError::unknown(format!("token {id}")))?;
        let detail = format!("{} {}", kind_word(&token.kind), token.label);
        let writes = vec![
            Write::Delete(keys::token(id), Condition::Always),
            Write::Delete(keys::token_listed(owner, id), Condition::Always),
            self.audit_write(
                caller,
                "token.revoke",
                &format!("{owner}/{id}"),
                AuditOutcome::Done,
                detail.trim_end(),
            ),
        ];
        self.registry.transact(writes).await?;
        Ok(())
    }

    /// Revokes everything that was made for the account.
    pub(crate) async fn tokens_revoke_all(&self, owner: &AccountName) -> Result<(), AccessError> {
        loop {
            let lines = self.token_lines(owner, None, LINES_READ).await?;
            if lines.is_empty() {
                return Ok(());
            }
            let ids: Vec<String> = lines.into_iter().map(|line| line.id).collect();
            self.tokens_end(owner, &ids).await?;
        }
    }
}

/// Refuses a robot's scopes that are about nothing in its account: it may do nothing else anywhere.
pub(crate) fn check_robot(account: &AccountName, scopes: &[Scope]) -> Result<(), AccessError> {
    let own = format!("{account}/");
    let is_outside =
        |scope: &&Scope| scope.repositories != account.as_str() && !can_begin(&scope.repositories, &own);
    match scopes.iter().find(is_outside) {
        None => Ok(()),
        Some(Scope { repositories, .. }) => Err(AccessError::Invalid(format!(
            "{repositories:?} is outside of {account}: a robot of {account} works in {account} and {account}/* alone"
        ))),
    }
}

/// Returns whether the pattern (`*`, `?`) stands for some text that begins so.
fn can_begin(pattern: &str, beginning: &str) -> bool {
    let Some(next) = beginning.chars().next() else { return true };
    let mut rest = pattern.chars();
    match rest.next() {
        // Whatever comes after it, it stands for the beginning itself.
        Some('*') => true,
        Some(char) if char == '?' || char == next => can_begin(rest.as_str(), &beginning[next.len_utf8()..]),
        _ => false,
    }
}

/// Refuses scopes that can match nothing, or too many of them.
pub(crate) fn check_limits(limits: &Limits) -> Result<(), AccessError> {
    let Limits::Scopes(scopes) = limits else { return Ok(()) };
    if scopes.is_empty() || scopes.len() > SCOPES_MAX {
        return Err(AccessError::Invalid(format!("a token has 1 to {SCOPES_MAX} scopes")));
    }
    for scope in scopes {
        let pattern = &scope.repositories;
        let example = pattern.replace(['*', '?'], "x");
        if pattern.len() > PATTERN_MAX_CHARS || example.parse::<RepositoryName>().is_err() {
            return Err(AccessError::Invalid(format!(
                "{pattern:?} can be no repository's name, nor a pattern of some"
            )));
        }
        if scope.permissions.is_empty() {
            return Err(AccessError::Invalid(format!("the scope of {pattern:?} permits nothing")));
        }
    }
    Ok(())
}

fn kind_word(kind: &TokenKind) -> &'static str {
    match kind {
        TokenKind::Personal => "personal",
        TokenKind::Robot(_) => "robot",
        TokenKind::Refresh { .. } => "login",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_robot_works_in_its_account_alone() {
        let check = |pattern: &str| {
            let scope = Scope { repositories: pattern.to_owned(), permissions: BTreeSet::new() };
            check_robot(&"team".parse().unwrap(), &[scope]).is_ok()
        };
        for inside in ["team", "team/app", "team/*", "*", "t*", "te?m/x", "*/app", "team/a?p*"] {
            assert!(check(inside), "{inside}");
        }
        for outside in ["other/app", "other/*", "teams/*", "tea", "team-x", "o*", "?team/*", "team2"] {
            assert!(!check(outside), "{outside}");
        }
    }
}
