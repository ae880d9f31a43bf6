//! A cloud's store: clients send bytes to it and read them there, past the registry.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use oci::{Algorithm, Digest, UploadId};
use registry::Blob;
use registry::ports::{
    Abilities, Arrived, Clock, Copied, ObjectKey, SignedDownloads, SignedUploads, StoreError, Timestamp,
    VerifiedCopy,
};
use registry::testing::{Call, MemoryObjects, SetClock};

use crate::dice::Dice;
use crate::stores::Gated;

/// A store that can do all that a cloud's can.
pub(crate) trait Cloud: SignedDownloads + SignedUploads + VerifiedCopy {}

impl<S: SignedDownloads + SignedUploads + VerifiedCopy> Cloud for S {}

/// Returns what the functions of a cloud can do: they delete nothing, the collector does.
pub(crate) fn abilities<S: Cloud + 'static>(objects: &Arc<S>) -> Abilities {
    Abilities {
        downloads: Some(Arc::clone(objects) as _),
        uploads: Some(Arc::clone(objects) as _),
        copies: Some(Arc::clone(objects) as _),
        leaves_garbage: true,
        ..Abilities::default()
    }
}

#[async_trait]
impl SignedDownloads for Gated<MemoryObjects> {
    async fn signed_get(&self, key: &ObjectKey) -> Result<String, StoreError> {
        self.around(Call::SignedGet, self.inner.signed_get(key)).await
    }

    async fn signed_head(&self, key: &ObjectKey) -> Result<String, StoreError> {
        self.around(Call::SignedHead, self.inner.signed_head(key)).await
    }
}

#[async_trait]
impl SignedUploads for Gated<MemoryObjects> {
    async fn signed_put(&self, id: &UploadId) -> Result<String, StoreError> {
        self.around(Call::SignedPut, self.inner.signed_put(id)).await
    }
}

#[async_trait]
impl VerifiedCopy for Gated<MemoryObjects> {
    async fn copy_upload(&self, id: &UploadId, to: &ObjectKey) -> Result<Option<Copied>, StoreError> {
        self.around(Call::CopyUpload, self.inner.copy_upload(id, to)).await
    }

    async fn arrived_uploads(
        &self,
        after: Option<&UploadId>,
        limit: usize,
    ) -> Result<Vec<Arrived>, StoreError> {
        self.around(Call::ArrivedUploads, self.inner.arrived_uploads(after, limit)).await
    }
}

/// An upload past the registry, as its client knows it.
#[derive(Default)]
struct Parcel {
    /// What its bytes were, each time that some arrived.
    digests: Vec<Digest>,
    /// When its session is over at the latest.
    ends: Timestamp,
}

/// What clients have sent past the registry, and what the seed makes of it.
pub(crate) struct Arrivals {
    parcels: Mutex<BTreeMap<UploadId, Parcel>>,
    clock: Arc<SetClock>,
    pub(crate) dice: Dice,
}

impl Arrivals {
    pub(crate) fn new(dice: Dice, clock: &Arc<SetClock>) -> Self {
        Self { parcels: Mutex::default(), clock: Arc::clone(clock), dice }
    }

    fn parcels(&self) -> MutexGuard<'_, BTreeMap<UploadId, Parcel>> {
        self.parcels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody was told where to send an upload, whose session lasts so long from now at most.
    pub(crate) fn expect(&self, id: &UploadId, session: Duration) {
        self.parcels().entry(id.clone()).or_default().ends = self.clock.now().after(session);
    }

    /// These bytes have arrived.
    pub(crate) fn note(&self, id: &UploadId, bytes: &Bytes) {
        let digest = Digest::of(Algorithm::Sha256, bytes);
        self.parcels().entry(id.clone()).or_default().digests.push(digest);
    }

    /// Returns why the upload cannot have become this blob, by an adoption that began then.
    pub(crate) fn objection(&self, id: &UploadId, blob: &Blob, began: Timestamp) -> Option<String> {
        let parcels = self.parcels();
        let Some(parcel) = parcels.get(id) else { return Some(format!("{id} was never offered")) };
        if !parcel.digests.contains(&blob.digest) {
            return Some(format!("{id} became {}, which nobody sent", blob.digest));
        }
        (began >= parcel.ends).then(|| format!("{id} was adopted after its session had ended"))
    }
}
