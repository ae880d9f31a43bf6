//! The registry: the ports it was given, and what its operations share.

use std::sync::Arc;
use std::time::Duration;

use ulid::Ulid;

use crate::locks::Locks;
use crate::manifests::cache::ManifestCache;
use crate::ports::{
    Abilities, Clock, Condition, Conflict, Item, ItemStore, Key, ObjectKey, ObjectStore, Random,
    TransactError, Version, Write,
};
use crate::records::{EventRecord, Record, SuspectRecord, keys};
use crate::{Error, ports::Timestamp};

/// How often an operation starts again because somebody else changed what it had read.
pub(crate) const ATTEMPTS: usize = 10;

/// What a registry stands on.
#[derive(Clone)]
pub struct Stores {
    /// Where items are.
    pub items: Arc<dyn ItemStore>,
    /// Where objects are.
    pub objects: Arc<dyn ObjectStore>,
    /// What tells the time.
    pub clock: Arc<dyn Clock>,
    /// What makes ids.
    pub random: Arc<dyn Random>,
    /// What the stores can do beside their ports.
    pub abilities: Abilities,
}

/// How long things last.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// How long a blob is kept after an upload, a mount or a HEAD that found it, referenced or not. A HEAD renews
    /// it in its second half, so half of it is what a client can count on (P9).
    pub lease: Duration,
    /// How long an upload session may take.
    pub upload: Duration,
    /// How long the object of something that is gone stays: whoever was told where it is may be reading it.
    pub object: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        const HOUR: Duration = Duration::from_secs(60 * 60);
        Self { lease: DAY, upload: 7 * DAY, object: HOUR }
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal(Arc<str>);

impl Principal {
    pub(crate) fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// Returns the collector, who also ends deletions for others.
    pub(crate) fn garbage_collection() -> Self {
        Self::new("garbage-collection")
    }

    /// Returns the name that records carry.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A registry. Cloning it is cheap; the clones are the same registry.
#[derive(Clone)]
pub struct Registry {
    pub(crate) stores: Stores,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) manifest_cache: Arc<ManifestCache>,
    pub(crate) upload_locks: Arc<Locks>,
}

impl Registry {
    /// Returns a registry on these stores.
    pub fn new(stores: Stores, lifetimes: Lifetimes) -> Self {
        Self { stores, lifetimes, manifest_cache: Arc::default(), upload_locks: Arc::default() }
    }

    /// Returns a registry with the same lifetimes on other stores.
    pub(crate) fn on(&self, stores: Stores) -> Self {
        Self::new(stores, self.lifetimes)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.stores.clock.now()
    }

    pub(crate) fn fresh_ulid(&self) -> Ulid {
        Ulid::from_parts(self.now().as_millis(), self.stores.random.bits())
    }

    pub(crate) fn fresh_version(&self) -> Version {
        Version::new(self.fresh_ulid().to_string())
    }

    pub(crate) fn fresh_object_key(&self) -> ObjectKey {
        ObjectKey::fresh(self.fresh_ulid())
    }

    pub(crate) async fn get(&self, key: Key) -> Result<Option<Item>, Error> {
        Ok(self.stores.items.get(&[key]).await?.pop().flatten())
    }

    /// Writes all or nothing; `Ok(Some(…))` tells what stood in the way.
    pub(crate) async fn transact(&self, writes: Vec<Write>) -> Result<Option<Conflict>, Error> {
        match self.stores.items.transact(writes).await {
            Ok(()) => Ok(None),
            Err(TransactError::Conflict(conflict)) => Ok(Some(*conflict)),
            Err(TransactError::Store(error)) => Err(error.into()),
        }
    }

    /// Removes an object that nothing refers to. What cannot be removed here is the collector's.
    pub(crate) async fn forget_object(&self, object: &ObjectKey) {
        if self.stores.abilities.leaves_garbage {
            return;
        }
        if let Err(error) = self.stores.objects.delete(object).await {
            tracing::warn!(object = %object, error = %error, "an object that nobody needs stays for the collector");
        }
    }

    /// Puts the suspect in the review queue, to be looked at after `delay`.
    pub(crate) fn suspect(&self, suspect: SuspectRecord, delay: Duration) -> Write {
        let key = keys::suspect(self.now().after(delay), &suspect);
        self.put(key, self.fresh_version(), Record::Suspect(suspect), Condition::Always)
    }

    /// Puts the event in the outbox.
    pub(crate) fn event(&self, event: EventRecord) -> Write {
        let id = self.fresh_ulid();
        self.put(keys::event(id), Version::new(id.to_string()), Record::Event(event), Condition::Always)
    }

    #[expect(clippy::unused_self, reason = "reads like the other parts of a transaction")]
    pub(crate) fn put(&self, key: Key, version: Version, record: Record, condition: Condition) -> Write {
        Write::Put(Item { key, version, record }, condition)
    }
}
