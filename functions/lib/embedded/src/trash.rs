//! Collected blobs, kept for some days under their digest.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use registry::ports::{ByteStream, ObjectKey, StoreError, Trash};
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use crate::files::{Files, beside, file_error, if_there};
use crate::{read, sync};

const FOLDER: &str = "trash";

/// What was thrown away for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Emptied {
    /// How many blobs.
    pub blobs: u64,
    /// How many bytes they had.
    pub size_bytes: u64,
}

impl Files {
    fn trash(&self) -> PathBuf {
        self.folder.join(FOLDER)
    }

    /// Returns where the bytes of a collected blob are, the latest if there are several.
    fn trashed(&self, digest: &oci::Digest) -> io::Result<Option<PathBuf>> {
        let mut days = days(&self.trash())?;
        days.sort();
        let paths = days.into_iter().rev().map(|(_, day)| day.join(file_name(digest)));
        Ok(paths.into_iter().find(|path| path.is_file()))
    }

    /// Returns length and bytes of a collected blob.
    pub fn read_trashed(&self, digest: &oci::Digest) -> io::Result<Option<(u64, ByteStream)>> {
        let Some(path) = self.trashed(digest)? else { return Ok(None) };
        let file = std::fs::File::open(path)?;
        let size_bytes = file.metadata()?.len();
        Ok(Some((size_bytes, read::stream(file, 0..size_bytes)?)))
    }

    /// Throws away for good what was collected more than so many days ago; with 0, everything.
    pub fn empty_trash(&self, days_kept: u16) -> io::Result<Emptied> {
        let (today, mut emptied) = (OffsetDateTime::now_utc().date(), Emptied::default());
        for (day, folder) in days(&self.trash())? {
            if days_kept > 0 && (today - day).whole_days() <= i64::from(days_kept) {
                continue;
            }
            // Somebody else may be emptying it, too.
            let Some(entries) = if_there(std::fs::read_dir(&folder))? else { continue };
            for entry in entries {
                let entry = entry?;
                let Some(metadata) = if_there(entry.metadata())? else { continue };
                if if_there(std::fs::remove_file(entry.path()))?.is_some() {
                    emptied.blobs += 1;
                    emptied.size_bytes += metadata.len();
                }
            }
            // Something may be thrown into the folder of today still, and around midnight into yesterday's.
            if (today - day).whole_days() > 1 {
                if_there(std::fs::remove_dir(&folder))?;
            }
        }
        Ok(emptied)
    }
}

#[async_trait]
impl Trash for Files {
    async fn discard(&self, key: &ObjectKey, digest: &oci::Digest) -> Result<(), StoreError> {
        let day = self.trash().join(OffsetDateTime::now_utc().date().to_string());
        let (object, thrown) = (self.object_path(key), day.join(file_name(digest)));
        beside(move || discard(&object, &day, &thrown).map_err(|error| file_error(error, &object))).await?
    }
}

fn discard(object: &Path, day: &Path, thrown: &Path) -> io::Result<()> {
    if !day.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(day)?;
        sync::name_of(day)?;
    }
    if if_there(std::fs::rename(object, thrown))?.is_some() {
        sync::name_of(thrown)?;
    }
    sync::name_of(object)
}

/// A colon is no character for every file system.
fn file_name(digest: &oci::Digest) -> String {
    digest.as_str().replace(':', "-")
}

/// Returns the folders of days; what else somebody put there is let be.
fn days(trash: &Path) -> io::Result<Vec<(Date, PathBuf)>> {
    let Some(entries) = if_there(std::fs::read_dir(trash))? else { return Ok(Vec::new()) };
    let mut days = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let date = Date::parse(&name.to_string_lossy(), format_description!("[year]-[month]-[day]"));
        days.extend(date.map(|date| (date, entry.path())));
    }
    Ok(days)
}
