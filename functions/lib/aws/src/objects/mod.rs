//! Objects in an S3 bucket.
//!
//! ```text
//! data/<shard>/<ulid>            an object, under the registry's own key
//! tails/<shard>/<ulid>/<ulid>    the end of an upload, too short to be a part yet; the bucket removes it after days
//! uploads/<upload id>            what a client uploaded directly; the bucket removes it after days
//! ```

mod append;
mod finish;
mod scan;
mod state;

use std::ops::Range;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives;
use bytes::Bytes;
use futures_util::StreamExt;
use oci::{Digest, UploadId};
use registry::ports::{
    AppendState, Appended, ByteStream, KeptState, ObjectKey, ObjectStore, StoreError, Trash,
};

use crate::error::{has_code, store_error};

pub use state::PART_BYTES_MIN;

/// What S3 says of an object that is not there.
pub(crate) const NOT_THERE: &[&str] = &["NoSuchKey", "NotFound"];

/// The objects of a bucket.
#[derive(Clone, Debug)]
pub struct S3 {
    pub(crate) client: Client,
    pub(crate) bucket: String,
}

impl S3 {
    /// The objects of this bucket.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into() }
    }

    /// Returns this object as the source of a copy. No key of ours has a character that would have to be escaped.
    pub(crate) fn copy_source(&self, key: &str) -> String {
        format!("{}/{key}", self.bucket)
    }

    /// Returns the size of what is stored under a key, if there is anything.
    pub(crate) async fn size_of(&self, key: &str) -> Result<Option<u64>, StoreError> {
        let head = self.client.head_object().bucket(&self.bucket).key(key).send().await;
        match head {
            Ok(head) => Ok(Some(head.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or(0))),
            Err(error) if has_code(&error, NOT_THERE) => Ok(None),
            Err(error) => Err(store_error(format!("head of {key}"), error)),
        }
    }

    /// Returns the bytes under a key, or a part of them that is not empty.
    pub(crate) async fn bytes_of(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Option<ByteStream>, StoreError> {
        let range = range.map(|range| format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        let got = self.client.get_object().bucket(&self.bucket).key(key).set_range(range).send().await;
        match got {
            Ok(object) => Ok(Some(stream(object.body))),
            Err(error) if has_code(&error, NOT_THERE) => Ok(None),
            Err(error) => Err(store_error(format!("get of {key}"), error)),
        }
    }
}

/// Where a direct upload arrives.
pub(crate) fn direct_key(id: &UploadId) -> String {
    format!("{DIRECT_PREFIX}{id}")
}

/// The beginning of the keys of direct uploads.
pub(crate) const DIRECT_PREFIX: &str = "uploads/";

/// An error ends the stream; the SDK's own would repeat it for ever.
fn stream(body: primitives::ByteStream) -> ByteStream {
    futures_util::stream::unfold(Some(body), |body| async move {
        let mut body = body?;
        match body.next().await? {
            Ok(bytes) => Some((Ok(bytes), Some(body))),
            Err(error) => Some((Err(std::io::Error::other(error)), None)),
        }
    })
    .boxed()
}

/// The bucket keeps the version that was deleted for the days that the stack's rule says.
#[async_trait]
impl Trash for S3 {
    async fn discard(&self, key: &ObjectKey, digest: &Digest) -> Result<(), StoreError> {
        self.delete(key).await?;
        // Who wants the bytes back has to know where they were.
        tracing::info!(%digest, object = %key, "the bytes of a blob were deleted");
        Ok(())
    }
}

#[async_trait]
impl ObjectStore for S3 {
    async fn put(&self, key: &ObjectKey, bytes: Bytes) -> Result<(), StoreError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key.as_str()).body(bytes.into());
        put.send().await.map(drop).map_err(|error| store_error(format!("put of {key}"), error))
    }

    async fn get(&self, key: &ObjectKey, range: Range<u64>) -> Result<Option<ByteStream>, StoreError> {
        if range.is_empty() {
            // S3 has no empty ranges.
            let is_there = self.size_of(key.as_str()).await?.is_some();
            return Ok(is_there.then(|| futures_util::stream::empty().boxed()));
        }
        self.bytes_of(key.as_str(), Some(range)).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        self.size_of(key.as_str()).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        let delete = self.client.delete_object().bucket(&self.bucket).key(key.as_str());
        delete.send().await.map(drop).map_err(|error| store_error(format!("delete of {key}"), error))
    }

    async fn append(
        &self,
        key: &ObjectKey,
        kept: &mut dyn KeptState,
        body: ByteStream,
    ) -> Result<Appended, StoreError> {
        append::append(self, key, kept, body).await
    }

    async fn finish(
        &self,
        key: &ObjectKey,
        state: &AppendState,
        kept: &mut dyn KeptState,
    ) -> Result<(), StoreError> {
        finish::finish(self, key, state, kept).await
    }

    async fn abort(&self, key: &ObjectKey, state: &AppendState) -> Result<(), StoreError> {
        finish::abort(self, key, state).await
    }
}
