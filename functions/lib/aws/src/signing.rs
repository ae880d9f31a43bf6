//! URLs that S3 itself checks.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use oci::UploadId;
use registry::ports::{ObjectKey, SignedDownloads, SignedUploads, StoreError, StoreErrorKind};

use crate::objects::{S3, direct_key};

/// How long a pull may take to begin. Clients that resume ask the registry again.
const DOWNLOAD_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// How long after its POST a direct upload may begin.
const UPLOAD_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// How long the query of an upload may be: CloudFront takes URLs of 8,192 characters (its "Quotas"), and up to 1,024 are
/// host and path, and what clients add. Only a session token of 6,700 characters makes it longer.
const QUERY_CHARS_MAX: usize = 8_192 - 1_024;

/// Signs requests with the credentials of this process: no call goes to S3.
#[derive(Clone, Debug)]
pub struct Presigned(S3);

impl Presigned {
    /// Signs requests to this bucket.
    pub fn new(store: S3) -> Self {
        Self(store)
    }
}

#[async_trait]
impl SignedDownloads for Presigned {
    /// The type is fixed, so that no browser runs what somebody pushed.
    async fn signed_get(&self, key: &ObjectKey) -> Result<String, StoreError> {
        let S3 { client, bucket } = &self.0;
        let get = client.get_object().bucket(bucket).key(key.as_str());
        let get = get.response_content_type("application/octet-stream");
        let signed = get.presigned(lifetime(DOWNLOAD_LIFETIME)?).await;
        signed.map(|request| request.uri().to_owned()).map_err(unsigned)
    }

    async fn signed_head(&self, key: &ObjectKey) -> Result<String, StoreError> {
        let S3 { client, bucket } = &self.0;
        let head = client.head_object().bucket(bucket).key(key.as_str());
        let head = head.response_content_type("application/octet-stream");
        let signed = head.presigned(lifetime(DOWNLOAD_LIFETIME)?).await;
        signed.map(|request| request.uri().to_owned()).map_err(unsigned)
    }
}

#[async_trait]
impl SignedUploads for Presigned {
    async fn signed_put(&self, id: &UploadId) -> Result<String, StoreError> {
        let S3 { client, bucket } = &self.0;
        let put = client.put_object().bucket(bucket).key(direct_key(id));
        let signed: PresignedRequest = put.presigned(lifetime(UPLOAD_LIFETIME)?).await.map_err(unsigned)?;
        let (_, query) = signed.uri().split_once('?').unwrap_or_default();
        match query.len() {
            0 => Err(StoreError::new(StoreErrorKind::Unavailable, "a signed URL has no query")),
            1..=QUERY_CHARS_MAX => Ok(query.to_owned()),
            chars => Err(StoreError::new(
                StoreErrorKind::Unavailable,
                format!(
                    "the signed query of an upload has {chars} characters, with which the edge would not take it"
                ),
            )),
        }
    }
}

fn lifetime(lifetime: Duration) -> Result<PresigningConfig, StoreError> {
    PresigningConfig::expires_in(lifetime).map_err(unsigned)
}

/// Without credentials, for example.
fn unsigned(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::caused(StoreErrorKind::Unavailable, "a URL could not be signed", error)
}
