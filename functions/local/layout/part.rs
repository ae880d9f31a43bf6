//! Files on their way into a layout.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The right to write a layout; another process has none as long as this lives.
#[must_use]
pub(crate) struct Turn {
    _file: File,
}

impl Turn {
    /// Begins to write the layout in a folder; what others left that were killed goes.
    pub(super) fn begin(folder: &Path) -> Result<Self> {
        let path = folder.join(".lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.with_context(|| path.display().to_string())?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another export is at work in {}", folder.display()),
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| path.display().to_string()),
        }
        sweep(folder)?;
        Ok(Self { _file: file })
    }
}

fn sweep(folder: &Path) -> Result<()> {
    let entries = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten();
    let algorithms = entries(folder.join("blobs")).map(|entry| entry.path());
    for entry in algorithms.chain([folder.to_owned()]).flat_map(entries) {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(".part") {
            fs::remove_file(entry.path()).with_context(|| entry.path().display().to_string())?;
        }
    }
    Ok(())
}

/// A file that has not got its name yet; it goes unless it gets one.
pub(super) struct Part {
    pub(super) file: File,
    path: PathBuf,
}

impl Part {
    pub(super) fn begin(path: &Path) -> Result<Self> {
        let folder = path.parent().context("a file without a folder")?;
        fs::create_dir_all(folder)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let path = folder.join(format!(".{name}.part"));
        let file = File::create(&path).with_context(|| path.display().to_string())?;
        Ok(Self { file, path })
    }

    pub(super) fn publish(self, path: &Path) -> Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, path).with_context(|| path.display().to_string())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Once it has its name, it is not there any more.
        let _ = fs::remove_file(&self.path);
    }
}

/// Writes a file whole, in place of one that has its name.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut part = Part::begin(path)?;
    part.file.write_all(bytes)?;
    part.publish(path)
}
