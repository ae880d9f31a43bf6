//! Bytes out of a file: small ranges at once, large ones in large buffers read ahead.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use bytes::Bytes;
use futures_util::StreamExt;
use registry::ports::ByteStream;
use tokio::sync::mpsc;

/// Up to here a range is read where it is asked for: cheaper than handing it to a thread.
const AT_ONCE_BYTES: u64 = 64 * 1024;

/// As many bytes are read at once.
const BUFFER_BYTES: u64 = 512 * 1024;

/// How many buffers are read ahead: the bound on the memory of one download.
const BUFFERS_AHEAD: usize = 2;

/// Returns the bytes of the range, which must lie within the file.
pub(crate) fn stream(file: File, range: Range<u64>) -> io::Result<ByteStream> {
    if range.end - range.start <= AT_ONCE_BYTES {
        let bytes = read(&file, range)?;
        return Ok(futures_util::stream::iter([Ok(bytes)]).boxed());
    }
    let (buffers, ahead) = mpsc::channel(BUFFERS_AHEAD);
    tokio::task::spawn_blocking(move || read_ahead(&file, range, &buffers));
    let stream = futures_util::stream::unfold(ahead, |mut ahead| async move {
        let buffer = ahead.recv().await?;
        Some((buffer, ahead))
    });
    Ok(stream.boxed())
}

fn read_ahead(file: &File, range: Range<u64>, buffers: &mpsc::Sender<io::Result<Bytes>>) {
    let mut start = range.start;
    while start < range.end {
        let end = range.end.min(start + BUFFER_BYTES);
        let buffer = read(file, start..end);
        let is_last = buffer.is_err();
        // Nobody takes it when the client has gone away.
        if buffers.blocking_send(buffer).is_err() || is_last {
            break;
        }
        start = end;
    }
}

fn read(file: &File, range: Range<u64>) -> io::Result<Bytes> {
    let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    let mut buffer = vec![0; length];
    file.read_exact_at(&mut buffer, range.start)?;
    Ok(Bytes::from(buffer))
}
