//! Many writes in few transactions, none of which is too large for a store.

use std::collections::HashSet;

use crate::ports::{Key, TRANSACT_BYTES_MAX, TRANSACT_WRITES_MAX, Write};

/// A transaction that is being filled.
#[derive(Default)]
struct Load {
    keys: HashSet<Key>,
    writes: usize,
    bytes: usize,
}

impl Load {
    fn of(writes: &[Write]) -> Self {
        let mut load = Self::default();
        load.add(writes, bytes_of(writes));
        load
    }

    fn add(&mut self, writes: &[Write], bytes: usize) {
        self.keys.extend(writes.iter().map(|write| write.key().clone()));
        self.writes += writes.len();
        self.bytes += bytes;
    }

    /// No item may occur twice in a transaction.
    fn has_room_for(&self, writes: &[Write], bytes: usize) -> bool {
        self.writes + writes.len() <= TRANSACT_WRITES_MAX
            && self.bytes + bytes <= TRANSACT_BYTES_MAX
            && writes.iter().all(|write| !self.keys.contains(write.key()))
    }
}

fn bytes_of(writes: &[Write]) -> usize {
    writes.iter().map(Write::size_bytes).sum()
}

/// Returns whether one transaction holds these writes.
pub(crate) fn fits(writes: &[Write]) -> bool {
    writes.len() <= TRANSACT_WRITES_MAX && bytes_of(writes) <= TRANSACT_BYTES_MAX
}

/// Packs groups of writes, in their order, into transactions that have room for `beside`, too; no group is torn.
pub(crate) fn pack(groups: Vec<Vec<Write>>, beside: &[Write]) -> Vec<Vec<Vec<Write>>> {
    let mut packed: Vec<Vec<Vec<Write>>> = Vec::new();
    let mut load = Load::default();
    for group in groups {
        let bytes = bytes_of(&group);
        match packed.last_mut().filter(|_| load.has_room_for(&group, bytes)) {
            Some(transaction) => {
                load.add(&group, bytes);
                transaction.push(group);
            }
            None => {
                load = Load::of(beside);
                load.add(&group, bytes);
                packed.push(vec![group]);
            }
        }
    }
    packed
}

/// Splits writes, in their order, into transactions, each of which has `beside` at its end.
pub(crate) fn split(writes: &[Write], beside: &[Write]) -> Vec<Vec<Write>> {
    let singles = writes.iter().map(|write| vec![write.clone()]).collect();
    let transactions = pack(singles, beside).into_iter();
    transactions.map(|singles| [singles.concat().as_slice(), beside].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{Condition, Item, Timestamp, Version};
    use crate::records::{EdgeRecord, Record};

    /// Returns a write of so many bytes, more than the least that a write can have.
    fn write(number: usize, size_bytes: usize) -> Write {
        let of = |by: String| {
            let edge = EdgeRecord { since: Timestamp::from_millis(7), by, left: None };
            let key = Key::new("p", format!("{number:03}"));
            Write::Put(
                Item { key, version: Version::new("1"), record: Record::Edge(edge) },
                Condition::Always,
            )
        };
        // A text of more than 64 KiB has a length of as many digits as any other of these.
        let least = of("x".repeat(70_000)).size_bytes() - 70_000;
        of("x".repeat(size_bytes - least))
    }

    fn small(number: usize) -> Write {
        Write::Delete(Key::new("p", format!("{number:03}")), Condition::Always)
    }

    fn sizes(transactions: &[Vec<Write>]) -> Vec<usize> {
        transactions.iter().map(Vec::len).collect()
    }

    #[test]
    fn a_transaction_has_as_many_writes_as_a_store_takes_and_no_more() {
        const MAX: usize = TRANSACT_WRITES_MAX;
        for (count, expected) in [(MAX - 1, vec![MAX - 1]), (MAX, vec![MAX]), (MAX + 1, vec![MAX, 1])] {
            let writes: Vec<Write> = (0..count).map(small).collect();
            assert_eq!(sizes(&split(&writes, &[])), expected);
            assert_eq!(fits(&writes), expected.len() == 1);
        }
        let writes: Vec<Write> = (0..MAX).map(small).collect();
        assert_eq!(sizes(&split(&writes, &[small(MAX)])), [MAX, 2]);
    }

    #[test]
    fn a_transaction_has_as_many_bytes_as_a_store_takes_and_no_more() {
        const TENTH: usize = TRANSACT_BYTES_MAX / 10;
        for (more, expected) in [(TENTH - 1, vec![10]), (TENTH, vec![10]), (TENTH + 1, vec![9, 1])] {
            let writes: Vec<Write> =
                (0..9).map(|number| write(number, TENTH)).chain([write(9, more)]).collect();
            assert_eq!(bytes_of(&writes), 9 * TENTH + more);
            assert_eq!(sizes(&split(&writes, &[])), expected, "{more}");
            assert_eq!(fits(&writes), expected.len() == 1, "{more}");
        }
        let writes: Vec<Write> = (0..10).map(|number| write(number, TENTH)).collect();
        assert_eq!(sizes(&split(&writes, &[small(10)])), [10, 2]);
    }

    #[test]
    fn no_group_is_torn_and_no_item_is_written_twice_at_once() {
        let groups: Vec<Vec<Write>> =
            (0..40).map(|group| (0..4).map(|n| small(group * 4 + n)).collect()).collect();
        let packed = pack(groups.clone(), &[small(999)]);
        assert_eq!(packed.iter().map(Vec::len).collect::<Vec<_>>(), [24, 16]);
        assert_eq!(packed.concat(), groups);
        assert_eq!(sizes(&split(&[small(1), small(2), small(1)], &[])), [2, 1]);
    }
}
