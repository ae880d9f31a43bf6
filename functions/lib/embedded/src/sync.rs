//! Making things survive a power cut.

use std::fs::File;
use std::io;
use std::path::Path;

/// Makes the names in a folder durable: new files, renames and removals.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes the name of this file or folder durable.
pub(crate) fn name_of(path: &Path) -> io::Result<()> {
    folder(parent(path))
}

/// The parent of a path of one component is where the process works.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_a_folder_whose_names_can_be_made_durable() {
        for (path, expected) in
            [("/a/b", "/a"), ("/a", "/"), ("/", "/"), ("a/b", "a"), ("a", "."), ("./a", ".")]
        {
            assert_eq!(parent(Path::new(path)), Path::new(expected), "{path}");
        }
        assert!(name_of(Path::new("relative")).is_ok());
    }
}
