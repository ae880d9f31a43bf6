//! Request bodies that end well: when the server stops, and when nobody wants the rest.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::{BodyDataStream, BodyExt, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use registry::http::{Body, BoxError};
use tokio::sync::watch;

/// How much of a refused body is still taken, so that the client reads the answer instead of a broken pipe.
const DRAINED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How long a client may send nothing in the middle of a body: then it is gone, and its upload free for another.
const IDLE_TIME: Duration = Duration::from_secs(60);

/// For how long.
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// Returns a body that breaks off when the server stops, so that an upload keeps what has arrived.
pub(crate) fn until_stop(body: Incoming, mut stopping: watch::Receiver<bool>) -> Body {
    if body.is_end_stream() {
        return body.map_err(BoxError::from).boxed_unsync();
    }
    let stop = Box::pin(async move {
        // The sender lives as long as the server.
        let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
    });
    let pieces = Some((Drained(Some(body.into_data_stream())), stop));
    let frames = futures_util::stream::unfold(pieces, |pieces| async move {
        let (mut pieces, mut stop) = pieces?;
        tokio::select! {
            biased;
            () = &mut stop => {
                pieces.forget();
                Some((Err(BoxError::from("the registry is stopping")), None))
            }
            piece = tokio::time::timeout(IDLE_TIME, pieces.next()) => match piece {
                Ok(piece) => match piece? {
                    Ok(bytes) => Some((Ok(Frame::data(bytes)), Some((pieces, stop)))),
                    Err(error) => Some((Err(BoxError::from(error)), None)),
                },
                Err(_) => {
                    pieces.forget();
                    Some((Err(BoxError::from("the client has fallen silent")), None))
                }
            }
        }
    });
    BodyExt::boxed_unsync(StreamBody::new(frames))
}

/// A body of which the rest is taken and thrown away when it is dropped too early.
struct Drained(Option<BodyDataStream<Incoming>>);

impl Drained {
    async fn next(&mut self) -> Option<Result<Bytes, hyper::Error>> {
        let piece = self.0.as_mut()?.next().await;
        if !matches!(piece, Some(Ok(_))) {
            self.0 = None;
        }
        piece
    }

    /// Takes no more of it.
    fn forget(&mut self) {
        self.0 = None;
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        let (Some(rest), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        runtime.spawn(tokio::time::timeout(DRAIN_TIME, drain(rest)));
    }
}

async fn drain(mut rest: BodyDataStream<Incoming>) {
    let mut left_bytes = DRAINED_BYTES_MAX;
    while let Some(Ok(piece)) = rest.next().await {
        match left_bytes.checked_sub(piece.len()) {
            Some(left) => left_bytes = left,
            None => break,
        }
    }
}
