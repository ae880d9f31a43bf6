//! Logins with the identity token of an OIDC issuer, and the rules about them.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::access::accounts::Access;
use crate::access::caller::{Via, Who};
use crate::access::credentials::hex_sha256;
use crate::access::{
    AccessError, AccountName, Address, Caller, Identity, IdentityInvalid, Limits, RobotName, Scope, matches,
};
use crate::ports::{Condition, Item, Query, Version, Write};
use crate::records::{AuditOutcome, Record, TrustRecord, UsedRecord, keys};

/// How many rules one issuer may have.
const TRUSTS_PER_ISSUER_MAX: usize = 500;

/// An identity token is remembered a little longer than it is good.
const USED_LONGER: Duration = Duration::from_secs(60 * 60);

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
    pub(crate) async fn login_identity(&self, token: &str, address: &Address) -> Result<Caller, AccessError> {
        let (issuer, rules) = self.trusts_of_issuer(token).await?;
        let identities = self.identities().ok_or(AccessError::Unauthorized)?;
        let identity = identities.verify(&issuer, token).await.map_err(|error| refused(&error))?;
        let now = self.registry.now();
        if now >= identity.expires || identity.not_before.is_some_and(|begin| now < begin) {
            return Err(AccessError::Unauthorized);
        }
        let rule = rules.iter().find(|item| item.record.as_trust().is_some_and(|rule| fits(rule, &identity)));
        let (item, rule) =
            rule.and_then(|item| Some((item, item.record.as_trust()?))).ok_or(AccessError::Unauthorized)?;
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
        let query = Query {
            pk: keys::trust_partition(&hex_sha256(issuer.as_bytes())),
            limit: TRUSTS_PER_ISSUER_MAX,
            ..Query::default()
        };
        let rules = self.registry.stores.items.query(query).await?;
        // Nobody can make this registry ask an issuer that no administrator named.
        if rules.is_empty() { Err(AccessError::Unauthorized) } else { Ok((issuer, rules)) }
    }

    async fn use_up(&self, token: &str, identity: &Identity) -> Result<(), AccessError> {
        let until = identity.expires.after(USED_LONGER);
        let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
        let key = keys::used(&hex_sha256(signed.as_bytes()));
        let record = Record::Used(UsedRecord { until });
        let write = self.registry.put(key, self.registry.fresh_version(), record, Condition::Absent);
        match self.registry.transact(vec![write]).await? {
            None => Ok(()),
            Some(_) => Err(AccessError::Forbidden(
                "this identity token was used already; log in with a fresh one, and let the client keep the login".to_owned(),
            )),
        }
    }

    /// Makes a rule. Only administrators may: it lets others in.
    pub async fn trust_create(&self, caller: &Caller, wanted: TrustWanted) -> Result<Trust, AccessError> {
        self.require_administrator(caller).await?;
        check(&wanted)?;
        self.require_active(&wanted.owner).await?;
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

    /// Deletes a rule; what it let in is out within seconds.
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
            AccessError::Forbidden(
                "the issuer of the identity token cannot be asked for its keys now; try again".to_owned(),
            )
        }
    }
}

fn fits(rule: &TrustRecord, identity: &Identity) -> bool {
    let is_claimed = |(name, pattern): (&String, &String)| match identity.claims.get(name) {
        Some(Value::String(text)) => matches(pattern, text),
        Some(Value::Bool(value)) => *pattern == value.to_string(),
        Some(Value::Number(number)) => *pattern == number.to_string(),
        _ => false,
    };
    identity.audiences.contains(&rule.audience) && rule.claims.iter().all(is_claimed)
}

fn check(wanted: &TrustWanted) -> Result<(), AccessError> {
    let refuse = |why: &str| Err(AccessError::Invalid(why.to_owned()));
    let host = wanted.issuer.strip_prefix("https://");
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    if host.is_none_or(str::is_empty) && !local.iter().any(|local| wanted.issuer.starts_with(local)) {
        return refuse("the issuer has to be an https:// address");
    }
    if wanted.issuer.contains(['?', '#', '@']) || wanted.issuer.len() > 512 {
        return refuse("the issuer has to be a plain address");
    }
    if wanted.audience.is_empty() || wanted.audience.len() > 256 {
        return refuse("the audience has to be given: the registry's own host name is the usual one");
    }
    // Every job of a public CI service has a token of the same issuer.
    if wanted.claims.values().all(|pattern| pattern.trim_matches(['*', '?']).is_empty()) {
        return refuse(
            "at least one claim has to be given, or everybody with an account at the issuer is let in",
        );
    }
    crate::access::tokens::check_limits(&Limits::Scopes(wanted.scopes.clone()))
}
