//! Many small writes in few transactions.

use super::Collector;
use crate::Error;
use crate::packing::pack;
use crate::ports::{Conflict, Write};

impl Collector {
    /// Writes each group all or nothing; returns which were written.
    ///
    /// As many as fit share a transaction. If something stands in its way, each group is tried by itself.
    pub(super) async fn batch(&self, groups: Vec<Vec<Write>>) -> Result<Vec<bool>, Error> {
        let mut written = Vec::with_capacity(groups.len());
        for batch in pack(groups, &[]) {
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

/// Returns whether what stands in the way is what this very group put there, whose reply was lost.
fn is_own(group: &[Write], conflict: &Conflict) -> bool {
    group.iter().any(|write| match (write, &conflict.found) {
        (Write::Put(item, _), Some(found)) => item.key == found.key && item.version == found.version,
        _ => false,
    })
}
