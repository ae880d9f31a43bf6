//! Objects as files.

use std::fs::DirBuilder;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use registry::ports::{
    AppendState, Appended, ByteStream, KeptState, ObjectInfo, ObjectKey, ObjectScan, ObjectStore, StoreError,
    StoreErrorKind,
};

use crate::{append, read, sync};

/// What distinguishes an upload under way from an object.
const UPLOAD_SUFFIX: &str = ".upload";

/// How many folders the objects are spread over.
const SHARDS: u16 = 256;

/// The objects of a folder.
pub struct Files {
    pub(crate) folder: PathBuf,
}

impl Files {
    /// Opens the objects in `folder`, which has to exist.
    pub fn open(folder: &Path) -> io::Result<Self> {
        // Whoever reads it reads the images of all repositories.
        DirBuilder::new().recursive(true).mode(0o700).create(folder.join("data"))?;
        for shard in 0..SHARDS {
            std::fs::create_dir_all(folder.join(format!("data/{shard:02x}")))?;
        }
        sync::folder(&folder.join("data"))?;
        sync::folder(folder)?;
        sync::name_of(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Keys are made by the registry alone (`data/<shard>/<ulid>`), so they are paths that cannot lead elsewhere.
    pub(crate) fn object_path(&self, key: &ObjectKey) -> PathBuf {
        self.folder.join(key.as_str())
    }

    pub(crate) fn upload_path(&self, key: &ObjectKey) -> PathBuf {
        self.folder.join(format!("{key}{UPLOAD_SUFFIX}"))
    }
}

/// Returns whether the disk takes nothing: it has no room, or is read-only, as after an error of its own.
pub(crate) fn is_closed(error: &io::Error) -> bool {
    use ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge | ReadOnlyFilesystem)
}

pub(crate) fn file_error(error: io::Error, path: &Path) -> StoreError {
    let kind = match error.kind() {
        _ if is_closed(&error) => StoreErrorKind::Full,
        ErrorKind::InvalidData | ErrorKind::NotFound => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Unavailable,
    };
    StoreError::caused(kind, format!("file {}", path.display()), error)
}

/// Runs work that may wait for the disk beside the work that answers requests.
pub(crate) async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let ended = |error| StoreError::caused(StoreErrorKind::Unavailable, "a file task ended early", error);
    tokio::task::spawn_blocking(work).await.map_err(ended)
}

/// Returns `None` for what is not there.
pub(crate) fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Publishes the upload by one rename; an upload without bytes has no file yet.
fn publish(upload: &Path, object: &Path, size_bytes: u64) -> Result<(), StoreError> {
    if is_published(object, size_bytes)? {
        return Ok(());
    }
    match rename(upload, object, size_bytes) {
        // Somebody else has published it in between, or it was forgotten.
        Err(error) if error.kind() == ErrorKind::NotFound => match is_published(object, size_bytes)? {
            true => Ok(()),
            false => Err(missing(upload)),
        },
        renamed => renamed.map_err(|error| file_error(error, object)),
    }
}

/// Returns whether the object is there; one of another length is refused.
fn is_published(object: &Path, size_bytes: u64) -> Result<bool, StoreError> {
    match published_size(object)? {
        // Whoever renamed it may not have come to make that durable.
        Some(published) if published == size_bytes => {
            sync::name_of(object).map_err(|error| file_error(error, object)).map(|()| true)
        }
        Some(_) => Err(already_finished(object)),
        None => Ok(false),
    }
}

fn rename(upload: &Path, object: &Path, size_bytes: u64) -> io::Result<()> {
    let file =
        std::fs::OpenOptions::new().write(true).create(size_bytes == 0).truncate(false).open(upload)?;
    let length = file.metadata()?.len();
    if length < size_bytes {
        let lost = format!("{length} bytes are left of {size_bytes} acknowledged");
        return Err(io::Error::new(ErrorKind::InvalidData, lost));
    }
    if length > size_bytes {
        // Bytes that were never acknowledged.
        file.set_len(size_bytes)?;
        file.sync_all()?;
    }
    std::fs::rename(upload, object)?;
    sync::name_of(object)
}

fn published_size(object: &Path) -> Result<Option<u64>, StoreError> {
    let metadata = if_there(std::fs::metadata(object)).map_err(|error| file_error(error, object))?;
    Ok(metadata.map(|metadata| metadata.len()))
}

fn already_finished(object: &Path) -> StoreError {
    StoreError::new(StoreErrorKind::AlreadyFinished, format!("file {}", object.display()))
}

fn missing(upload: &Path) -> StoreError {
    StoreError::new(StoreErrorKind::AlreadyFinished, format!("file {} is missing", upload.display()))
}

#[async_trait]
impl ObjectStore for Files {
    async fn put(&self, key: &ObjectKey, bytes: Bytes) -> Result<(), StoreError> {
        let (upload, object) = (self.upload_path(key), self.object_path(key));
        let written = beside(move || {
            append::write_whole(&upload, &bytes).map_err(|error| file_error(error, &upload))?;
            publish(&upload, &object, bytes.len() as u64)
        });
        written.await?
    }

    async fn get(&self, key: &ObjectKey, range: Range<u64>) -> Result<Option<ByteStream>, StoreError> {
        let path = self.object_path(key);
        match if_there(std::fs::File::open(&path)).map_err(|error| file_error(error, &path))? {
            Some(file) => Ok(Some(read::stream(file, range).map_err(|error| file_error(error, &path))?)),
            None => Ok(None),
        }
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        published_size(&self.object_path(key))
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        let path = self.object_path(key);
        beside(move || match if_there(std::fs::remove_file(&path)).and_then(|_| sync::name_of(&path)) {
            Ok(()) => Ok(()),
            Err(error) => Err(file_error(error, &path)),
        })
        .await?
    }

    /// One process has the folder, and one request in it the upload: its places are nobody else's.
    async fn append(
        &self,
        key: &ObjectKey,
        kept: &mut dyn KeptState,
        body: ByteStream,
    ) -> Result<Appended, StoreError> {
        let object = self.object_path(key);
        if published_size(&object)?.is_some() {
            return Err(already_finished(&object));
        }
        append::append(self.upload_path(key), kept.state().size_bytes, body).await
    }

    async fn finish(
        &self,
        key: &ObjectKey,
        state: &AppendState,
        _kept: &mut dyn KeptState,
    ) -> Result<(), StoreError> {
        let (upload, object, size_bytes) = (self.upload_path(key), self.object_path(key), state.size_bytes);
        beside(move || publish(&upload, &object, size_bytes)).await?
    }

    /// The name goes at once; giving gigabytes back to the file system takes its time, and nobody waits for that.
    async fn abort(&self, key: &ObjectKey, _state: &AppendState) -> Result<(), StoreError> {
        let path = self.upload_path(key);
        let opened = if_there(std::fs::File::open(&path)).map_err(|error| file_error(error, &path))?;
        if_there(std::fs::remove_file(&path)).map_err(|error| file_error(error, &path))?;
        // The last handle frees the blocks.
        tokio::task::spawn_blocking(move || drop(opened));
        Ok(())
    }
}

#[async_trait]
impl ObjectScan for Files {
    async fn scan(&self) -> Result<Vec<ObjectInfo>, StoreError> {
        let folder = self.folder.clone();
        beside(move || list(&folder).map_err(|error| file_error(error, &folder))).await?
    }
}

fn list(folder: &Path) -> io::Result<Vec<ObjectInfo>> {
    let mut found = Vec::new();
    for shard in std::fs::read_dir(folder.join("data"))? {
        let shard = shard?;
        for entry in std::fs::read_dir(shard.path())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let key = name.strip_suffix(UPLOAD_SUFFIX).unwrap_or(&name);
            found.push(ObjectInfo {
                key: ObjectKey::stored(format!("data/{}/{key}", shard.file_name().to_string_lossy())),
                size_bytes: entry.metadata()?.len(),
                is_unfinished: name.ends_with(UPLOAD_SUFFIX),
            });
        }
    }
    Ok(found)
}
