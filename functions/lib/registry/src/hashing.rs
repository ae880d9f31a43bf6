//! Hashing bytes on their way, beside the work of moving them.

use bytes::Bytes;
use futures_util::StreamExt;
use oci::Hasher;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::ports::ByteStream;

/// As many bytes are hashed at once, in a thread that is held for no longer than that.
const BATCH_BYTES: usize = 256 * 1024;

/// Returns a stream of the same bytes, and what they hash to (added to `hasher`) once it has been read.
///
/// The hash covers exactly what the stream yielded.
pub(crate) fn hashed(body: ByteStream, hasher: Hasher) -> (ByteStream, oneshot::Receiver<Hasher>) {
    let (finished, hash) = oneshot::channel();
    let hasher = Some(Work::Idle(Box::new(hasher)));
    let stream = HashedStream { body, hasher, batch: Vec::new(), batch_bytes: 0, finished: Some(finished) };
    (futures_util::stream::unfold(stream, HashedStream::step).boxed(), hash)
}

struct HashedStream {
    body: ByteStream,
    /// Nothing once a hashing thread has panicked: then there is no hash to tell.
    hasher: Option<Work>,
    batch: Vec<Bytes>,
    batch_bytes: usize,
    finished: Option<oneshot::Sender<Hasher>>,
}

/// A hasher, here or in the thread that hashes the batch before.
enum Work {
    Idle(Box<Hasher>),
    Running(JoinHandle<Box<Hasher>>),
}

impl Work {
    async fn wait(self) -> Option<Box<Hasher>> {
        match self {
            Self::Idle(hasher) => Some(hasher),
            Self::Running(thread) => thread.await.ok(),
        }
    }
}

impl HashedStream {
    async fn step(mut self) -> Option<(std::io::Result<Bytes>, Self)> {
        let piece = self.body.next().await;
        match &piece {
            Some(Ok(bytes)) => self.add(bytes.clone()).await,
            Some(Err(_)) | None => self.finish().await,
        }
        piece.map(|piece| (piece, self))
    }

    async fn add(&mut self, bytes: Bytes) {
        self.batch_bytes += bytes.len();
        self.batch.push(bytes);
        if self.batch_bytes < BATCH_BYTES {
            return;
        }
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        if let Some(work) = self.hasher.take() {
            self.hasher = work.wait().await.map(|mut hasher| {
                Work::Running(tokio::task::spawn_blocking(move || {
                    batch.iter().for_each(|bytes| hasher.update(bytes));
                    hasher
                }))
            });
        }
    }

    async fn finish(&mut self) {
        let (Some(work), Some(finished)) = (self.hasher.take(), self.finished.take()) else { return };
        if let Some(mut hasher) = work.wait().await {
            self.batch.iter().for_each(|bytes| hasher.update(bytes));
            // Nobody listens any more when the append itself failed.
            let _ = finished.send(*hasher);
        }
    }
}

#[cfg(test)]
mod tests {
    use oci::{Algorithm, Digest};

    use super::*;

    #[tokio::test]
    async fn the_hash_is_that_of_the_bytes_that_passed_however_they_are_cut() {
        let bytes: Vec<u8> = (0..700_000_u32).map(|number| (number % 251) as u8).collect();
        for piece_bytes in [1_000, 65_536, 300_000, 700_000] {
            let pieces: Vec<_> =
                bytes.chunks(piece_bytes).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
            let body = futures_util::stream::iter(pieces).boxed();
            let (stream, hash) = hashed(body, Hasher::new(Algorithm::Sha256));
            let passed: Vec<Bytes> = stream.map(|piece| piece.expect("no error")).collect().await;
            assert_eq!(passed.concat(), bytes);
            assert_eq!(hash.await.expect("hashed").finish(), Digest::of(Algorithm::Sha256, &bytes));
        }
    }
}
