//! Whether the disk has room. A database that runs out of it in the middle of a commit has to be opened anew, and
//! cannot be read meanwhile, so commits end a little earlier.

use std::path::{Path, PathBuf};

/// With less than this left the disk counts as full. It holds the largest group of transactions.
const RESERVE_BYTES: u64 = 64 * 1024 * 1024;

/// The room on a disk.
pub(crate) struct Room {
    folder: Option<PathBuf>,
}

impl Room {
    /// The room on the disk that has this folder.
    pub(crate) fn on_disk_of(folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()) }
    }

    /// Room without end, for tests that have no disk.
    #[cfg(test)]
    pub(crate) fn endless() -> Self {
        Self { folder: None }
    }

    /// Returns whether a commit may begin. A disk that does not tell is tried.
    pub(crate) fn is_enough(&self) -> bool {
        let Some(Ok(disk)) = self.folder.as_ref().map(rustix::fs::statvfs) else { return true };
        disk.f_bavail.saturating_mul(disk.f_frsize) >= RESERVE_BYTES
    }
}
