//! Whole blocks past the kernel's page cache, where the file system allows it.
//!
//! A layer is written once, and the cache would cost a second copy of it, the pages to hold it, and a long wait at the
//! end until the disk has them ([decision 19](../../../../docs/decisions/0019-direct-writes.md)).

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use bytes::Bytes;

/// As many bytes are written at once, at an offset that is a multiple of this.
pub(crate) const BLOCK_BYTES: usize = 1 << 20;

/// No disk asks that the memory be aligned to more (`open(2)`, `O_DIRECT`).
const ALIGNMENT_BYTES: usize = 4096;

#[cfg(target_os = "linux")]
const FLAGS: Option<u32> = Some(rustix::fs::OFlags::DIRECT.bits());
#[cfg(not(target_os = "linux"))]
const FLAGS: Option<u32> = None;

/// A file, and a block of memory from which the disk may take it.
pub(crate) struct Direct {
    file: File,
    memory: Vec<u8>,
    /// Where the aligned block begins.
    start: usize,
}

impl Direct {
    /// Opens a file that is there; `None` if it cannot be written in this way.
    pub(crate) fn open(path: &Path) -> Option<Self> {
        let flags = i32::try_from(FLAGS?).ok()?;
        let file = OpenOptions::new().write(true).custom_flags(flags).open(path).ok()?;
        let memory = vec![0; BLOCK_BYTES + ALIGNMENT_BYTES];
        let start = memory.as_ptr().align_offset(ALIGNMENT_BYTES);
        (start <= ALIGNMENT_BYTES).then_some(Self { file, memory, start })
    }

    /// Writes pieces that are one block together. Returns `false` if the file system does not take them so; then all
    /// of the block has to be written in another way.
    pub(crate) fn write(&mut self, pieces: &[Bytes], offset: u64) -> io::Result<bool> {
        let block = &mut self.memory[self.start..][..BLOCK_BYTES];
        let mut rest = &mut *block;
        for piece in pieces {
            let (head, tail) = rest.split_at_mut(piece.len());
            head.copy_from_slice(piece);
            rest = tail;
        }
        match self.file.write_all_at(block, offset) {
            Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(false),
            written => written.map(|()| true),
        }
    }
}
