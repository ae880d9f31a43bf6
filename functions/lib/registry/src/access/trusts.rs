//! Logins with the identity token of an OIDC issuer, and the rules about them.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::access::accounts::Access;
use crate::access::caller::{Via, Who};
use crate::access::credentials::hex_sha256;
use crate::access::tokens::check_robot;
use crate::access::{
    AccessError, AccountName, Address, Caller, Identity, IdentityInvalid, RobotName, Scope, trust_rules,
};
use crate::ports::{Condition, Item, Query, Version, Write};
use crate::records::{AuditOutcome, Record, TrustRecord, UsedRecord, keys};

/// How many rules one issuer may have.
const TRUSTS_PER_ISSUER_MAX: usize = 500;

/// An identity token is remembered a little longer than it is good.
const USED_LONGER: Duration = Duration::from_secs(60 * 60);

/// An issuer's clock may be ahead of this one.
const SKEW: Duration = Duration::from_secs(30);

/// A rule that somebody wishes to make.
#[derive(Clone, Debug, PartialEq)]
pub struct TrustWanted {
    /// The issuer, exactly as in `iss`.
    pub issuer: String,
    /// What has to be in `aud`.
    pub audience: String,
    /// What other claims have to be.
    pub claims: BTreeMap<String, String>,
    /// The namespace of the robot.
    pub owner: AccountName,
    /// The robot.
    pub robot: RobotName,
    /// What it may do, in its namespace.
    pub scopes: Vec<Scope>,
}

/// A rule and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Trust {
    /// Its place among those of its owner.
    pub id: String,
    /// What it says.
    pub record: TrustRecord,
}

impl Access {
    /// Finds out as which robot an identity token is accepted. Each is accepted once.
    ///
    /// If several rules fit, the user name chooses by naming the robot; any other name has the oldest rule.
    pub(crate) async fn login_identity(
        &self,
        user: &str,
        token: &str,
        address: &Address,
    ) -> Result<Caller, AccessError> {
        let (issuer, rules) = self.trusts_of_issuer(token).await?;
        let identities = self.identities().ok_or(AccessError::Unauthorized)?;
        let identity = identities.verify(&issuer, token).await.map_err(|error| refused(&error))?;
        let now = self.registry.now();
        if now >= identity.expires || identity.not_before.is_some_and(|begin| now.after(SKEW) < begin) {
            return Err(AccessError::Unauthorized);
        }
        let (item, rule) = trust_rules::choose(&rules, &identity, user)?;
        self.use_up(token, &identity).await?;
        let via = vec![Via::trust(&hex_sha256(issuer.as_bytes()), &item.key.sk)];
        let caller = Caller {
            via,
            ..Caller::new(Who::Robot(rule.owner.clone(), rule.robot.clone()), address.clone())
        };
        let subject = identity.claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        self.audit(&caller, "login", subject, AuditOutcome::Done, &issuer).await;
        Ok(caller)
    }

    /// Reads, without believing it, whose token it is, and returns the rules about that issuer.
    async fn trusts_of_issuer(&self, token: &str) -> Result<(String, Vec<Item>), AccessError> {
        let claims = token.split('.').nth(1).and_then(|part| BASE64_URL_SAFE_NO_PAD.decode(part).ok());
        let claims = claims.and_then(|json| serde_json::from_slice::<Value>(&json).ok());
        let issuer = claims.as_ref().and_then(|claims| claims.get("iss")?.as_str());
        let issuer = issuer.ok_or(AccessError::Unauthorized)?.to_owned();
        let rules = self.rules_about(&hex_sha256(issuer.as_bytes())).await?;
        // Nobody can make this registry ask an issuer that no administrator named.
        if rules.is_empty() { Err(AccessError::Unauthorized) } else { Ok((issuer, rules)) }
    }

    async fn rules_about(&self, issuer: &str) -> Result<Vec<Item>, AccessError> {
        let pk = keys::trust_partition(issuer);
        let query = Query { pk, limit: TRUSTS_PER_ISSUER_MAX, ..Query::default() };
        Ok(self.registry.stores.items.query(query).await?)
    }

    async fn use_up(&self, token: &str, identity: &Identity) -> Result<(), AccessError> {
        let until = identity.expires.after(USED_LONGER);
        let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
        let key = keys::used(&hex_sha256(signed.as_bytes()));
        let (record, version) = (Record::Used(UsedRecord { until }), self.registry.fresh_version());
        let write = self.registry.put(key, version.clone(), record, Condition::Absent);
        match self.registry.transact(vec![write]).await? {
            None => Ok(()),
            // This very write, whose reply was lost.
            Some(conflict) if conflict.found.as_ref().is_some_and(|item| item.version == version) => Ok(()),
            Some(_) => Err(AccessError::Forbidden(
                "this identity token was used already; log in with a fresh one, and let the client keep the login".to_owned(),
            )),
        }
    }

    /// Makes a rule. Only administrators may: it lets others in.
    pub async fn trust_create(&self, caller: &Caller, wanted: TrustWanted) -> Result<Trust, AccessError> {
        self.require_administrator(caller).await?;
        trust_rules::check(&wanted)?;
        self.require_active(&wanted.owner).await?;
        check_robot(&wanted.owner, &wanted.scopes)?;
        let TrustWanted { issuer, audience, claims, owner, robot, scopes } = wanted;
        let record = TrustRecord {
            issuer,
            audience,
            claims,
            owner,
            robot,
            scopes,
            created: self.registry.now(),
            created_by: caller.who.to_string(),
        };
        let (issuer, id) = (hex_sha256(record.issuer.as_bytes()), self.registry.fresh_ulid().to_string());
        if self.rules_about(&issuer).await?.len() >= TRUSTS_PER_ISSUER_MAX {
            return Err(AccessError::Conflict(format!(
                "an issuer has {TRUSTS_PER_ISSUER_MAX} trusts at most; one with a pattern can stand for many"
            )));
        }
        let version = Version::new(id.clone());
        let target = format!("{}+{}", record.owner, record.robot);
        let writes = vec![
            self.registry.put(
                keys::trust(&issuer, &id),
                version.clone(),
                Record::Trust(Box::new(record.clone())),
                Condition::Absent,
            ),
            self.registry.put(
                keys::trust_listed(&record.owner, &issuer, &id),
                version,
                Record::Listed,
                Condition::Absent,
            ),
            self.audit_write(caller, "trust.create", &target, AuditOutcome::Done, &record.issuer),
        ];
        match self.registry.transact(writes).await? {
            None => Ok(Trust { id: format!("{issuer}.{id}"), record }),
            Some(_) => Err(AccessError::contended()),
        }
    }

    /// Lists the rules about an account's robots.
    pub async fn trust_list(&self, caller: &Caller, owner: &AccountName) -> Result<Vec<Trust>, AccessError> {
        self.require_manager(caller, owner).await?;
        let query = Query {
            pk: keys::account_partition(owner),
            prefix: keys::TRUSTS.to_owned(),
            limit: TRUSTS_PER_ISSUER_MAX,
            ..Query::default()
        };
        let listed = self.registry.stores.items.query(query).await?;
        let places = listed.iter().filter_map(|item| item.key.sk.strip_prefix(keys::TRUSTS)?.split_once('#'));
        let wanted = places.map(|(issuer, id)| keys::trust(issuer, id)).collect();
        let found = self.read(wanted).await?;
        let mut trusts: Vec<Trust> = found
            .into_iter()
            .filter_map(|(key, item)| {
                let issuer = key.pk.strip_prefix("I#")?;
                Some(Trust { id: format!("{issuer}.{}", key.sk), record: item.record.as_trust()?.clone() })
            })
            .collect();
        trusts.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(trusts)
    }

    /// Deletes a rule: what it let in makes no new access token, writes nothing within seconds, and reads until the access
    /// token that it has ends.
    pub async fn trust_delete(
        &self,
        caller: &Caller,
        owner: &AccountName,
        id: &str,
    ) -> Result<(), AccessError> {
        self.require_administrator(caller).await?;
        let unknown = || AccessError::unknown(format!("trust {id}"));
        let (issuer, ulid) = id.split_once('.').ok_or_else(unknown)?;
        let key = keys::trust(issuer, ulid);
        let item = self.registry.get(key.clone()).await?.ok_or_else(unknown)?;
        let trust = item.record.as_trust().filter(|trust| trust.owner == *owner).ok_or_else(unknown)?;
        let target = format!("{owner}+{}", trust.robot);
        let writes = vec![
            Write::Delete(key, Condition::Always),
            Write::Delete(keys::trust_listed(owner, issuer, ulid), Condition::Always),
            self.audit_write(caller, "trust.delete", &target, AuditOutcome::Done, &trust.issuer),
        ];
        self.registry.transact(writes).await?;
        Ok(())
    }
}

fn refused(error: &IdentityInvalid) -> AccessError {
    match error {
        IdentityInvalid::Signature => AccessError::Unauthorized,
        IdentityInvalid::Unreachable { .. } => {
            tracing::warn!(error = %error, "an identity token could not be checked");
            AccessError::IssuerUnavailable
        }
    }
}
