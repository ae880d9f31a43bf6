//! The trace of what was done and refused.
//!
//! An entry that cannot be written never stops what it is about; it goes to the log then.

use crate::access::accounts::Access;
use crate::access::{AccessError, Caller};
use crate::ports::{Condition, Direction, Query, Timestamp, Version, Write};
use crate::records::{AuditOutcome, AuditRecord, Record, keys};

/// How many days are searched for a page at most.
const DAYS_MAX: u64 = 400;

/// An entry and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Its place in the log: later entries have greater ids.
    pub id: String,
    /// What it says.
    pub record: AuditRecord,
}

impl Access {
    /// Notes what the caller did, or was refused.
    pub async fn audit(
        &self,
        caller: &Caller,
        action: &str,
        target: &str,
        outcome: AuditOutcome,
        detail: &str,
    ) {
        let write = self.audit_write(caller, action, target, outcome, detail);
        if let Err(error) = self.registry.transact(vec![write]).await {
            tracing::error!(actor = %caller.who, action, target, ?outcome, error = %error, "audit entry not stored");
        }
    }

    /// Returns the entry as a part of the transaction that it is about.
    pub(crate) fn audit_write(
        &self,
        caller: &Caller,
        action: &str,
        target: &str,
        outcome: AuditOutcome,
        detail: &str,
    ) -> Write {
        let id = self.registry.fresh_ulid();
        let at = self.registry.now();
        let record = AuditRecord {
            at,
            actor: caller.who.to_string(),
            address: caller.address.as_str().to_owned(),
            action: action.to_owned(),
            target: target.to_owned(),
            outcome,
            detail: detail.to_owned(),
        };
        let key = keys::audit(at, id);
        self.registry.put(
            key,
            Version::new(id.to_string()),
            Record::Audit(Box::new(record)),
            Condition::Always,
        )
    }

    /// Lists entries, the latest first, from before the entry `before`; only administrators see them.
    pub async fn audit_list(
        &self,
        caller: &Caller,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, AccessError> {
        self.require_administrator(caller).await?;
        let mut entries = Vec::new();
        let mut day = match before {
            Some(id) => day_of(id)?,
            None => self.registry.now().day(),
        };
        let mut after = before.map(str::to_owned);
        for _ in 0..DAYS_MAX {
            let query = Query {
                pk: keys::audit_partition(day),
                after: after.take(),
                limit: limit - entries.len(),
                direction: Direction::Descending,
                ..Query::default()
            };
            let items = self.registry.stores.items.query(query).await?;
            entries.extend(items.into_iter().filter_map(|item| {
                Some(AuditEntry { id: item.key.sk.clone(), record: item.record.as_audit()?.clone() })
            }));
            if entries.len() >= limit || day == 0 {
                break;
            }
            day -= 1;
        }
        Ok(entries)
    }
}

fn day_of(id: &str) -> Result<u64, AccessError> {
    let id: ulid::Ulid =
        id.parse().map_err(|_| AccessError::Invalid(format!("{id:?} is no place in the log")))?;
    Ok(Timestamp::from_millis(id.timestamp_ms()).day())
}
