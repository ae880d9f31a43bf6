//! Request bodies that end well: when the server stops, and when nobody wants the rest.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::{BodyDataStream, BodyExt, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use registry::http::{Body, BoxError};
use tokio::sync::watch;
use tokio::time::timeout;

/// How much of a refused body is still taken, so that the client reads the answer instead of a broken pipe.
const DRAINED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// For how long.
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// The end of bodies, as one request sees it.
pub(crate) struct Stop {
    stopping: watch::Receiver<bool>,
    has_interrupted: Arc<AtomicBool>,
}

impl Stop {
    pub(crate) fn new(stopping: watch::Receiver<bool>) -> Self {
        Self { stopping, has_interrupted: Arc::default() }
    }

    /// Returns whether the body was wanted and broke off because the server stops.
    pub(crate) fn has_interrupted(&self) -> bool {
        self.has_interrupted.load(Ordering::Relaxed)
    }

    /// Is over when bodies are to break off.
    fn signal(&self) -> impl Future<Output = ()> + use<> {
        let mut stopping = self.stopping.clone();
        async move {
            // The sender lives as long as the server.
            let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
        }
    }
}

/// Returns a body that breaks off when the server stops, so that an upload keeps what has arrived, and when the
/// client sends nothing for as long as `silence`.
pub(crate) fn until_stop(body: Incoming, stop: &Stop, silence: Duration) -> Body {
    if body.is_end_stream() {
        return body.map_err(BoxError::from).boxed_unsync();
    }
    let body = Stoppable {
        rest: Drained(Some(body.into_data_stream())),
        silence,
        stop: Box::pin(stop.signal()),
        has_interrupted: Arc::clone(&stop.has_interrupted),
    };
    let frames = futures_util::stream::unfold(Some(body), |body| async move { body?.step().await });
    BodyExt::boxed_unsync(StreamBody::new(frames))
}

struct Stoppable {
    rest: Drained,
    silence: Duration,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    has_interrupted: Arc<AtomicBool>,
}

impl Stoppable {
    /// Returns the next frame, and what comes after it unless it is an error.
    async fn step(mut self) -> Option<(Result<Frame<Bytes>, BoxError>, Option<Self>)> {
        let piece = tokio::select! {
            biased;
            () = &mut self.stop => {
                self.has_interrupted.store(true, Ordering::Relaxed);
                Err("the registry is stopping")
            }
            piece = timeout(self.silence, self.rest.next()) => piece.map_err(|_| "the client has fallen silent"),
        };
        match piece {
            Ok(None) => None,
            Ok(Some(Ok(bytes))) => Some((Ok(Frame::data(bytes)), Some(self))),
            Ok(Some(Err(error))) => Some((Err(error.into()), None)),
            Err(why) => {
                self.rest.forget();
                Some((Err(why.into()), None))
            }
        }
    }
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
        runtime.spawn(timeout(DRAIN_TIME, drain(rest)));
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
