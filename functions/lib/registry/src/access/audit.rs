//! The trace of what was done and refused.
//!
//! An entry that cannot be written never stops what it is about; it goes to the log then.

use crate::access::Caller;
use crate::access::accounts::Access;
use crate::ports::{Condition, Version, Write};
use crate::records::{AuditOutcome, AuditRecord, Record, keys};

/// What somebody does who shows a credential.
pub(super) const LOGIN: &str = "login";

/// Returns whether the entry stands with the logins that succeeded.
pub(super) fn is_login(record: &AuditRecord) -> bool {
    record.action == LOGIN && record.outcome == AuditOutcome::Done
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
        let key = match is_login(&record) {
            true => keys::audit_login(at, id),
            false => keys::audit(at, id),
        };
        self.registry.put(
            key,
            Version::new(id.to_string()),
            Record::Audit(Box::new(record)),
            Condition::Always,
        )
    }
}
