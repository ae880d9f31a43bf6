//! Files that may change while the server runs.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

/// How long a change may go unseen.
const INTERVAL: Duration = Duration::from_secs(2);

/// Some files, and how they were when they were looked at last.
pub(crate) struct Watch {
    files: Vec<PathBuf>,
    seen: Vec<Option<Look>>,
}

/// What is different when a file was written or replaced.
type Look = (i64, i64, u64, u64);

impl Watch {
    /// Looks at the files; whoever reads them then misses no change.
    pub(crate) fn new(files: Vec<PathBuf>) -> Self {
        Self { seen: look(&files), files }
    }

    /// Returns whether one of them has changed since this was asked last.
    pub(crate) fn has_changed(&mut self) -> bool {
        let seen = std::mem::replace(&mut self.seen, look(&self.files));
        seen != self.seen
    }

    /// Calls `changed` after each change, for ever.
    pub(crate) async fn run(mut self, mut changed: impl FnMut()) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            if self.has_changed() {
                changed();
            }
        }
    }
}

fn look(files: &[PathBuf]) -> Vec<Option<Look>> {
    let look = |file: &PathBuf| {
        let file = std::fs::metadata(file).ok()?;
        Some((file.mtime(), file.mtime_nsec(), file.ino(), file.size()))
    };
    files.iter().map(look).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_seen_once() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
        std::fs::write(&first, "1").unwrap();
        let mut watch = Watch::new(vec![first.clone(), second.clone()]);
        assert!(!watch.has_changed());
        std::fs::write(&second, "1").unwrap();
        assert!(watch.has_changed());
        assert!(!watch.has_changed());
        std::fs::rename(&second, &first).unwrap();
        assert!(watch.has_changed());
        assert!(!watch.has_changed());
    }
}
