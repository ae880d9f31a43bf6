//! Taking over direct uploads: S3 copies them, and computes the SHA-256 of the copy while it does.

use async_trait::async_trait;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, MetadataDirective, Object};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use oci::{Algorithm, Digest, Hasher, UploadId};
use registry::ports::{Arrived, Copied, ObjectKey, StoreError, StoreErrorKind, Timestamp, VerifiedCopy};

use crate::conflict::settled;
use crate::connect::{COPY_TIMEOUT, patient};
use crate::error::{has_code, store_error};
use crate::objects::{DIRECT_PREFIX, NOT_THERE, S3, direct_key};

#[async_trait]
impl VerifiedCopy for S3 {
    async fn copy_upload(&self, id: &UploadId, to: &ObjectKey) -> Result<Option<Copied>, StoreError> {
        let copy = self.client.copy_object().bucket(&self.bucket).key(to.as_str());
        let copy = copy
            .copy_source(self.copy_source(&direct_key(id)))
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            // What the client said of its bytes is not ours to keep.
            .metadata_directive(MetadataDirective::Replace)
            // The SDK repeats a copy whose answer was lost; by then the upload may have changed.
            .if_none_match("*");
        let send = || copy.clone().customize().config_override(patient()).send();
        match settled(self, COPY_TIMEOUT, send).await {
            Ok(_) => {}
            Err(error) if has_code(&error, NOT_THERE) => return Ok(None),
            // An attempt before, whose answer was lost: nobody else has this key.
            Err(error) if has_code(&error, &["PreconditionFailed"]) => {}
            Err(error) => return Err(store_error(format!("copy to {to}"), error)),
        }
        let head = self.client.head_object().bucket(&self.bucket).key(to.as_str());
        let head = head.checksum_mode(ChecksumMode::Enabled).send().await;
        let head = head.map_err(|error| store_error(format!("head of {to}"), error))?;
        let size_bytes = head.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
        let digest = match head.checksum_sha256.as_deref().and_then(digest_of) {
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
    ) -> Result<Vec<Arrived>, StoreError> {
        let (mut arrived, mut start) = (Vec::new(), after.map(direct_key));
        while arrived.len() < limit {
            let wanted = i32::try_from(limit - arrived.len()).unwrap_or(i32::MAX);
            let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(DIRECT_PREFIX);
            let list = list.set_start_after(start).max_keys(wanted);
            let page = list.send().await.map_err(|error| store_error("list of direct uploads", error))?;
            let objects = page.contents.unwrap_or_default();
            // What is no upload of ours is passed over, and does not end the list.
            arrived.extend(objects.iter().filter_map(arrived_upload));
            start = objects.into_iter().next_back().and_then(|object| object.key);
            if page.is_truncated != Some(true) || start.is_none() {
                break;
            }
        }
        Ok(arrived)
    }
}

/// Returns which upload the object is. One that has no time is as if it came just now.
fn arrived_upload(object: &Object) -> Option<Arrived> {
    let id = object.key()?.strip_prefix(DIRECT_PREFIX)?.parse().ok()?;
    let millis = object.last_modified().and_then(|at| u64::try_from(at.to_millis().ok()?).ok());
    Some(Arrived { id, at: Timestamp::from_millis(millis.unwrap_or(u64::MAX)) })
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
