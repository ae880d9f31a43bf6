//! The bodies that requests bring, and the bytes in them.

use std::convert::Infallible;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::StatusCode;
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use tokio::sync::Notify;

/// A body on its way.
pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

const BLOCK_BYTES: usize = 64 * 1024;

const FILE_BLOCK_BYTES: usize = 1 << 20;

/// How long curl and Go wait for `100 Continue` before they send the body anyway.
const INVITATION_TIMEOUT: Duration = Duration::from_secs(1);

/// What a request brings.
#[derive(Debug, Clone)]
pub(crate) enum Payload {
    /// No body, and no word about it.
    None,
    /// `Content-Length: 0`.
    Empty,
    /// Bytes with their length.
    Whole(Bytes),
    /// Bytes in chunks, without a length.
    Chunked(Bytes),
    /// Bytes that are made while they are sent, with their length.
    Noise(Noise),
    /// As before, so many bytes a second.
    Slow(Noise, u64),
    /// Bytes with their length, sent after `100 Continue` or a second.
    WhenInvited(Bytes),
    /// A file of this length. What cannot be read of it is not sent, so that the request fails.
    File(PathBuf, u64),
}

impl Payload {
    /// Returns the value of Content-Length; `None` if the request has none.
    pub(crate) fn length_bytes(&self) -> Option<u64> {
        match self {
            Self::None | Self::Chunked(_) => None,
            Self::Empty => Some(0),
            Self::Whole(bytes) | Self::WhenInvited(bytes) => Some(bytes.len() as u64),
            Self::Noise(noise) | Self::Slow(noise, _) => Some(noise.left_bytes),
            Self::File(_, size_bytes) => Some(*size_bytes),
        }
    }

    /// Returns the body to send.
    pub(crate) fn into_body(self, invitation: &Arc<Invitation>) -> Body {
        match self {
            Self::None | Self::Empty => Empty::new().boxed_unsync(),
            Self::Whole(bytes) => Full::new(bytes).boxed_unsync(),
            Self::Chunked(bytes) => streamed(stream::iter(blocks(bytes))),
            Self::Noise(noise) => streamed(stream::iter(noise)),
            Self::Slow(noise, bytes_per_second) => streamed(slowly(noise, bytes_per_second)),
            Self::File(path, _) => streamed(file_blocks(path)),
            Self::WhenInvited(bytes) => {
                let invitation = invitation.clone();
                streamed(stream::once(async move { invitation.wait().await }).map(move |()| bytes.clone()))
            }
        }
    }
}

fn streamed(blocks: impl stream::Stream<Item = Bytes> + Send + 'static) -> Body {
    StreamBody::new(blocks.map(|block| Ok(Frame::data(block)))).boxed_unsync()
}

/// Reads a file block by block, each beside the work of others.
fn file_blocks(path: PathBuf) -> impl stream::Stream<Item = Bytes> {
    let opened = async move { tokio::task::spawn_blocking(|| File::open(path).ok()).await.ok().flatten() };
    stream::once(opened).flat_map(|file| {
        stream::unfold(file, |file| async move {
            let mut file = file?;
            let read = tokio::task::spawn_blocking(move || {
                let mut block = Vec::with_capacity(FILE_BLOCK_BYTES);
                let read = file.by_ref().take(FILE_BLOCK_BYTES as u64).read_to_end(&mut block);
                read.ok().filter(|length| *length > 0).map(|_| (Bytes::from(block), Some(file)))
            });
            read.await.ok().flatten()
        })
    })
}

fn slowly(noise: Noise, bytes_per_second: u64) -> impl stream::Stream<Item = Bytes> {
    stream::iter(noise).then(move |block| async move {
        let seconds = block.len() as f64 / bytes_per_second as f64;
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        block
    })
}

fn blocks(mut bytes: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || {
        let block = bytes.split_to(bytes.len().min(BLOCK_BYTES));
        (!block.is_empty()).then_some(block)
    })
}

/// Whether the server has said `100 Continue`.
#[derive(Debug, Default)]
pub(crate) struct Invitation {
    is_given: AtomicBool,
    given: Notify,
}

impl Invitation {
    /// Takes note of an informational answer.
    pub(crate) fn note(&self, status: StatusCode) {
        if status == StatusCode::CONTINUE {
            self.is_given.store(true, Ordering::Release);
            self.given.notify_one();
        }
    }

    /// Returns whether it came.
    pub(crate) fn is_given(&self) -> bool {
        self.is_given.load(Ordering::Acquire)
    }

    async fn wait(&self) {
        // Without an invitation the body goes off uninvited.
        let _ = tokio::time::timeout(INVITATION_TIMEOUT, self.given.notified()).await;
    }
}

/// Bytes that nobody has pushed before and no compressor shrinks; a clone yields the same bytes.
#[derive(Debug, Clone)]
pub(crate) struct Noise {
    state: u64,
    left_bytes: u64,
}

impl Noise {
    /// Returns fresh noise of this size.
    pub(crate) fn new(size_bytes: u64) -> anyhow::Result<Self> {
        Ok(Self { state: getrandom::u64()?, left_bytes: size_bytes })
    }

    /// Returns fresh noise of this size, whole.
    pub(crate) fn bytes(size_bytes: usize) -> anyhow::Result<Bytes> {
        Ok(Self::new(size_bytes as u64)?.flatten().collect())
    }

    /// One step of splitmix64.
    fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

impl Iterator for Noise {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let size = usize::try_from(self.left_bytes).unwrap_or(usize::MAX).min(BLOCK_BYTES);
        let mut block = Vec::with_capacity(size + 8);
        while block.len() < size {
            block.extend_from_slice(&self.word().to_le_bytes());
        }
        block.truncate(size);
        self.left_bytes -= size as u64;
        (size > 0).then(|| block.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_its_size_and_is_the_same_for_a_clone_only() {
        let noise = Noise::new(BLOCK_BYTES as u64 + 13).unwrap();
        let once: Vec<u8> = noise.clone().flatten().collect();
        assert_eq!(once.len(), BLOCK_BYTES + 13);
        assert_eq!(once, noise.flatten().collect::<Vec<u8>>());
        assert_ne!(once, Noise::bytes(BLOCK_BYTES + 13).unwrap());
    }

    #[test]
    fn a_chunked_body_has_no_length() {
        let bytes = Bytes::from_static(b"abc");
        assert_eq!(Payload::Chunked(bytes.clone()).length_bytes(), None);
        assert_eq!(Payload::Whole(bytes).length_bytes(), Some(3));
        assert_eq!(Payload::Empty.length_bytes(), Some(0));
    }
}
