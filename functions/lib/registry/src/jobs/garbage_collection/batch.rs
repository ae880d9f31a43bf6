//! Many small writes in few transactions.

use std::collections::HashSet;

use super::Collector;
use crate::Error;
use crate::ports::{Conflict, Key, TRANSACT_WRITES_MAX, Write};

impl Collector {
    /// Writes each group all or nothing; returns which were written.
    ///
    /// As many as fit share a transaction. If something stands in its way, each group is tried by itself.
    pub(super) async fn batch(&self, groups: Vec<Vec<Write>>) -> Result<Vec<bool>, Error> {
        let mut written = Vec::with_capacity(groups.len());
        for batch in batches(groups) {
            match self.registry.transact(batch.concat()).await? {
                None => written.extend(batch.iter().map(|_| true)),
                Some(conflict) if batch.len() == 1 => written.push(is_own(&batch.concat(), &conflict)),
                Some(_) => {
                    for group in batch {
                        let conflict = self.registry.transact(group.clone()).await?;
                        written.push(conflict.is_none_or(|conflict| is_own(&group, &conflict)));
                    }
                }
            }
        }
        Ok(written)
    }
}

/// Puts groups together, in their order; no item occurs twice in one transaction.
fn batches(groups: Vec<Vec<Write>>) -> Vec<Vec<Vec<Write>>> {
    let mut batches: Vec<Vec<Vec<Write>>> = Vec::new();
    let mut keys: HashSet<Key> = HashSet::new();
    for group in groups.into_iter() {
        let is_room = keys.len() + group.len() <= TRANSACT_WRITES_MAX;
        let is_free = group.iter().all(|write| !keys.contains(write.key()));
        if batches.is_empty() || !is_room || !is_free {
            batches.push(Vec::new());
            keys.clear();
        }
        keys.extend(group.iter().map(|write| write.key().clone()));
        if let Some(batch) = batches.last_mut() {
            batch.push(group);
        }
    }
    batches
}

/// Returns whether what stands in the way is what this very group put there, whose reply was lost.
fn is_own(group: &[Write], conflict: &Conflict) -> bool {
    group.iter().any(|write| match (write, &conflict.found) {
        (Write::Put(item, _), Some(found)) => item.key == found.key && item.version == found.version,
        _ => false,
    })
}
