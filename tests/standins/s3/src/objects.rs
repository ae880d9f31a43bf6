//! Whole objects: put, get, head, copy, delete.

use std::ops::Range;
use std::sync::Arc;

use http::HeaderMap;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use crate::checksums::{Algorithm, put_checksum};
use crate::conditions::{WriteCondition, check_read};
use crate::content::Content;
use crate::declared::{Declared, text};
use crate::hashing::Digests;
use crate::service::Backend;
use crate::store::{KeptHeaders, Object, now};

/// The largest body of one PUT; larger ones are refused by what they declare.
const LARGEST_PUT_BYTES: u64 = 5 << 30;
/// How many keys one `DeleteObjects` may name.
const MOST_KEYS_OF_DELETE: usize = 1000;

/// The headers of a request that its object keeps.
macro_rules! kept_headers {
    ($input:expr) => {
        KeptHeaders {
            cache_control: $input.cache_control.clone(),
            content_disposition: $input.content_disposition.clone(),
            content_encoding: $crate::objects::stored_encoding($input.content_encoding.as_deref()),
            content_language: $input.content_language.clone(),
            content_type: $input.content_type.clone(),
            metadata: $input.metadata.clone(),
        }
    };
}
pub(crate) use kept_headers;

/// The `Content-Encoding` to keep: `aws-chunked` is about the journey, not about the object.
pub(crate) fn stored_encoding(encoding: Option<&str>) -> Option<String> {
    let encodings = encoding?.split(',').map(str::trim).filter(|encoding| *encoding != "aws-chunked");
    let stored = encodings.collect::<Vec<_>>().join(",");
    (!stored.is_empty()).then_some(stored)
}

/// The `ETag` of bytes: half of their SHA-256, so that nobody takes it for their MD5.
pub(crate) fn etag_of(digests: &Digests) -> String {
    hex::encode(&digests.sha256[..16])
}

/// The length of a body as its request declares it, without the framing of `aws-chunked`.
pub(crate) fn declared_bytes(headers: &HeaderMap) -> S3Result<Option<u64>> {
    let decoded = text(headers, "x-amz-decoded-content-length");
    let declared = decoded.or_else(|| text(headers, "content-length")).map(str::parse::<u64>).transpose();
    match declared.map_err(|_| s3_error!(InvalidArgument, "the length is not a number"))? {
        Some(bytes) if bytes > LARGEST_PUT_BYTES => {
            let message = "Your proposed upload exceeds the maximum allowed size";
            Err(s3_error!(EntityTooLarge, "{}", message))
        }
        declared => Ok(declared),
    }
}

/// A size as the answers have it.
pub(crate) fn size(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// An object that was asked for, and which of its bytes.
struct Found {
    object: Arc<Object>,
    range: Option<Range<u64>>,
    shows_checksum: bool,
}

impl Found {
    fn size_bytes(&self) -> u64 {
        let whole = self.object.content.size_bytes();
        self.range.as_ref().map_or(whole, |range| range.end - range.start)
    }

    fn content_range(&self) -> Option<String> {
        let range = self.range.as_ref()?;
        Some(format!("bytes {}-{}/{}", range.start, range.end - 1, self.object.content.size_bytes()))
    }
}

/// What GET and HEAD both say about an object.
macro_rules! described {
    ($output:ident, $found:expr) => {{
        let kept = $found.object.kept.clone();
        let mut output = $output {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: kept.cache_control,
            content_disposition: kept.content_disposition,
            content_encoding: kept.content_encoding,
            content_language: kept.content_language,
            content_length: Some(size($found.size_bytes())),
            content_range: $found.content_range(),
            content_type: Some(kept.content_type.unwrap_or_else(|| "binary/octet-stream".to_owned())),
            e_tag: Some($found.object.etag()),
            last_modified: Some($found.object.last_modified.into()),
            metadata: kept.metadata,
            ..$output::default()
        };
        // S3 shows the checksum of a whole object only, never beside a range of it.
        if let Some(checksum) = &$found.object.checksum
            && $found.shows_checksum
            && $found.range.is_none()
        {
            put_checksum!(output, checksum);
            output.checksum_type = Some(ChecksumType::from_static(checksum.kind.name()));
        }
        output
    }};
}

impl Backend {
    pub(crate) async fn put(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let S3Request { input, headers, trailing_headers, .. } = request;
        let declared_bytes = declared_bytes(&headers)?;
        self.store.bucket(&input.bucket, |_| Ok(()))?;
        let declared = Declared::of(&headers)?;
        let condition = WriteCondition::of(&headers)?;
        let kept = kept_headers!(input);
        let mut hasher = declared.hasher(declared.algorithm.unwrap_or(Algorithm::Crc64Nvme));
        let content = Content::receive(self.store.folder(), input.body, declared_bytes, &mut hasher).await?;
        let digests = hasher.finish();
        declared.compare(&digests, trailing_headers.as_ref())?;
        let object = whole_object(content, &digests, kept);
        let object = self.store.bucket(&input.bucket, |bucket| {
            self.store.publish((&input.bucket, bucket), &input.key, object, &condition)
        })?;
        let checksum_type = Some(ChecksumType::from_static(digests.checksum.kind.name()));
        let mut output = PutObjectOutput { e_tag: Some(object.etag()), checksum_type, ..Default::default() };
        put_checksum!(output, digests.checksum);
        Ok(S3Response::new(output))
    }

    pub(crate) fn get(&self, request: &S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = &request.input;
        refuse_part_number(input.part_number)?;
        let shows_checksum = input.checksum_mode.is_some();
        let version = input.version_id.as_deref();
        let object =
            self.store.bucket(&input.bucket, |bucket| bucket.object_or_version(&input.key, version))?;
        let found = find(&request.headers, object, input.range, shows_checksum)?;
        let mut output = described!(GetObjectOutput, found);
        let content = match &found.range {
            Some(range) => found.object.content.slice(range),
            None => found.object.content.clone(),
        };
        output.body = Some(StreamingBlob::wrap(content.stream()));
        Ok(S3Response::new(output))
    }

    pub(crate) fn head(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let S3Request { input, headers, .. } = request;
        refuse_part_number(input.part_number)?;
        let shows_checksum = input.checksum_mode.is_some();
        let version = input.version_id.as_deref();
        let object =
            self.store.bucket(&input.bucket, |bucket| bucket.object_or_version(&input.key, version))?;
        let found = find(&headers, object, input.range, shows_checksum)?;
        let mut output = described!(HeadObjectOutput, found);
        // s3s applies the response-* parameters to GET alone.
        output.cache_control = input.response_cache_control.or(output.cache_control);
        output.content_disposition = input.response_content_disposition.or(output.content_disposition);
        output.content_encoding = input.response_content_encoding.or(output.content_encoding);
        output.content_language = input.response_content_language.or(output.content_language);
        output.content_type = input.response_content_type.or(output.content_type);
        output.expires = input.response_expires;
        Ok(S3Response::new(output))
    }

    pub(crate) fn delete(
        &self,
        request: &S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let condition = WriteCondition::of(&request.headers)?;
        self.store.bucket(&request.input.bucket, |bucket| {
            condition.check(bucket.objects.get(&request.input.key))?;
            self.delete_or_hide(bucket, &request.input.key, request.input.version_id.as_deref());
            Ok(())
        })?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    pub(crate) fn delete_many(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let S3Request { input, headers, .. } = request;
        if Declared::of(&headers)?.is_empty() {
            let message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
            return Err(s3_error!(InvalidRequest, "{}", message));
        }
        if !(1..=MOST_KEYS_OF_DELETE).contains(&input.delete.objects.len()) {
            return Err(s3_error!(MalformedXML, "The XML you provided was not well-formed"));
        }
        let quiet = input.delete.quiet.unwrap_or_default();
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        self.store.bucket(&input.bucket, |bucket| {
            for ObjectIdentifier { key, e_tag, version_id, .. } in input.delete.objects {
                let existing = bucket.objects.get(&key).map(|object| object.etag());
                if e_tag.is_some() && e_tag != existing {
                    let code = Some("PreconditionFailed".to_owned());
                    errors.push(Error { code, key: Some(key), ..Default::default() });
                } else {
                    self.delete_or_hide(bucket, &key, version_id.as_deref());
                    deleted.push(DeletedObject { key: Some(key), ..Default::default() });
                }
            }
            Ok(())
        })?;
        let deleted = (!quiet).then_some(deleted);
        Ok(S3Response::new(DeleteObjectsOutput { deleted, errors: Some(errors), ..Default::default() }))
    }
}

fn find(
    headers: &HeaderMap,
    object: Arc<Object>,
    range: Option<s3s::dto::Range>,
    shows_checksum: bool,
) -> S3Result<Found> {
    check_read(headers, "", &object)?;
    let range = range.map(|range| range.check(object.content.size_bytes())).transpose()?;
    Ok(Found { object, range, shows_checksum })
}

pub(crate) fn whole_object(content: Content, digests: &Digests, kept: KeptHeaders) -> Object {
    Object {
        content,
        etag: etag_of(digests),
        last_modified: now(),
        kept,
        checksum: Some(digests.checksum.clone()),
        parts: Vec::new(),
    }
}

fn refuse_part_number(part_number: Option<i32>) -> S3Result {
    match part_number {
        Some(_) => Err(s3_error!(NotImplemented, "Reading by part number is not part of this stand-in")),
        None => Ok(()),
    }
}
