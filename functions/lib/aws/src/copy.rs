//! Taking over direct uploads: S3 copies them, and computes the SHA-256 of the copy while it does.

use async_trait::async_trait;
use aws_sdk_s3::types::{ChecksumAlgorithm, MetadataDirective};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use oci::{Algorithm, Digest, Hasher, UploadId};
use registry::ports::{Copied, ObjectKey, StoreError, StoreErrorKind, VerifiedCopy};

use crate::error::{has_code, store_error};
use crate::objects::{DIRECT_PREFIX, NOT_THERE, S3, direct_key};

/// To those who may not list a bucket, S3 denies what it does not have.
const DENIED: &[&str] = &["AccessDenied"];

#[async_trait]
impl VerifiedCopy for S3 {
    async fn copy_upload(&self, id: &UploadId, to: &ObjectKey) -> Result<Option<Copied>, StoreError> {
        let copy = self.client.copy_object().bucket(&self.bucket).key(to.as_str());
        let copy = copy
            .copy_source(self.copy_source(&direct_key(id)))
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            // What the client said of its bytes is not ours to keep.
            .metadata_directive(MetadataDirective::Replace);
        let copied = match copy.send().await {
            Ok(copied) => copied,
            Err(error) if has_code(&error, NOT_THERE) => return Ok(None),
            Err(error) if has_code(&error, DENIED) => {
                tracing::debug!(upload_id = %id, "no bytes have arrived, or they may not be read");
                return Ok(None);
            }
            Err(error) => return Err(store_error(format!("copy to {to}"), error)),
        };
        let checksum = copied.copy_object_result.and_then(|result| result.checksum_sha256);
        let lost = || StoreError::new(StoreErrorKind::Unavailable, format!("{to} is gone again"));
        let size_bytes = self.size_of(to.as_str()).await?.ok_or_else(lost)?;
        let digest = match checksum.as_deref().and_then(digest_of) {
            Some(digest) => digest,
            // Other stores than Amazon's seldom compute it.
            None => self.hash(to).await?,
        };
        Ok(Some(Copied { digest, size_bytes }))
    }

    async fn arrived_uploads(
        &self,
        after: Option<&UploadId>,
        limit: usize,
    ) -> Result<Vec<UploadId>, StoreError> {
        let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(DIRECT_PREFIX);
        let list = list.set_start_after(after.map(direct_key)).max_keys(i32::try_from(limit).unwrap_or(1000));
        let page = list.send().await.map_err(|error| store_error("list of direct uploads", error))?;
        let ids = page.contents.unwrap_or_default().into_iter();
        Ok(ids.filter_map(|object| object.key?.strip_prefix(DIRECT_PREFIX)?.parse().ok()).collect())
    }
}

impl S3 {
    async fn hash(&self, key: &ObjectKey) -> Result<Digest, StoreError> {
        let lost = || StoreError::new(StoreErrorKind::Unavailable, format!("{key} is gone again"));
        let mut stream = self.bytes_of(key.as_str(), None).await?.ok_or_else(lost)?;
        let mut hasher = Hasher::new(Algorithm::Sha256);
        while let Some(piece) = stream.next().await {
            let broken = |error| StoreError::caused(StoreErrorKind::Unavailable, format!("{key}"), error);
            hasher.update(&piece.map_err(broken)?);
        }
        Ok(hasher.finish())
    }
}

/// Returns the digest that S3 computed; a checksum of checksums (`…-3`) is none.
fn digest_of(checksum: &str) -> Option<Digest> {
    let bytes = STANDARD.decode(checksum).ok().filter(|bytes| bytes.len() == 32)?;
    format!("sha256:{}", hex::encode(bytes)).parse().ok()
}
