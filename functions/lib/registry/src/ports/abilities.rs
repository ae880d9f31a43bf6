//! What some stores can do beside their port: let clients reach the bytes without the registry in between.

use std::sync::Arc;

use async_trait::async_trait;
use oci::{Digest, UploadId};

use super::{ObjectKey, StoreError, Timestamp};

/// Makes URLs by which anybody may read one object for a short while.
#[async_trait]
pub trait SignedDownloads: Send + Sync {
    /// Returns a URL for GET requests of the object, ranges included.
    async fn signed_get(&self, key: &ObjectKey) -> Result<String, StoreError>;

    /// Returns a URL for HEAD requests of the object.
    async fn signed_head(&self, key: &ObjectKey) -> Result<String, StoreError>;
}

/// Lets a client put the bytes of an upload where the store keeps them, by one PUT through the edge.
#[async_trait]
pub trait SignedUploads: Send + Sync {
    /// Returns the query that makes a PUT to the upload's URL a direct one, for an hour at least.
    ///
    /// Such a PUT can be repeated with other bytes while the query is valid: what it leaves is never final.
    async fn signed_put(&self, id: &UploadId) -> Result<String, StoreError>;
}

/// What a copy turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The SHA-256 of the bytes that were copied.
    pub digest: Digest,
    /// How many they are.
    pub size_bytes: u64,
}

/// A direct upload whose bytes are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Which it is.
    pub id: UploadId,
    /// When its bytes came, the last time that some did, by the store's clock.
    pub at: Timestamp,
}

/// Takes over what clients uploaded directly.
#[async_trait]
pub trait VerifiedCopy: Send + Sync {
    /// Copies the bytes of a direct upload to `to`, and learns what they are; `None` if none have arrived.
    ///
    /// Digest and length are those of the copy, whatever happens to the upload meanwhile.
    async fn copy_upload(&self, id: &UploadId, to: &ObjectKey) -> Result<Option<Copied>, StoreError>;

    /// Returns up to `limit` uploads beyond `after` whose bytes have arrived, in the order of their ids.
    async fn arrived_uploads(
        &self,
        after: Option<&UploadId>,
        limit: usize,
    ) -> Result<Vec<Arrived>, StoreError>;
}

/// Keeps the bytes of collected blobs for a while, so that they can be brought back.
#[async_trait]
pub trait Trash: Send + Sync {
    /// Takes the object away, as a deletion does, but keeps its bytes under their digest.
    ///
    /// What is not there is fine.
    async fn discard(&self, key: &ObjectKey, digest: &Digest) -> Result<(), StoreError>;
}

/// What the stores of a registry can do beside their ports; by default nothing, and every byte passes the registry.
#[derive(Clone, Default)]
pub struct Abilities {
    /// Clients read blobs from the store.
    pub downloads: Option<Arc<dyn SignedDownloads>>,
    /// Clients are offered to upload to the store.
    pub uploads: Option<Arc<dyn SignedUploads>>,
    /// What they uploaded there can be taken over.
    pub copies: Option<Arc<dyn VerifiedCopy>>,
    /// Collected blobs are kept for a while beside the objects.
    pub trash: Option<Arc<dyn Trash>>,
    /// This process may not delete objects: what nobody needs is left to the collector.
    pub leaves_garbage: bool,
}
