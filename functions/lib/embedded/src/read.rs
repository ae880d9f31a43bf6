//! Bytes out of a file: small ranges at once, large ones in large buffers read ahead.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use registry::ports::ByteStream;
use rustix::fs::{Advice, fadvise};
use tokio::task::JoinHandle;

/// Up to here a range is read where it is asked for: cheaper than handing it to a thread.
const AT_ONCE_BYTES: u64 = 64 * 1024;

/// As many bytes are read at once.
const BUFFER_BYTES: u64 = 512 * 1024;

/// As far beyond what is read the disk is asked to read. By itself the kernel goes 128 KiB ahead, which leaves a disk
/// idle between two buffers: the first pull after a push comes from there.
const DISK_AHEAD_BYTES: u64 = 8 * 1024 * 1024;

/// Returns the bytes of the range, which must lie within the file.
///
/// While one buffer is sent the next one is read, by a thread that is held for no longer than that.
pub(crate) fn stream(file: File, range: Range<u64>) -> io::Result<ByteStream> {
    if range.end - range.start <= AT_ONCE_BYTES {
        let bytes = read(&file, range)?;
        return Ok(futures_util::stream::iter([Ok(bytes)]).boxed());
    }
    will_need(&file, range.start..range.end.min(range.start + DISK_AHEAD_BYTES));
    let ahead = Ahead::start(Arc::new(file), range);
    let stream = futures_util::stream::unfold(Some(ahead), |ahead| async move {
        let Ahead { file, rest, buffer } = ahead?;
        let buffer = buffer.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        let next = (buffer.is_ok() && !rest.is_empty()).then(|| Ahead::start(file, rest));
        Some((buffer, next))
    });
    Ok(stream.boxed())
}

/// A buffer that is being read, and what comes after it.
struct Ahead {
    file: Arc<File>,
    rest: Range<u64>,
    buffer: JoinHandle<io::Result<Bytes>>,
}

impl Ahead {
    fn start(file: Arc<File>, range: Range<u64>) -> Self {
        let end = range.end.min(range.start + BUFFER_BYTES);
        let reading = Arc::clone(&file);
        let soon = (range.start + DISK_AHEAD_BYTES).min(range.end)..(end + DISK_AHEAD_BYTES).min(range.end);
        let buffer = tokio::task::spawn_blocking(move || {
            will_need(&reading, soon);
            read(&reading, range.start..end)
        });
        Self { file, rest: end..range.end, buffer }
    }
}

/// Makes the disk read this into memory meanwhile. A hint: where it is not taken, reading only takes longer.
fn will_need(file: &File, range: Range<u64>) {
    if let Some(length) = NonZeroU64::new(range.end.saturating_sub(range.start)) {
        fadvise(file, range.start, Some(length), Advice::WillNeed).ok();
    }
}

fn read(file: &File, range: Range<u64>) -> io::Result<Bytes> {
    let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    let mut buffer = vec![0; length];
    file.read_exact_at(&mut buffer, range.start)?;
    Ok(Bytes::from(buffer))
}
