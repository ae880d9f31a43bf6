//! Room for appends: for so many at once, for so many of one client, and for none that is slow while others wait.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body::Frame;
use http_body_util::{BodyDataStream, BodyExt, StreamBody};
use registry::access::Address;
use registry::http::{Body, BoxError};
use registry::{Share, Shares};
use tokio::time::{Instant, timeout};

/// How many appends are under way at once; others wait. Each holds about 20 MB, and the container has 512 MB.
pub(crate) const APPENDS_MAX: usize = 12;

/// How many of one address or network of IPv6: clients send five or six layers at once, and nobody has all places.
pub(crate) const APPENDS_OF_ONE_MAX: usize = 6;

/// What a client has to send in a second, on average, if others wait for its place.
pub(crate) const PACE_BYTES: u64 = 16 * 1024;

/// How long a client may have sent less than that.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How long an append waits for a place. Nobody can tell whether a client that nothing is read from is still there, and
/// its upload is nobody else's meanwhile. With the 10 s that it may wait for the upload, that is less than the 60 s after
/// which the edge gives up.
const WAIT: Duration = Duration::from_secs(45);

/// When a client that was slow while nobody waited is looked at again.
const AGAIN: Duration = Duration::from_secs(5);

/// The places. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct Places {
    shares: Shares<Address>,
    waiting: Arc<AtomicUsize>,
    leaving: Arc<AtomicUsize>,
}

/// A place; free again when it is dropped.
pub(crate) struct Place {
    places: Places,
    is_lost: Arc<AtomicBool>,
    _shares: [Share; 2],
}

/// What became of an append that wanted a place; nothing yet, as long as its body was not asked for.
#[derive(Clone, Default)]
pub(crate) struct Placement(Arc<OnceLock<Option<Place>>>);

/// Counts while somebody waits.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Places {
    pub(crate) fn new() -> Self {
        let shares = Shares::new(APPENDS_MAX, APPENDS_OF_ONE_MAX);
        Self { shares, waiting: Arc::default(), leaving: Arc::default() }
    }

    /// Waits for a place.
    pub(crate) async fn take(&self, address: &Address) -> Place {
        let own = self.shares.own(&address.network()).await;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(&self.waiting);
        let common = self.shares.common().await;
        drop(waiting);
        Place { places: self.clone(), is_lost: Arc::default(), _shares: [own, common] }
    }

    /// Returns the body, of which nothing is read before it has a place: what is refused unread waits for none. If there
    /// is none in time, the body breaks off at once.
    ///
    /// The place is taken for as long as the body is there: the registry drops it when all is done with the bytes, which
    /// can be long after the client went away.
    pub(crate) fn placed(&self, address: Address, body: Body, placement: &Placement) -> Body {
        let (places, taken, held) = (self.clone(), placement.clone(), placement.clone());
        let pieces = stream::once(async move {
            let fresh = timeout(WAIT, places.take(&address)).await.ok();
            let place = taken.0.get_or_init(|| fresh).as_ref();
            let place = place.ok_or_else(|| BoxError::from("all places are taken"))?;
            Ok::<_, BoxError>(place.paced(body).into_data_stream())
        });
        let frames = pieces.try_flatten().map(move |piece| {
            let _held = &held;
            piece.map(Frame::data)
        });
        StreamBody::new(frames).boxed_unsync()
    }

    /// Returns whether somebody waits for a place that nobody is leaving yet.
    fn are_waited_for(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > self.leaving.load(Ordering::Relaxed)
    }
}

impl Placement {
    /// Returns whether the body broke off for want of a place: there was none, or others wanted it more.
    pub(crate) fn is_lost(&self) -> bool {
        self.0.get().is_some_and(|place| place.as_ref().is_none_or(Place::is_lost))
    }
}

impl Place {
    /// Returns the body; it breaks off if its client is too slow for those who wait.
    pub(crate) fn paced(&self, body: Body) -> Body {
        let (places, is_lost) = (self.places.clone(), Arc::clone(&self.is_lost));
        let body = Paced { body: body.into_data_stream(), patience: PATIENCE, places, is_lost };
        let frames = stream::unfold(Some(body), |body| async move { body?.step().await });
        StreamBody::new(frames).boxed_unsync()
    }

    /// Returns whether the body broke off.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.leaving.fetch_sub(usize::from(self.is_lost()), Ordering::Relaxed);
    }
}

struct Paced {
    body: BodyDataStream<Body>,
    /// Waiting for the client spends it, bytes earn it.
    patience: Duration,
    places: Places,
    is_lost: Arc<AtomicBool>,
}

impl Paced {
    /// Returns the next frame, and what comes after it unless it is an error.
    async fn step(mut self) -> Option<(Result<Frame<Bytes>, BoxError>, Option<Self>)> {
        loop {
            let begun = Instant::now();
            match timeout(self.patience, self.body.next()).await {
                Ok(None) => return None,
                Ok(Some(Err(error))) => return Some((Err(error), None)),
                Ok(Some(Ok(bytes))) => {
                    let left = self.patience.saturating_sub(begun.elapsed());
                    self.patience = PATIENCE.min(left + earned(bytes.len()));
                    return Some((Ok(Frame::data(bytes)), Some(self)));
                }
                Err(_) if self.places.are_waited_for() => {
                    self.places.leaving.fetch_add(1, Ordering::Relaxed);
                    self.is_lost.store(true, Ordering::Relaxed);
                    return Some((Err("others wait, and the client is slow".into()), None));
                }
                Err(_) => self.patience = AGAIN,
            }
        }
    }
}

fn earned(bytes: usize) -> Duration {
    Duration::from_secs(bytes as u64) / PACE_BYTES as u32
}
