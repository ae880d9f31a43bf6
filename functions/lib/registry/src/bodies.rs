//! Bodies of uploads, before their bytes are hashed and stored.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt, stream};

use crate::ports::ByteStream;

/// What a client sends to an upload.
pub struct UploadBody {
    /// Its bytes.
    pub bytes: ByteStream,
    /// How many they are, if that is known before they have come.
    pub size_bytes: Option<u64>,
}

impl UploadBody {
    /// Returns the body, or `None` if it has no bytes.
    pub(crate) async fn unless_empty(mut self) -> Option<Self> {
        loop {
            match self.bytes.next().await? {
                Ok(piece) if piece.is_empty() => {}
                first => {
                    let bytes = stream::iter([first]).chain(self.bytes).boxed();
                    return Some(Self { bytes, size_bytes: self.size_bytes });
                }
            }
        }
    }

    /// Returns the body, and what keeps it beyond its end: whoever sent it has it until the work on its bytes is done, and
    /// may have given it a place for so long.
    pub(crate) fn kept(self) -> (Self, Arc<Mutex<ByteStream>>) {
        let kept = Arc::new(Mutex::new(self.bytes));
        let body = Arc::clone(&kept);
        let pieces = stream::poll_fn(move |context| {
            body.lock().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(context)
        });
        (Self { bytes: pieces.boxed(), size_bytes: self.size_bytes }, kept)
    }
}
