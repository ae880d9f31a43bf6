//! Bodies of uploads, before their bytes are hashed and stored.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt, stream};

use crate::ports::ByteStream;

/// Returns the body, or `None` if it has no bytes.
pub(crate) async fn unless_empty(mut body: ByteStream) -> Option<ByteStream> {
    loop {
        match body.next().await? {
            Ok(piece) if piece.is_empty() => {}
            first => return Some(stream::iter([first]).chain(body).boxed()),
        }
    }
}

/// Returns the body, and what keeps it beyond its end: whoever sent it has it until the work on its bytes is done, and may
/// have given it a place for so long.
pub(crate) fn kept(body: ByteStream) -> (ByteStream, Arc<Mutex<ByteStream>>) {
    let kept = Arc::new(Mutex::new(body));
    let body = Arc::clone(&kept);
    let pieces = stream::poll_fn(move |context| {
        body.lock().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(context)
    });
    (pieces.boxed(), kept)
}
