//! How often somebody may be wrong: token buckets in the store, so that all processes count together.
//!
//! An attempt is taken before the password is looked at and given back when it was right: guesses that run side by
//! side cannot get ahead of the count. Other credentials nobody can guess, and the right ones open at any time; one is
//! taken afterwards when they were wrong. Each attempt leaves one trace at most, and so does an empty bucket: the
//! audit log cannot be flooded.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use crate::access::accounts::{Access, Found};
use crate::access::{AccessError, AccountName, Address, Caller};
use crate::ports::{Condition, Item, Key, Write};
use crate::records::{AuditOutcome, BucketRecord, Record, keys};
use crate::registry::ATTEMPTS;

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

const PER_ACCOUNT: Measure = Measure { capacity: 20, refill_secs: 30 };

const PER_ADDRESS: Measure = Measure { capacity: 100, refill_secs: 6 };

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
        let known = Some(address.as_str()).filter(|address| !address.is_empty());
        let of_address = known.map(|address| (keys::attempts("address", &network(address)), PER_ADDRESS));
        let account = account.map(ToString::to_string).unwrap_or_default();
        Self { all: of_account.into_iter().chain(of_address).collect(), account, address: address.clone() }
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        self.all.iter().map(|(key, _)| key.clone())
    }
}

/// Whoever has one address of IPv6 has the 2^64 around it.
pub(crate) fn network(address: &str) -> String {
    match address.parse::<Ipv6Addr>() {
        Ok(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).to_string(),
        Err(_) => address.to_owned(),
    }
}

impl Access {
    /// Takes an attempt from each of the buckets, or refuses.
    pub(crate) async fn attempt_take(&self, buckets: &Buckets, found: &Found) -> Result<(), AccessError> {
        let mut found = Cow::Borrowed(found);
        for _ in 0..ATTEMPTS {
            let mut writes = Vec::new();
            for (key, measure) in &buckets.all {
                let item = found.get(key);
                let left = self.left_thousandths(*measure, item);
                if left < WHOLE {
                    let missing = WHOLE - left;
                    let retry_after_secs = (missing * measure.refill_secs).div_ceil(WHOLE).max(1);
                    let error = AccessError::Throttled { retry_after_secs };
                    self.note_empty(buckets, item, &error).await;
                    return Err(error);
                }
                writes.push(self.bucket_write(key, left - WHOLE, item));
            }
            if writes.is_empty() || self.registry.transact(writes).await?.is_none() {
                return Ok(());
            }
            found = Cow::Owned(self.read(buckets.keys().collect()).await?);
        }
        Err(AccessError::contended())
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
        let taken = match self.read(buckets.keys().collect()).await {
            Ok(found) => self.attempt_take(&buckets, &found).await,
            Err(unreadable) => Err(unreadable),
        };
        taken.err().unwrap_or(error)
    }

    /// Leaves one trace of all attempts that an empty bucket refuses until the next one is possible.
    async fn note_empty(&self, buckets: &Buckets, item: Option<&Item>, error: &AccessError) {
        let Some((item, bucket)) = item.and_then(|item| Some((item, item.record.as_bucket()?))) else {
            return;
        };
        if bucket.is_noted {
            return;
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
        for _ in 0..ATTEMPTS {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_subscriber_count_as_one() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("2001:db8:1:2:ffff::1"), network("2001:db8:1:2::9"));
        assert_ne!(network("2001:db8:1:3::1"), network("2001:db8:1:2::1"));
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
    }
}
