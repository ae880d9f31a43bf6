//! The notifications of S3: one per object that was created.

use std::sync::Mutex;

use tokio::sync::broadcast;

use crate::store::lock;

/// How many events a receiver may lag behind before it is told that it lost some.
const EVENT_CAPACITY: usize = 4096;

/// What S3 says when an object was created, by whichever operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectCreated {
    /// The bucket.
    pub bucket: String,
    /// The key, not percent-encoded (in S3's own JSON it is).
    pub key: String,
    /// The size of the object.
    pub size_bytes: u64,
    /// The `ETag`, without quotes, as S3 gives it in events.
    pub etag: String,
    /// Grows with each event; compare as text.
    pub sequencer: String,
}

/// How events are delivered from now on; S3 promises at least once, and tests may ask for less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Each event once.
    #[default]
    Once,
    /// Each event twice.
    Twice,
    /// No event at all.
    Dropped,
}

pub(crate) struct Events {
    sender: broadcast::Sender<ObjectCreated>,
    delivery: Mutex<Delivery>,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self { sender: broadcast::channel(EVENT_CAPACITY).0, delivery: Mutex::default() }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<ObjectCreated> {
        self.sender.subscribe()
    }

    pub(crate) fn deliver(&self, delivery: Delivery) {
        *lock(&self.delivery) = delivery;
    }

    pub(crate) fn send(&self, event: &ObjectCreated) {
        let times = match *lock(&self.delivery) {
            Delivery::Once => 1,
            Delivery::Twice => 2,
            Delivery::Dropped => 0,
        };
        for _ in 0..times {
            // Nobody listening is no fault.
            let _ = self.sender.send(event.clone());
        }
    }
}
