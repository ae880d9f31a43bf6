//! What is damaged, kept where the registry does not look, and never deleted.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use oci::{Algorithm, Digest};
use registry::jobs::repair::Quarantine;
use registry::ports::{ObjectKey, StoreError, Unreadable};

use crate::files::{Files, beside, file_error, if_there};
use crate::items::encode_key;
use crate::sync;

const FOLDER: &str = "quarantine";

impl Files {
    fn quarantine(&self) -> PathBuf {
        self.folder.join(FOLDER)
    }
}

/// A row may hold the hash of a password, so nobody else gets in.
fn make(folder: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        sync::name_of(folder)?;
    }
    Ok(())
}

fn take_file(from: &Path, folder: &Path) -> io::Result<()> {
    make(folder)?;
    let Some(name) = from.file_name() else { return Ok(()) };
    if if_there(std::fs::rename(from, folder.join(name)))?.is_some() {
        sync::folder(folder)?;
    }
    sync::name_of(from)
}

fn write_row(row: &Unreadable, folder: &Path) -> io::Result<()> {
    make(folder)?;
    let key = encode_key(&row.key);
    let file = folder.join(format!("item-{}", &Digest::of(Algorithm::Sha256, &key).hex()[..16]));
    std::fs::write(&file, [&key[..], b"\n", &row.bytes].concat())?;
    std::fs::File::open(&file)?.sync_all()?;
    sync::folder(folder)
}

#[async_trait]
impl Quarantine for Files {
    /// The file keeps its name.
    async fn take_object(&self, key: &ObjectKey) -> Result<(), StoreError> {
        let (object, upload, folder) = (self.object_path(key), self.upload_path(key), self.quarantine());
        let taken = beside(move || {
            let taken = take_file(&object, &folder).and_then(|()| take_file(&upload, &folder));
            taken.map_err(|error| file_error(error, &object))
        });
        taken.await?
    }

    /// The file holds the key, a line feed, and the bytes.
    async fn take_row(&self, row: &Unreadable) -> Result<(), StoreError> {
        let (row, folder) = (row.clone(), self.quarantine());
        beside(move || write_row(&row, &folder).map_err(|error| file_error(error, &folder))).await?
    }
}
