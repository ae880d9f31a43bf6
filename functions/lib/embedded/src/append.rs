//! Bytes into a file: one task takes them from the network while a thread writes them.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::StreamExt;
use registry::ports::{AppendState, Appended, ByteStream, StoreError};
use tokio::sync::mpsc;

use crate::files::{beside, file_error};
use crate::sync;

/// As many bytes are written at once.
const BATCH_BYTES: usize = 512 * 1024;

/// How many batches may wait for the disk: the bound on the memory of one upload.
const WAITING_BATCHES: usize = 2;

/// After so many bytes the disk is told to begin, so that the last fsync is short however long the file.
const SYNC_EVERY_BYTES: u64 = 32 * 1024 * 1024;

/// Appends the body at `offset`; what comes after it in the file is overwritten.
pub(crate) async fn append(path: PathBuf, offset: u64, mut body: ByteStream) -> Result<Appended, StoreError> {
    let (batches, waiting) = mpsc::channel(WAITING_BATCHES);
    let write = tokio::spawn(beside({
        let path = path.clone();
        move || write_batches(&path, offset, waiting)
    }));
    let mut batch = Batch::default();
    let mut interrupted = None;
    while let Some(piece) = body.next().await {
        match piece {
            Ok(bytes) => batch.add(bytes),
            Err(error) => interrupted = Some(error),
        }
        // A closed channel means that the thread failed; its error is read below.
        if batch.size_bytes >= BATCH_BYTES && batches.send(std::mem::take(&mut batch)).await.is_err() {
            break;
        }
    }
    let _ = batches.send(batch).await;
    drop(batches);
    let written = write.await.unwrap_or_else(|error| Ok(Err(io::Error::other(error))))?;
    let size_bytes = written.map_err(|error| file_error(error, &path))?;
    Ok(Appended { state: AppendState { size_bytes, store: String::new() }, interrupted })
}

/// Writes a whole file, durably but for its name.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[derive(Default)]
struct Batch {
    pieces: Vec<Bytes>,
    size_bytes: usize,
}

impl Batch {
    fn add(&mut self, bytes: Bytes) {
        self.size_bytes += bytes.len();
        self.pieces.push(bytes);
    }
}

/// Returns how long the file is, all of it durable. After a failure the file is as long as it was.
fn write_batches(path: &Path, offset: u64, waiting: mpsc::Receiver<Batch>) -> io::Result<u64> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    if file.metadata()?.len() != offset {
        file.set_len(offset)?;
    }
    file.seek(SeekFrom::Start(offset))?;
    let written = write_durably(&mut file, path, offset, waiting);
    if written.is_err() {
        // A disk that was full gets its room back; the first error is the one to tell.
        let _ = file.set_len(offset);
    }
    written
}

fn write_durably(
    file: &mut File,
    path: &Path,
    offset: u64,
    mut waiting: mpsc::Receiver<Batch>,
) -> io::Result<u64> {
    let mut early = EarlySync::default();
    let mut end = offset;
    while let Some(batch) = waiting.blocking_recv() {
        write_pieces(file, &batch.pieces)?;
        end += batch.size_bytes as u64;
        early.wrote(file, batch.size_bytes as u64)?;
    }
    early.finish()?;
    file.sync_all()?;
    if offset == 0 {
        sync::folder(path.parent().unwrap_or(Path::new("/")))?;
    }
    Ok(end)
}

fn write_pieces(file: &mut File, pieces: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<io::IoSlice<'_>> = pieces.iter().map(|piece| io::IoSlice::new(piece)).collect();
    let mut slices = slices.as_mut_slice();
    while !slices.is_empty() {
        match file.write_vectored(slices) {
            Ok(0) if slices.iter().all(|slice| slice.is_empty()) => break,
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => io::IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
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
