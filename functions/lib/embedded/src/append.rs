//! Bytes into a file: while a thread writes one batch, the next one is taken from the network.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::mem;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::StreamExt;
use registry::ports::{AppendState, Appended, ByteStream, StoreError};
use tokio::task::JoinHandle;

use crate::direct::{BLOCK_BYTES, Direct};
use crate::files::{beside, file_error};
use crate::sync;

/// After so many bytes in the page cache the disk is told to begin, so that the last fsync is short however long the
/// file.
const SYNC_EVERY_BYTES: u64 = 32 * 1024 * 1024;

/// Appends the body at `offset`; what comes after it in the file is overwritten.
pub(crate) async fn append(path: PathBuf, offset: u64, mut body: ByteStream) -> Result<Appended, StoreError> {
    let opened = beside({
        let path = path.clone();
        move || Writer::open(path, offset)
    });
    let mut work = Work::Idle(opened.await?.map_err(|error| file_error(error, &path))?);
    let (mut batch, mut interrupted) = (Batch::before(offset), None);
    while let Some(piece) = body.next().await {
        match piece {
            Ok(bytes) => {
                for full in batch.push(bytes) {
                    let writer = work.wait(&path).await?;
                    work = writer.start(full);
                }
            }
            Err(error) => interrupted = Some(error),
        }
    }
    let writer = work.wait(&path).await?;
    let ended = beside(move || writer.write(&batch.pieces).and_then(Writer::end)).await?;
    let size_bytes = ended.map_err(|error| file_error(error, &path))?;
    Ok(Appended { state: AppendState { size_bytes, store: String::new() }, interrupted })
}

/// Writes a whole file, durably but for its name.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// What is written at once, by a thread that is held for no longer than that: up to the end of a block.
struct Batch {
    pieces: Vec<Bytes>,
    missing_bytes: usize,
}

impl Batch {
    fn before(offset: u64) -> Self {
        let block_bytes = BLOCK_BYTES as u64;
        let missing_bytes = usize::try_from(block_bytes - offset % block_bytes).unwrap_or(BLOCK_BYTES);
        Self { pieces: Vec::new(), missing_bytes }
    }

    /// Takes a piece; returns the batches that are full with it.
    fn push(&mut self, mut piece: Bytes) -> Vec<Vec<Bytes>> {
        let mut full = Vec::new();
        while piece.len() >= self.missing_bytes {
            self.pieces.push(piece.split_to(self.missing_bytes));
            full.push(mem::take(&mut self.pieces));
            self.missing_bytes = BLOCK_BYTES;
        }
        if !piece.is_empty() {
            self.missing_bytes -= piece.len();
            self.pieces.push(piece);
        }
        full
    }
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
    way: Way,
    is_ended: bool,
}

/// How whole blocks are written.
enum Way {
    /// None has come yet: a small file needs no more than one handle.
    Unknown,
    Direct(Direct),
    Cached(EarlySync),
}

impl Writer {
    fn open(path: PathBuf, offset: u64) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(offset == 0).truncate(false).open(&path)?;
        let length = file.metadata()?.len();
        if length < offset {
            let lost = format!("{length} bytes are left of {offset} acknowledged");
            return Err(io::Error::new(ErrorKind::InvalidData, lost));
        }
        if length > offset {
            file.set_len(offset)?;
        }
        Ok(Self { file, path, offset, end: offset, way: Way::Unknown, is_ended: false })
    }

    fn start(self, batch: Vec<Bytes>) -> Work {
        Work::Running(tokio::task::spawn_blocking(move || self.write(&batch)))
    }

    fn write(mut self, batch: &[Bytes]) -> io::Result<Self> {
        let batch_bytes: u64 = batch.iter().map(|piece| piece.len() as u64).sum();
        if batch_bytes < BLOCK_BYTES as u64 || !self.write_direct(batch)? {
            self.write_cached(batch, batch_bytes)?;
        }
        self.end += batch_bytes;
        Ok(self)
    }

    /// Returns whether the block could be written past the cache.
    fn write_direct(&mut self, block: &[Bytes]) -> io::Result<bool> {
        if matches!(self.way, Way::Unknown) {
            self.way = Direct::open(&self.path).map_or_else(Way::cached, Way::Direct);
        }
        let Way::Direct(direct) = &mut self.way else { return Ok(false) };
        let is_written = direct.write(block, self.end)?;
        if !is_written {
            self.way = Way::cached();
        }
        Ok(is_written)
    }

    fn write_cached(&mut self, batch: &[Bytes], batch_bytes: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        write_pieces(&mut self.file, batch)?;
        match &mut self.way {
            Way::Cached(early) => early.wrote(&self.file, batch_bytes),
            Way::Unknown | Way::Direct(_) => Ok(()),
        }
    }

    /// Makes all of it durable; returns how long the file is.
    fn end(mut self) -> io::Result<u64> {
        if let Way::Cached(early) = &mut self.way {
            early.finish()?;
        }
        self.file.sync_all()?;
        if self.offset == 0 {
            sync::name_of(&self.path)?;
        }
        self.is_ended = true;
        Ok(self.end)
    }
}

impl Way {
    fn cached() -> Self {
        Self::Cached(EarlySync::default())
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

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: u64 = BLOCK_BYTES as u64;

    fn noise(size_bytes: u64) -> Bytes {
        (0..size_bytes).map(|index| u8::try_from((index * index / 7 + index) % 251).unwrap()).collect()
    }

    /// Writes what comes after `offset` in pieces, and ends.
    fn write(mut writer: Writer, all: &Bytes, piece_bytes: usize) -> io::Result<u64> {
        let offset = writer.offset;
        let mut batch = Batch::before(offset);
        for piece in all[usize::try_from(offset).unwrap()..].chunks(piece_bytes) {
            for full in batch.push(Bytes::copy_from_slice(piece)) {
                writer = writer.write(&full)?;
            }
        }
        writer.write(&batch.pieces)?.end()
    }

    #[test]
    fn a_file_has_what_was_appended_in_whatever_pieces_and_on_whatever_way() {
        let folder = tempfile::tempdir().unwrap();
        let all = noise(3 * BLOCK + 5);
        let firsts = [0, 1, 4096, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 4];
        for (first, piece_bytes) in firsts.into_iter().flat_map(|first| [(first, 65_537), (first, 5 << 20)]) {
            for is_cached in [false, true] {
                let path = folder.path().join(format!("{first}-{piece_bytes}-{is_cached}"));
                let open = |offset| {
                    let mut writer = Writer::open(path.clone(), offset).unwrap();
                    writer.way = if is_cached { Way::cached() } else { Way::Unknown };
                    writer
                };
                let begun = all.slice(..usize::try_from(first).unwrap());
                assert_eq!(write(open(0), &begun, piece_bytes).unwrap(), first);
                assert_eq!(write(open(first), &all, piece_bytes).unwrap(), 3 * BLOCK + 5);
                assert!(std::fs::read(&path).unwrap() == all, "{first} {piece_bytes} {is_cached}");
            }
        }
    }

    #[test]
    fn whole_blocks_go_past_the_page_cache() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut writer = Writer::open(path.clone(), 0).unwrap();
        if Direct::open(&path).is_none() {
            return println!("SKIPPED: this file system has no direct writes");
        }
        writer = writer.write(&[noise(BLOCK)]).unwrap();
        assert!(matches!(writer.way, Way::Direct(_)));
        assert!(writer.write(&[noise(5)]).unwrap().end().is_ok());
    }

    #[test]
    fn what_is_dropped_before_its_end_leaves_the_file_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(Writer::open(path.clone(), 0).unwrap(), &noise(7), 7).unwrap();
        let writer = Writer::open(path.clone(), 7).unwrap();
        let writer = writer.write(&[noise(BLOCK - 7)]).unwrap().write(&[noise(BLOCK)]).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 2 * BLOCK);
        drop(writer);
        assert_eq!(std::fs::read(&path).unwrap(), noise(7));
    }
}
