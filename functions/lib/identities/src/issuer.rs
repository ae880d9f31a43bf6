//! What is known of one issuer, and when it is asked again.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use registry::ports::{Clock, Timestamp};
use tokio::sync::Mutex;

use crate::client::{Client, Failure};
use crate::discovery;
use crate::keys::KeySet;
use crate::token::Header;

/// How long keys are used without asking whether they are the issuer's still.
const FRESH: Duration = Duration::from_secs(10 * 60);

/// How long keys are used if the issuer does not answer: longer than its hiccups, and no longer than one forgives that
/// a key goes on to be good that the issuer took back.
const STALE: Duration = Duration::from_secs(60 * 60);

/// How soon an issuer is asked again because of a key that it did not have: anybody can make up names of keys.
const AGAIN: Duration = Duration::from_secs(60);

/// How soon an issuer is asked again that did not answer.
const AGAIN_AFTER_FAILURE: Duration = Duration::from_secs(10);

/// One issuer.
pub(crate) struct Issuer {
    url: String,
    known: RwLock<Known>,
    asking: Mutex<()>,
}

#[derive(Default)]
struct Known {
    keys: Option<(Timestamp, Arc<KeySet>)>,
    asked: Option<Timestamp>,
    failure: Option<Failure>,
}

impl Issuer {
    /// Returns an issuer of which nothing is known.
    pub(crate) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), known: RwLock::default(), asking: Mutex::default() }
    }

    /// Returns the issuer's keys: those that are known if the wanted one is among them, fresh ones if it is time.
    pub(crate) async fn keys(
        &self,
        client: &Client,
        clock: &dyn Clock,
        wanted: &Header,
    ) -> Result<Arc<KeySet>, Failure> {
        if let Some(keys) = self.known(|known| known.settled(clock.now(), wanted)) {
            return keys;
        }
        // Of all who wait here, the first asks, and the others find what it found.
        let _asking = self.asking.lock().await;
        let begun = clock.now();
        if let Some(keys) = self.known(|known| known.settled(begun, wanted)) {
            return keys;
        }
        let answer = discovery::key_set(client, &self.url).await;
        if let Err(error) = &answer {
            tracing::warn!(issuer = %self.url, error = %error, "an issuer's keys cannot be read");
        }
        // Those who waited for a slow failure do not wait for it again, one after the other.
        let now = clock.now();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.asked = Some(now);
        known.note(begun, answer);
        known.last_word(now, wanted)
    }

    fn known<T>(&self, read: impl FnOnce(&Known) -> T) -> T {
        read(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Known {
    /// Returns the answer that needs no asking.
    fn settled(&self, now: Timestamp, wanted: &Header) -> Option<Result<Arc<KeySet>, Failure>> {
        let is_fresh = self.keys.as_ref().is_some_and(|(at, keys)| now < at.after(FRESH) && keys.has(wanted));
        let again = if self.failure.is_some() { AGAIN_AFTER_FAILURE } else { AGAIN };
        let is_asked = self.asked.is_some_and(|asked| now < asked.after(again));
        (is_fresh || is_asked).then(|| self.last_word(now, wanted))
    }

    fn note(&mut self, begun: Timestamp, answer: Result<KeySet, Failure>) {
        match answer {
            Ok(keys) => (self.keys, self.failure) = (Some((begun, Arc::new(keys))), None),
            Err(failure) => self.failure = Some(failure),
        }
    }

    /// Returns what can be said after the issuer was asked: what it said, or what it said the last time it did.
    fn last_word(&self, now: Timestamp, wanted: &Header) -> Result<Arc<KeySet>, Failure> {
        match (&self.keys, &self.failure) {
            (Some((_, keys)), None) => Ok(Arc::clone(keys)),
            (Some((at, keys)), Some(_)) if now < at.after(STALE) && keys.has(wanted) => Ok(Arc::clone(keys)),
            (_, failure) => Err(failure.clone().unwrap_or(Failure::Silent)),
        }
    }
}
