//! Making things survive a power cut.

use std::fs::File;
use std::io;
use std::path::Path;

/// Makes the names in a folder durable: new files, renames and removals.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
