//! The trace of refusals.
//!
//! A refusal takes no storage, so anybody could fill the log with them: a bucket for each caller holds how many are
//! noted. Where it is empty one entry says that there are more, until the next one fits in.

use oci::RepositoryName;

use crate::access::accounts::Access;
use crate::access::caller::Who;
use crate::access::throttle::{Measure, WHOLE};
use crate::access::{AccessError, Caller, Permission, Permissions};
use crate::ports::{Condition, Item, Key, Write};
use crate::records::{AuditOutcome, BucketRecord, Record, keys};
use crate::registry::ATTEMPTS;

const PER_CALLER: Measure = Measure { capacity: 60, refill_secs: 60 };

/// How many more repositories one entry names.
const NAMED_MAX: usize = 4;

/// What was refused.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) action: &'static str,
    pub(crate) target: String,
    pub(crate) detail: String,
}

impl Refusal {
    /// Returns what the token service refused of what was asked for, in one.
    pub(crate) fn of_scopes(refused: &[(RepositoryName, Permissions)]) -> Option<Self> {
        let ((target, permissions), others) = refused.split_first()?;
        let mut detail = format!("asked for a token: {}", words(permissions));
        for (name, permissions) in others.iter().take(NAMED_MAX) {
            detail.push_str(&format!("; {name}: {}", words(permissions)));
        }
        if let Some(more) = others.len().checked_sub(NAMED_MAX + 1) {
            detail.push_str(&format!("; and {} more", more + 1));
        }
        // Of pull and push it is the push that somebody was after.
        let action = permissions.last()?.as_str();
        Some(Self { action, target: target.to_string(), detail })
    }
}

fn words(permissions: &Permissions) -> String {
    permissions.iter().copied().map(Permission::as_str).collect::<Vec<_>>().join(", ")
}

impl Access {
    /// Notes that the caller was refused, as long as there are not too many of that.
    pub(crate) async fn note_refusal(&self, caller: &Caller, refusal: &Refusal) {
        if let Err(error) = self.try_note_refusal(caller, refusal).await {
            let Refusal { action, target, .. } = refusal;
            tracing::error!(actor = %caller.who, action, target, error = %error, "refusal not stored");
        }
    }

    async fn try_note_refusal(&self, caller: &Caller, refusal: &Refusal) -> Result<(), AccessError> {
        let key = bucket_of(caller);
        for _ in 0..ATTEMPTS {
            let item = self.registry.get(key.clone()).await?;
            let Some(writes) = self.refusal_writes(caller, refusal, &key, item.as_ref()) else {
                return Ok(());
            };
            if self.registry.transact(writes).await?.is_none() {
                return Ok(());
            }
        }
        Err(AccessError::contended())
    }

    /// Returns the entry with what it takes from the bucket; nothing, if that is empty and somebody has said so.
    fn refusal_writes(
        &self,
        caller: &Caller,
        refusal: &Refusal,
        key: &Key,
        item: Option<&Item>,
    ) -> Option<Vec<Write>> {
        let left = self.left_thousandths(PER_CALLER, item);
        let entry = |Refusal { action, target, detail }: &Refusal| {
            self.audit_write(caller, action, target, AuditOutcome::Refused, detail)
        };
        if left >= WHOLE {
            return Some(vec![self.bucket_write(key, left - WHOLE, item), entry(refusal)]);
        }
        let bucket = item.and_then(|item| item.record.as_bucket()).filter(|bucket| !bucket.is_noted)?;
        let noted = Record::Bucket(BucketRecord { is_noted: true, ..*bucket });
        let bucket_write =
            self.registry.put(key.clone(), self.registry.fresh_version(), noted, Condition::unchanged(item));
        let detail = "too many refusals: more are not noted before the next minute".to_owned();
        Some(vec![bucket_write, entry(&Refusal { detail, ..refusal.clone() })])
    }
}

fn bucket_of(caller: &Caller) -> Key {
    match &caller.who {
        Who::Anonymous | Who::Everybody => keys::attempts("refusal", caller.address.network().as_str()),
        who => keys::attempts("refusal", &who.to_string()),
    }
}
