//! Bytes into a file: while a thread writes one batch, the next one is taken from the network.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::StreamExt;
use registry::ports::{AppendState, Appended, ByteStream, StoreError};
use tokio::task::JoinHandle;

use crate::files::{beside, file_error};
use crate::sync;

/// As many bytes are written at once, by a thread that is held for no longer than that.
const BATCH_BYTES: usize = 512 * 1024;

/// After so many bytes the disk is told to begin, so that the last fsync is short however long the file.
const SYNC_EVERY_BYTES: u64 = 32 * 1024 * 1024;

/// Appends the body at `offset`; what comes after it in the file is overwritten.
pub(crate) async fn append(path: PathBuf, offset: u64, mut body: ByteStream) -> Result<Appended, StoreError> {
    let opened = beside({
        let path = path.clone();
        move || Writer::open(path, offset)
    });
    let mut work = Work::Idle(opened.await?.map_err(|error| file_error(error, &path))?);
    let (mut batch, mut batch_bytes, mut interrupted) = (Vec::new(), 0, None);
    while let Some(piece) = body.next().await {
        match piece {
            Ok(bytes) => {
                batch_bytes += bytes.len();
                batch.push(bytes);
            }
            Err(error) => interrupted = Some(error),
        }
        if batch_bytes >= BATCH_BYTES {
            let writer = work.wait(&path).await?;
            work = writer.start(std::mem::take(&mut batch));
            batch_bytes = 0;
        }
    }
    let writer = work.wait(&path).await?;
    let ended = beside(move || writer.write(&batch).and_then(Writer::end)).await?;
    let size_bytes = ended.map_err(|error| file_error(error, &path))?;
    Ok(Appended { state: AppendState { size_bytes, store: String::new() }, interrupted })
}

/// Writes a whole file, durably but for its name.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A writer, here or in the thread that writes the batch before.
enum Work {
    Idle(Writer),
    Running(JoinHandle<io::Result<Writer>>),
}

impl Work {
    async fn wait(self, path: &Path) -> Result<Writer, StoreError> {
        let written = match self {
            Self::Idle(writer) => Ok(writer),
            Self::Running(thread) => thread.await.unwrap_or_else(|error| Err(io::Error::other(error))),
        };
        written.map_err(|error| file_error(error, path))
    }
}

/// A file that grows. When it fails or is dropped before its end, it is as long as it was.
struct Writer {
    file: File,
    path: PathBuf,
    offset: u64,
    end: u64,
    early: EarlySync,
    is_ended: bool,
}

impl Writer {
    fn open(path: PathBuf, offset: u64) -> io::Result<Self> {
        let mut file = OpenOptions::new().write(true).create(offset == 0).truncate(false).open(&path)?;
        let length = file.metadata()?.len();
        if length < offset {
            let lost = format!("{length} bytes are left of {offset} acknowledged");
            return Err(io::Error::new(ErrorKind::InvalidData, lost));
        }
        if length > offset {
            file.set_len(offset)?;
        }
        file.seek(SeekFrom::Start(offset))?;
        Ok(Self { file, path, offset, end: offset, early: EarlySync::default(), is_ended: false })
    }

    fn start(self, batch: Vec<Bytes>) -> Work {
        Work::Running(tokio::task::spawn_blocking(move || self.write(&batch)))
    }

    fn write(mut self, batch: &[Bytes]) -> io::Result<Self> {
        write_pieces(&mut self.file, batch)?;
        let batch_bytes = batch.iter().map(|piece| piece.len() as u64).sum();
        self.end += batch_bytes;
        self.early.wrote(&self.file, batch_bytes)?;
        Ok(self)
    }

    /// Makes all of it durable; returns how long the file is.
    fn end(mut self) -> io::Result<u64> {
        self.early.finish()?;
        self.file.sync_all()?;
        if self.offset == 0 {
            sync::folder(self.path.parent().unwrap_or(Path::new("/")))?;
        }
        self.is_ended = true;
        Ok(self.end)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.is_ended {
            // A disk that was full gets its room back; the first error is the one to tell.
            let _ = self.file.set_len(self.offset);
        }
    }
}

fn write_pieces(file: &mut File, pieces: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<io::IoSlice<'_>> = pieces.iter().map(|piece| io::IoSlice::new(piece)).collect();
    let mut slices = slices.as_mut_slice();
    while !slices.is_empty() {
        match file.write_vectored(slices) {
            Ok(0) if slices.iter().all(|slice| slice.is_empty()) => break,
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => io::IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Syncs beside the writing, one at a time.
#[derive(Default)]
struct EarlySync {
    unsynced_bytes: u64,
    running: Option<std::thread::JoinHandle<io::Result<()>>>,
}

impl EarlySync {
    fn wrote(&mut self, file: &File, bytes: u64) -> io::Result<()> {
        self.unsynced_bytes += bytes;
        let is_busy = self.running.as_ref().is_some_and(|thread| !thread.is_finished());
        if self.unsynced_bytes < SYNC_EVERY_BYTES || is_busy {
            return Ok(());
        }
        self.finish()?;
        self.unsynced_bytes = 0;
        let file = file.try_clone()?;
        self.running = Some(std::thread::spawn(move || file.sync_data()));
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        match self.running.take() {
            Some(thread) => thread.join().unwrap_or_else(|_| Err(io::Error::other("a sync thread panicked"))),
            None => Ok(()),
        }
    }
}
