//! Hashing bytes on their way, beside the work of moving them.

use bytes::Bytes;
use futures_util::StreamExt;
use oci::Hasher;
use tokio::sync::{mpsc, oneshot};

use crate::ports::ByteStream;

/// Up to here bytes are hashed where they pass; beyond, a thread of its own does it.
const INLINE_BYTES: usize = 256 * 1024;

/// How many pieces may wait for the thread: the bound on the memory of one upload.
const WAITING_PIECES: usize = 16;

/// Returns a stream of the same bytes, and what they hash to (added to `hasher`) once it has been read.
///
/// The hash covers exactly what the stream yielded.
pub(crate) fn hashed(body: ByteStream, hasher: Hasher) -> (ByteStream, oneshot::Receiver<Hasher>) {
    let (finished, hash) = oneshot::channel();
    let stage = Stage::Inline { hasher: Box::new(hasher), hashed_bytes: 0 };
    let stream = HashedStream { body, stage, finished: Some(finished) };
    (futures_util::stream::unfold(stream, HashedStream::step).boxed(), hash)
}

struct HashedStream {
    body: ByteStream,
    stage: Stage,
    finished: Option<oneshot::Sender<Hasher>>,
}

enum Stage {
    Inline { hasher: Box<Hasher>, hashed_bytes: usize },
    Thread { pieces: mpsc::Sender<Bytes>, hasher: tokio::task::JoinHandle<Hasher> },
    Done,
}

impl HashedStream {
    async fn step(mut self) -> Option<(std::io::Result<Bytes>, Self)> {
        match self.body.next().await {
            Some(Ok(piece)) => {
                self.stage = self.stage.update(&piece).await;
                Some((Ok(piece), self))
            }
            Some(Err(error)) => {
                self.finish().await;
                Some((Err(error), self))
            }
            None => {
                self.finish().await;
                None
            }
        }
    }

    async fn finish(&mut self) {
        let stage = std::mem::replace(&mut self.stage, Stage::Done);
        if let (Some(hasher), Some(finished)) = (stage.finish().await, self.finished.take()) {
            // Nobody listens any more when the append itself failed.
            let _ = finished.send(hasher);
        }
    }
}

impl Stage {
    async fn update(self, piece: &Bytes) -> Self {
        match self {
            Self::Inline { mut hasher, hashed_bytes } if hashed_bytes + piece.len() <= INLINE_BYTES => {
                hasher.update(piece);
                Self::Inline { hasher, hashed_bytes: hashed_bytes + piece.len() }
            }
            Self::Inline { hasher, .. } => Self::in_thread(*hasher).send(piece).await,
            Self::Thread { .. } => self.send(piece).await,
            Self::Done => Self::Done,
        }
    }

    fn in_thread(mut hasher: Hasher) -> Self {
        let (pieces, mut waiting) = mpsc::channel::<Bytes>(WAITING_PIECES);
        let hasher = tokio::task::spawn_blocking(move || {
            while let Some(piece) = waiting.blocking_recv() {
                hasher.update(&piece);
            }
            hasher
        });
        Self::Thread { pieces, hasher }
    }

    async fn send(self, piece: &Bytes) -> Self {
        if let Self::Thread { pieces, .. } = &self {
            // The thread ends only after the sender is gone; a lost piece shows as a missing hash.
            let _ = pieces.send(piece.clone()).await;
        }
        self
    }

    async fn finish(self) -> Option<Hasher> {
        match self {
            Self::Inline { hasher, .. } => Some(*hasher),
            Self::Thread { pieces, hasher } => {
                drop(pieces);
                hasher.await.ok()
            }
            Self::Done => None,
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
