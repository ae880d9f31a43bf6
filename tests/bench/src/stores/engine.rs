//! The databases under comparison, behind what the item store needs of one.

use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum;
use slipway_bench::Result;

use crate::fjall_engine::FjallEngine;
use crate::redb_engine::RedbEngine;

/// A small transaction: a condition and the items to put when it holds.
pub(crate) struct Transact {
    /// The key that must exist, if any.
    pub(crate) must_exist: Option<Vec<u8>>,
    /// Keys and values.
    pub(crate) puts: Vec<(Vec<u8>, Vec<u8>)>,
}

/// One table of byte keys and values.
pub(crate) trait Engine: Send + Sync {
    /// Applies the transactions whose condition holds, in order, makes them durable with one commit, and
    /// returns which they were.
    fn commit(&self, group: &[Transact]) -> Result<Vec<bool>>;

    /// Returns the size of the value of `key`.
    fn get(&self, key: &[u8]) -> Result<Option<usize>>;

    /// Reads `limit` items in order from `start` on and returns how many there were.
    fn scan(&self, start: &[u8], limit: usize) -> Result<usize>;
}

/// A database and the way it commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// redb, one fsync a commit; a crash is repaired by walking the file.
    Redb,
    /// redb, two fsyncs a commit.
    RedbTwoPhase,
    /// redb, two fsyncs a commit and the allocator's state in each, so that a repair need not walk the file.
    RedbQuickRepair,
    /// fjall, `fdatasync` of its journal once a group.
    FjallData,
    /// fjall, `fsync` of its journal once a group.
    FjallAll,
    /// fjall, `fdatasync` once a group, and a memtable of 8 MiB instead of 64.
    FjallSmall,
    /// fjall, each thread for itself: one `fdatasync` a transaction, conditions not isolated.
    FjallUngrouped,
}

impl Kind {
    /// Returns whether one thread commits for all.
    pub(crate) fn is_grouped(self) -> bool {
        self != Self::FjallUngrouped
    }

    /// Opens (or creates) the database in `folder`.
    pub(crate) fn open(self, folder: &Path, cache_bytes: usize) -> Result<Arc<dyn Engine>> {
        Ok(match self {
            Self::Redb | Self::RedbTwoPhase | Self::RedbQuickRepair => {
                Arc::new(RedbEngine::open(self, folder, cache_bytes)?)
            }
            _ => Arc::new(FjallEngine::open(self, folder, cache_bytes)?),
        })
    }

    /// Returns the name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}
