//! Copies of whole objects, and the source that copies of parts share.

use std::sync::Arc;

use http::HeaderMap;
use s3s::dto::*;
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use crate::checksums::{Algorithm, put_checksum};
use crate::conditions::{WriteCondition, check_read, precondition_failed};
use crate::hashing::Hasher;
use crate::objects::{kept_headers, whole_object};
use crate::service::Backend;
use crate::store::{KeptHeaders, Object};

impl Backend {
    pub(crate) async fn copy(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let S3Request { input, headers, .. } = request;
        let source = self.source(&input.copy_source, &headers)?;
        if source.content.size_bytes() > self.copy_limit_bytes {
            let message =
                "The specified copy source is larger than the maximum allowable size for a copy source";
            return Err(s3_error!(InvalidRequest, "{}: {}", message, self.copy_limit_bytes));
        }
        refuse_copy_without_change(&input)?;
        let condition = WriteCondition::of(&headers)?;
        let object = self.copied(&source, &input).await?;
        let object = self.store.bucket(&input.bucket, |bucket| {
            self.store.publish((&input.bucket, bucket), &input.key, object, &condition)
        })?;
        let mut result = CopyObjectResult {
            e_tag: Some(object.etag()),
            last_modified: Some(object.last_modified.into()),
            ..Default::default()
        };
        if let Some(checksum) = &object.checksum {
            put_checksum!(result, checksum);
            result.checksum_type = Some(ChecksumType::from_static(checksum.kind.name()));
        }
        Ok(S3Response::new(CopyObjectOutput { copy_object_result: Some(result), ..Default::default() }))
    }

    /// The object that a copy makes; it has one part, whatever its source had, and a checksum of all its bytes.
    async fn copied(&self, source: &Object, input: &CopyObjectInput) -> S3Result<Object> {
        let asked =
            input.checksum_algorithm.as_ref().map(|name| Algorithm::parse(name.as_str())).transpose()?;
        let kept_algorithm = source.checksum.as_ref().map(|checksum| checksum.algorithm);
        let mut hasher = Hasher::new(asked.or(kept_algorithm).unwrap_or(Algorithm::Crc64Nvme));
        source.content.hash(&mut hasher).await?;
        let kept = match replaces_metadata(input) {
            true => kept_headers!(input),
            false => source.kept.clone(),
        };
        let mut object = whole_object(source.content.clone(), &hasher.finish(), kept);
        if !self.copy_checksum {
            object.checksum = None;
        }
        Ok(object)
    }

    /// The source of a copy, if the conditions on it hold.
    pub(crate) fn source(&self, source: &CopySource, headers: &HeaderMap) -> S3Result<Arc<Object>> {
        let CopySource::Bucket { bucket, key, .. } = source else {
            return Err(s3_error!(NotImplemented, "Access points are not part of this stand-in"));
        };
        let object = self.store.object(bucket, key)?;
        match check_read(headers, "x-amz-copy-source-", &object) {
            Err(error) if *error.code() == S3ErrorCode::NotModified => Err(precondition_failed()),
            Err(error) => Err(error),
            Ok(()) => Ok(object),
        }
    }
}

fn replaces_metadata(input: &CopyObjectInput) -> bool {
    input.metadata_directive.as_ref().is_some_and(|directive| directive.as_str() == "REPLACE")
}

fn refuse_copy_without_change(input: &CopyObjectInput) -> S3Result {
    let CopySource::Bucket { bucket, key, .. } = &input.copy_source else { return Ok(()) };
    let same = **bucket == *input.bucket && **key == *input.key;
    match same && !replaces_metadata(input) && input.checksum_algorithm.is_none() {
        true => Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing it."
        )),
        false => Ok(()),
    }
}
