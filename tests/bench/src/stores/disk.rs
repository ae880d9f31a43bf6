//! Folders of databases: their size, copies, and a cold cache.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, fadvise};
use slipway_bench::Result;

/// Returns what the files in `folder` take on the disk.
pub(crate) fn used_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for file in files(folder)? {
        bytes += fs::metadata(file)?.blocks() * 512;
    }
    Ok(bytes)
}

/// Copies `folder` to `copy`, which must not exist.
pub(crate) fn copy(folder: &Path, copy: &Path) -> Result<()> {
    fs::create_dir_all(copy)?;
    for file in files(folder)? {
        let target = copy.join(file.strip_prefix(folder)?);
        fs::create_dir_all(target.parent().ok_or("no parent")?)?;
        fs::copy(&file, target)?;
    }
    Ok(())
}

/// Drops the files in `folder` from the kernel's page cache, as after a power cut.
pub(crate) fn make_cold(folder: &Path) -> Result<()> {
    for file in files(folder)? {
        let file = fs::File::open(file)?;
        // Only clean pages can be dropped.
        file.sync_all()?;
        fadvise(&file, 0, None, Advice::DontNeed)?;
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}
