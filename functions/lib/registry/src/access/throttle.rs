//! How often somebody may be wrong: token buckets in the store, so that all processes count together.
//!
//! An attempt is taken before the password is looked at and given back when it was right: guesses that run side by
//! side cannot get ahead of the count. Other credentials nobody can guess, and the right ones open at any time; one is
//! taken afterwards when they were wrong. Each attempt leaves one trace at most, and so does an empty bucket: the
//! audit log cannot be flooded.

use std::time::Duration;

use crate::Error;
use crate::access::accounts::{Access, Found};
use crate::access::passwords::{self, Turn};
use crate::access::{AccessError, AccountName, Address, Caller};
use crate::ports::{Condition, Item, Key, Write};
use crate::records::{AuditOutcome, BucketRecord, Record, keys};

/// One attempt, in thousandths.
pub(crate) const WHOLE: u64 = 1000;

/// A bucket's measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    /// How many attempts it holds.
    pub(crate) capacity: u64,
    /// How long it takes until one more comes in.
    pub(crate) refill_secs: u64,
}

/// Faster filled than one address can empty it: nobody alone keeps others out of their account.
const PER_ACCOUNT: Measure = Measure { capacity: 150, refill_secs: 5 };

const PER_ADDRESS: Measure = Measure { capacity: 50, refill_secs: 15 };

/// The buckets of one login.
#[derive(Clone, Debug)]
pub(crate) struct Buckets {
    all: Vec<(Key, Measure)>,
    /// What the audit log calls the account; empty for none.
    account: String,
    address: Address,
}

impl Buckets {
    pub(crate) fn of(account: Option<&AccountName>, address: &Address) -> Self {
        let of_account = account.map(|name| (keys::attempts("account", name.as_str()), PER_ACCOUNT));
        let known = Some(address.network()).filter(|network| !network.as_str().is_empty());
        let of_address = known.map(|network| (keys::attempts("address", network.as_str()), PER_ADDRESS));
        let account = account.map(ToString::to_string).unwrap_or_default();
        Self { all: of_account.into_iter().chain(of_address).collect(), account, address: address.clone() }
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        self.all.iter().map(|(key, _)| key.clone())
    }
}

/// Whether it is because of what others do at this moment.
fn is_of_others(error: &AccessError) -> bool {
    matches!(error, AccessError::Throttled { .. } | AccessError::Registry(Error::Contended))
}

/// How long somebody waits before an attempt is tried again, at most. An empty bucket may be one of right logins that
/// are under way, and these give back what they took: a fleet that logs in at the same moment is not refused for it.
const WAITS_MILLIS: [u64; 8] = [10, 20, 40, 80, 160, 320, 640, 1280];

/// A bucket that has no attempt left.
struct Empty<'a> {
    item: Option<&'a Item>,
    retry_after_secs: u64,
}

impl Empty<'_> {
    fn is_noted(&self) -> bool {
        self.item.and_then(|item| item.record.as_bucket()).is_some_and(|bucket| bucket.is_noted)
    }
}

impl Access {
    /// Waits for a processor and takes an attempt from each of the buckets, or refuses. Returns what it read.
    pub(crate) async fn attempt_begin(
        &self,
        buckets: &Buckets,
        account: Option<Key>,
    ) -> Result<(Turn, Found), AccessError> {
        let mut waits = WAITS_MILLIS.into_iter();
        loop {
            // Nobody waits for others with a processor in hand.
            let turn = passwords::turn().await?;
            let found = self.read(buckets.keys().chain(account.clone()).collect()).await?;
            let Err(error) = self.attempt_take(buckets, &found).await else { return Ok((turn, found)) };
            drop(turn);
            // Where somebody waited in vain already, nobody else does.
            let may_change = !self.empty(buckets, &found).is_some_and(|empty| empty.is_noted());
            match waits.next().filter(|_| may_change && is_of_others(&error)) {
                Some(millis) => self.pause(millis).await,
                None => return Err(self.refused(buckets, &found, error).await),
            }
        }
    }

    /// Takes an attempt for a credential that turned out to be wrong, and returns why it is refused.
    pub(crate) async fn attempt_charge(
        &self,
        account: Option<&AccountName>,
        address: &Address,
        error: AccessError,
    ) -> AccessError {
        let account = account.map(ToString::to_string).unwrap_or_default();
        let buckets = Buckets { account, ..Buckets::of(None, address) };
        let is_wrong = matches!(error, AccessError::Unauthorized | AccessError::Forbidden(_));
        if !is_wrong || buckets.all.is_empty() {
            return error;
        }
        for millis in WAITS_MILLIS {
            let found = match self.read(buckets.keys().collect()).await {
                Ok(found) => found,
                Err(unreadable) => return unreadable,
            };
            match self.attempt_take(&buckets, &found).await {
                Ok(()) => return error,
                Err(AccessError::Registry(Error::Contended)) => self.pause(millis).await,
                Err(empty) => return self.refused(&buckets, &found, empty).await,
            }
        }
        AccessError::contended()
    }

    /// Takes an attempt from each of the buckets as they were found, once.
    async fn attempt_take(&self, buckets: &Buckets, found: &Found) -> Result<(), AccessError> {
        if let Some(Empty { retry_after_secs, .. }) = self.empty(buckets, found) {
            return Err(AccessError::Throttled { retry_after_secs });
        }
        let take = |(key, measure): &(Key, Measure)| {
            let item = found.get(key);
            self.bucket_write(key, self.left_thousandths(*measure, item) - WHOLE, item)
        };
        let writes: Vec<Write> = buckets.all.iter().map(take).collect();
        if writes.is_empty() || self.registry.transact(writes).await?.is_none() {
            return Ok(());
        }
        Err(AccessError::contended())
    }

    fn empty<'a>(&self, buckets: &Buckets, found: &'a Found) -> Option<Empty<'a>> {
        buckets.all.iter().find_map(|(key, measure)| {
            let item = found.get(key);
            let missing = WHOLE.saturating_sub(self.left_thousandths(*measure, item));
            let retry_after_secs = (missing * measure.refill_secs).div_ceil(WHOLE);
            (missing > 0).then_some(Empty { item, retry_after_secs })
        })
    }

    /// Up to so long, so that those who wait at the same time do not meet again.
    async fn pause(&self, millis: u64) {
        let share = self.registry.stores.random.bits() % 1000;
        let millis = millis / 2 + millis * u64::try_from(share).unwrap_or_default() / 2000;
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    /// Leaves one trace of all attempts that an empty bucket refuses until the next one is possible.
    async fn refused(&self, buckets: &Buckets, found: &Found, error: AccessError) -> AccessError {
        let empty = self.empty(buckets, found).and_then(|empty| empty.item);
        let Some((item, bucket)) = empty.and_then(|item| Some((item, item.record.as_bucket()?))) else {
            return error;
        };
        if bucket.is_noted {
            return error;
        }
        let noted = Record::Bucket(BucketRecord { is_noted: true, ..*bucket });
        let seen = Condition::unchanged(Some(item));
        let stranger = Caller::anonymous(buckets.address.clone());
        let writes = vec![
            self.registry.put(item.key.clone(), self.registry.fresh_version(), noted, seen),
            self.audit_write(&stranger, "login", &buckets.account, AuditOutcome::Refused, &error.to_string()),
        ];
        // Whoever changed the bucket meanwhile notes it, or the next attempt does.
        if let Err(error) = self.registry.transact(writes).await {
            tracing::error!(error = %error, "that logins are refused could not be noted");
        }
        error
    }

    /// Gives back what was taken, because the password was right. That it cannot be is no reason to refuse it.
    pub(crate) async fn attempt_return(&self, buckets: &Buckets) {
        for (key, measure) in &buckets.all {
            if let Err(error) = self.bucket_return(key, *measure).await {
                tracing::warn!(error = %error, "an attempt could not be given back");
            }
        }
    }

    async fn bucket_return(&self, key: &Key, measure: Measure) -> Result<(), AccessError> {
        for millis in WAITS_MILLIS {
            let item = self.registry.get(key.clone()).await?;
            let left = self.left_thousandths(measure, item.as_ref()) + WHOLE;
            let write = match left >= measure.capacity * WHOLE {
                // A full bucket is as good as none.
                true => Write::Delete(key.clone(), Condition::unchanged(item.as_ref())),
                false => self.bucket_write(key, left, item.as_ref()),
            };
            if self.registry.transact(vec![write]).await?.is_none() {
                return Ok(());
            }
            self.pause(millis).await;
        }
        Err(AccessError::contended())
    }

    pub(crate) fn bucket_write(&self, key: &Key, left_thousandths: u64, before: Option<&Item>) -> Write {
        let record =
            Record::Bucket(BucketRecord { left_thousandths, at: self.registry.now(), is_noted: false });
        self.registry.put(key.clone(), self.registry.fresh_version(), record, Condition::unchanged(before))
    }

    pub(crate) fn left_thousandths(&self, measure: Measure, item: Option<&Item>) -> u64 {
        let full = measure.capacity * WHOLE;
        let Some(bucket) = item.and_then(|item| item.record.as_bucket()) else { return full };
        let passed_ms = self.registry.now().as_millis().saturating_sub(bucket.at.as_millis());
        full.min(bucket.left_thousandths + passed_ms / measure.refill_secs)
    }
}
