//! Uploads in parts: create, upload a part, copy a part, complete, abort.

use std::collections::BTreeMap;
use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use crate::checksums::{Algorithm, Checksum, ChecksumKind, given_checksum, put_checksum};
use crate::conditions::WriteCondition;
use crate::content::Content;
use crate::declared::Declared;
use crate::hashing::{Digests, Hasher};
use crate::objects::{declared_bytes, etag_of, kept_headers, size};
use crate::service::Backend;
use crate::store::{Bucket, KeptHeaders, Object, Part, Upload, UploadKey, now};

/// The smallest part, unless it is the last one.
const SMALLEST_PART_BYTES: u64 = 5 << 20;
const LARGEST_PART_NUMBER: i32 = 10_000;

impl Backend {
    pub(crate) fn create_upload(
        &self,
        input: &CreateMultipartUploadInput,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let algorithm = input.checksum_algorithm.as_ref();
        let algorithm = algorithm.map(|name| Algorithm::parse(name.as_str())).transpose()?;
        let kind = input.checksum_type.as_ref().map(ChecksumType::as_str);
        let kind = ChecksumKind::of_upload(algorithm, kind)?;
        let kept = kept_headers!(input);
        let upload = Upload { initiated: now(), kept, algorithm, kind, parts: BTreeMap::new() };
        let upload_id = format!("{:016x}.standin", self.store.next_number());
        self.store.bucket(&input.bucket, |bucket| {
            bucket.uploads.insert((input.key.clone(), upload_id.clone()), upload);
            Ok(())
        })?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket.clone()),
            key: Some(input.key.clone()),
            upload_id: Some(upload_id),
            checksum_algorithm: algorithm.map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
            checksum_type: algorithm.map(|_| ChecksumType::from_static(kind.name())),
            ..Default::default()
        }))
    }

    pub(crate) async fn receive_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let S3Request { input, headers, trailing_headers, .. } = request;
        let key = (input.key, input.upload_id);
        let declared_bytes = declared_bytes(&headers)?;
        let upload = self.find_upload(&input.bucket, &key, input.part_number)?;
        let declared = Declared::of(&headers)?;
        check_algorithm(&upload, declared.algorithm)?;
        let mut hasher = declared.hasher(upload.algorithm.unwrap_or(Algorithm::Crc64Nvme));
        let content = Content::receive(self.store.folder(), input.body, declared_bytes, &mut hasher).await?;
        let digests = hasher.finish();
        declared.compare(&digests, trailing_headers.as_ref())?;
        let part = self.keep_part(&input.bucket, &key, input.part_number, content, &digests)?;
        let mut output = UploadPartOutput { e_tag: Some(ETag::Strong(part.etag)), ..Default::default() };
        let shown = declared.algorithm.or(upload.algorithm);
        if let Some(checksum) = shown.and_then(|algorithm| digests.of(algorithm)) {
            put_checksum!(output, checksum);
        }
        Ok(S3Response::new(output))
    }

    pub(crate) async fn copy_part(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let S3Request { input, headers, .. } = request;
        let key = (input.key, input.upload_id);
        let upload = self.find_upload(&input.bucket, &key, input.part_number)?;
        let source = self.source(&input.copy_source, &headers)?;
        let content = copied_range(&source.content, input.copy_source_range.as_deref())?;
        let mut hasher = Hasher::new(upload.algorithm.unwrap_or(Algorithm::Crc64Nvme));
        content.hash(&mut hasher).await?;
        let part = self.keep_part(&input.bucket, &key, input.part_number, content, &hasher.finish())?;
        let mut result = CopyPartResult {
            e_tag: Some(ETag::Strong(part.etag)),
            last_modified: Some(part.last_modified.into()),
            ..Default::default()
        };
        if upload.algorithm.is_some() {
            put_checksum!(result, part.checksum);
        }
        Ok(S3Response::new(UploadPartCopyOutput { copy_part_result: Some(result), ..Default::default() }))
    }

    fn find_upload(&self, bucket: &str, key: &UploadKey, part_number: i32) -> S3Result<Upload> {
        if !(1..=LARGEST_PART_NUMBER).contains(&part_number) {
            let message = "Part number must be an integer between 1 and 10000, inclusive";
            return Err(s3_error!(InvalidArgument, "{}", message));
        }
        self.store.bucket(bucket, |bucket| bucket.upload(key).cloned())
    }

    fn keep_part(
        &self,
        bucket: &str,
        key: &UploadKey,
        number: i32,
        content: Content,
        digests: &Digests,
    ) -> S3Result<Part> {
        let checksum = digests.checksum.clone();
        let part = Part { content, etag: etag_of(digests), last_modified: now(), checksum };
        self.store.bucket(bucket, |bucket| {
            bucket.upload(key)?.parts.insert(number, part.clone());
            Ok(part)
        })
    }

    pub(crate) fn complete(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let S3Request { input, headers, .. } = request;
        let condition = WriteCondition::of(&headers)?;
        let key = (input.key.clone(), input.upload_id.clone());
        let named =
            input.multipart_upload.as_ref().and_then(|upload| upload.parts.as_deref()).unwrap_or_default();
        let etags: Vec<_> =
            named.iter().filter_map(|part| part.e_tag.clone().map(ETag::into_value)).collect();
        let object = self.store.bucket(&input.bucket, |bucket| {
            if let Some(object) = self.completed(bucket, &key, &etags) {
                return Ok(object);
            }
            let object = assemble(bucket.upload(&key)?, named)?;
            check_promises(&input, &object)?;
            let object = self.store.publish((&input.bucket, &mut *bucket), &input.key, object, &condition)?;
            bucket.uploads.remove(&key);
            bucket.completed.insert(key, (etags, object.clone()));
            Ok(object)
        })?;
        let mut output = CompleteMultipartUploadOutput {
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(object.etag()),
            ..Default::default()
        };
        if let Some(checksum) = &object.checksum {
            put_checksum!(output, checksum);
            output.checksum_type = Some(ChecksumType::from_static(checksum.kind.name()));
        }
        Ok(S3Response::new(output))
    }

    /// What an upload that is complete already became, for one who repeats the call.
    fn completed(&self, bucket: &Bucket, key: &UploadKey, etags: &[String]) -> Option<Arc<Object>> {
        let (named, object) = bucket.completed.get(key)?;
        (self.repeat_complete && named == etags).then(|| object.clone())
    }

    pub(crate) fn abort(
        &self,
        input: AbortMultipartUploadInput,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let key = (input.key, input.upload_id);
        self.store.bucket(&input.bucket, |bucket| {
            bucket.upload(&key)?;
            bucket.uploads.remove(&key);
            Ok(())
        })?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}

/// A part's checksum must be of the upload's algorithm; a composite checksum cannot do without it. An upload
/// that names no algorithm takes any: the SDKs send one unasked.
fn check_algorithm(upload: &Upload, declared: Option<Algorithm>) -> S3Result {
    let fits = match (upload.algorithm, declared) {
        (None, _) => true,
        (Some(_), None) => upload.kind == ChecksumKind::FullObject,
        (expected, declared) => expected == declared,
    };
    if fits {
        return Ok(());
    }
    let name = |algorithm: Option<Algorithm>| {
        algorithm.map_or_else(|| "null".to_owned(), |algorithm| algorithm.name().to_ascii_lowercase())
    };
    Err(s3_error!(
        InvalidRequest,
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
        name(upload.algorithm),
        name(declared)
    ))
}

fn copied_range(source: &Content, range: Option<&str>) -> S3Result<Content> {
    let Some(range) = range else { return Ok(source.clone()) };
    let whole = source.size_bytes();
    let bounds = range.strip_prefix("bytes=").and_then(|bounds| bounds.split_once('-'));
    let bounds = bounds.and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    match bounds {
        Some((first, last)) if first <= last && last < whole => Ok(source.slice(&(first..last + 1))),
        _ => Err(s3_error!(
            InvalidArgument,
            "Range specified is not valid for source object of size: {}",
            whole
        )),
    }
}

/// The object of an upload from the parts that a Complete names, if they are the ones that were uploaded.
fn assemble(upload: &Upload, named: &[CompletedPart]) -> S3Result<Object> {
    if named.is_empty() {
        return Err(s3_error!(MalformedXML, "The XML you provided was not well-formed"));
    }
    if !named.is_sorted_by(|before, after| before.part_number < after.part_number) {
        return Err(s3_error!(InvalidPartOrder, "The list of parts was not in ascending order."));
    }
    let mut parts = Vec::new();
    for part in named {
        parts.push((part.part_number.unwrap_or_default(), named_part(upload, part)?));
    }
    let not_last = &parts[..parts.len() - 1];
    if not_last.iter().any(|(_, part)| part.content.size_bytes() < SMALLEST_PART_BYTES) {
        return Err(s3_error!(
            EntityTooSmall,
            "Your proposed upload is smaller than the minimum allowed size"
        ));
    }
    joined(upload, &parts)
}

fn named_part<'a>(upload: &'a Upload, named: &CompletedPart) -> S3Result<&'a Part> {
    let missing = || {
        let message = "One or more of the specified parts could not be found.";
        s3_error!(InvalidPart, "{}", message)
    };
    let number = named.part_number.unwrap_or_default();
    let part = upload.parts.get(&number).ok_or_else(missing)?;
    if named.e_tag.as_ref().map(ETag::value) != Some(part.etag.as_str()) {
        return Err(missing());
    }
    match given_checksum!(named) {
        Some(given) if given == (part.checksum.algorithm, part.checksum.value.clone()) => Ok(part),
        Some(_) => Err(missing()),
        None if upload.kind == ChecksumKind::Composite => Err(s3_error!(
            InvalidRequest,
            "The upload was created using a {} checksum. The complete request must include the checksum for each \
             part. It was missing for part {} in the request.",
            part.checksum.algorithm.name().to_ascii_lowercase(),
            number
        )),
        None => Ok(part),
    }
}

fn joined(upload: &Upload, parts: &[(i32, &Part)]) -> S3Result<Object> {
    let checksums: Vec<_> =
        parts.iter().map(|(_, part)| (&part.checksum, part.content.size_bytes())).collect();
    let mut etags = Hasher::new(Algorithm::Sha256);
    parts.iter().for_each(|(_, part)| etags.update(part.etag.as_bytes()));
    let sizes =
        parts.iter().map(|(number, part)| (*number, part.content.size_bytes(), part.checksum.clone()));
    Ok(Object {
        content: Content::concat(parts.iter().map(|(_, part)| &part.content)),
        etag: format!("{}-{}", etag_of(&etags.finish()), parts.len()),
        last_modified: now(),
        kept: KeptHeaders::clone(&upload.kept),
        checksum: Some(Checksum::of_parts(upload.kind, &checksums)?),
        parts: sizes.collect(),
    })
}

/// What a Complete may say about the whole object: its checksum, the kind of it, its size.
fn check_promises(input: &CompleteMultipartUploadInput, object: &Object) -> S3Result {
    let Some(checksum) = &object.checksum else { return Ok(()) };
    if input.checksum_type.as_ref().is_some_and(|kind| kind.as_str() != checksum.kind.name()) {
        return Err(s3_error!(InvalidRequest, "The upload was created with another checksum type."));
    }
    if input.mpu_object_size.is_some_and(|bytes| bytes != size(object.content.size_bytes())) {
        let message = "The provided 'x-amz-mp-object-size' header value does not match what was computed";
        return Err(s3_error!(InvalidRequest, "{}", message));
    }
    match given_checksum!(input) {
        Some((algorithm, given)) if algorithm != checksum.algorithm || !checksum.matches(&given) => {
            let name = algorithm.name().to_ascii_lowercase();
            Err(s3_error!(BadDigest, "The {} you specified did not match the calculated checksum.", name))
        }
        _ => Ok(()),
    }
}
