//! Items that end by themselves. DynamoDB takes them away by its TTL; elsewhere somebody has to.

use std::time::Duration;

use crate::Error;
use crate::ports::{Condition, Item, ItemScan, ItemStore, Key, Timestamp, TransactError, Write};
use crate::records::{Record, keys};

/// How long the audit log remembers.
pub const AUDIT: Duration = Duration::from_secs(400 * DAY_SECS);

/// How long an event that nobody took stays.
pub const EVENT: Duration = Duration::from_secs(14 * DAY_SECS);

const DAY_SECS: u64 = 24 * 60 * 60;
const DAY: Duration = Duration::from_secs(DAY_SECS);

/// How many items are read at once.
const PAGE: usize = 500;

/// The beginnings of the partitions that have such items; within the audit log and the outbox older ones come first.
const PREFIXES: [&str; 5] = ["AU#", "EV#", "J#", "K#", "TH#"];

/// Returns when the item may vanish; never, if somebody has to take it away.
pub fn ends(record: &Record) -> Option<Timestamp> {
    match record {
        Record::Event(event) => Some(event.at.after(EVENT)),
        Record::Used(used) => Some(used.until),
        // By then it is full again.
        Record::Bucket(bucket) => Some(bucket.at.after(DAY)),
        // Of a login that is over nobody wishes to be told.
        Record::Token(token) if token.kind.is_login() => token.expires,
        Record::Token(token) => token.expires.map(|expires| expires.after(DAY)),
        Record::ListedUntil(end) => Some(*end),
        Record::Audit(audit) => Some(audit.at.after(AUDIT)),
        _ => None,
    }
}

/// Takes away what has ended by now, and returns how many items that were.
///
/// The store's scan has to go in the order of keys.
pub async fn expire<S: ItemStore + ItemScan + ?Sized>(store: &S, now: Timestamp) -> Result<u64, Error> {
    let mut expired = 0;
    for prefix in PREFIXES {
        let mut after = Key::new(prefix, "");
        loop {
            let items = store.scan(Some(&after), PAGE).await?;
            let Some(last) = items.last() else { break };
            after = last.key.clone();
            let here: Vec<&Item> = items.iter().take_while(|item| item.key.pk.starts_with(prefix)).collect();
            let ended: Vec<&Item> = here
                .iter()
                .copied()
                .filter(|item| ends(&item.record).is_some_and(|end| end <= now))
                .collect();
            for item in &ended {
                expired += u64::from(take_away(store, item).await?);
            }
            let is_end = here.len() < items.len() || items.len() < PAGE;
            if is_end || (ended.is_empty() && prefix == "AU#") {
                break;
            }
        }
    }
    Ok(expired)
}

/// Returns whether it was still as it was read.
async fn take_away<S: ItemStore + ?Sized>(store: &S, item: &Item) -> Result<bool, Error> {
    let mut writes = vec![Write::Delete(item.key.clone(), Condition::Version(item.version.clone()))];
    if let (Record::Token(token), Some(id)) = (&item.record, item.key.pk.strip_prefix("K#")) {
        writes.push(Write::Delete(keys::token_listed(&token.owner, id), Condition::Always));
    }
    match store.transact(writes).await {
        Ok(()) => Ok(true),
        Err(TransactError::Conflict(_)) => Ok(false),
        Err(TransactError::Store(error)) => Err(error.into()),
    }
}
