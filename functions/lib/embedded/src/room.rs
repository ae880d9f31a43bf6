//! Whether the disk has room and can be written. A database that finds out in the middle of a commit has to be opened
//! anew, and cannot be read meanwhile, so commits end a little earlier.

use std::path::{Path, PathBuf};

use rustix::fs::StatVfsMountFlags;

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

    /// Returns why no commit may begin, if so. A disk that does not tell is tried.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        let disk = rustix::fs::statvfs(self.folder.as_ref()?).ok()?;
        if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
            return Some("the disk of the database is read-only");
        }
        let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
        (free_bytes < RESERVE_BYTES).then_some("the disk of the database is full")
    }
}
