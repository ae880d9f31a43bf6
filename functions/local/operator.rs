//! The socket for whoever holds the data folder: commands ask a running registry there, whoever it asks for accounts.

use std::fs::{DirBuilder, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tokio::net::UnixListener;

/// Nobody else gets into this folder, so that nobody else reaches the socket.
const FOLDER: &str = "operator";
const FOLDER_MODE: u32 = 0o700;

/// Returns where the socket of this data folder is.
pub(crate) fn socket(data: &Path) -> PathBuf {
    data.join(FOLDER).join("socket")
}

/// Listens there. Whoever calls this holds the lock of the data folder, so that an older socket is nobody's.
pub(crate) fn listen(data: &Path) -> Result<UnixListener> {
    let socket = socket(data);
    let bound = || -> std::io::Result<UnixListener> {
        let folder = data.join(FOLDER);
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&folder)?;
        std::fs::set_permissions(&folder, Permissions::from_mode(FOLDER_MODE))?;
        match std::fs::remove_file(&socket) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => UnixListener::bind(&socket),
        }
    };
    bound().with_context(|| socket.display().to_string())
}

/// Removes it. One that is left is only believed while the data folder is in use.
pub(crate) fn forget(data: &Path) {
    // What stays is replaced by the next start.
    let _ = std::fs::remove_file(socket(data));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_else_reaches_the_socket_and_one_that_was_left_is_replaced() {
        let data = tempfile::tempdir().unwrap();
        std::fs::create_dir(data.path().join(FOLDER)).unwrap();
        for _ in 0..2 {
            listen(data.path()).unwrap();
            let mode = std::fs::metadata(data.path().join(FOLDER)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
        forget(data.path());
        assert!(!socket(data.path()).exists());
    }
}
