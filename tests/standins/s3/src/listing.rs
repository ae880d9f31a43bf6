//! What lists and describes: objects, parts, uploads, and the attributes of one object.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::*;
use s3s::{S3Response, S3Result, s3_error};

use crate::checksums::{Algorithm, ChecksumKind, put_checksum};
use crate::objects::size;
use crate::service::Backend;
use crate::store::Object;

/// How many entries a page has at most, and by default.
const PAGE_ENTRIES: i32 = 1000;
/// What `encoding-type=url` leaves as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// One entry of a listing of objects.
enum Entry {
    Object(String, Arc<Object>),
    CommonPrefix(String),
}

/// Where a page begins.
enum Start {
    /// After this key.
    Key(String),
    /// After all keys that begin with this.
    Prefix(String),
}

impl Start {
    /// The place that a continuation token stands for.
    fn of_token(token: &str) -> S3Result<Self> {
        let raw = hex::decode(token).ok().and_then(|raw| String::from_utf8(raw).ok());
        let start = raw.as_deref().and_then(|raw| raw.split_once(':')).and_then(|(kind, name)| match kind {
            "key" => Some(Self::Key(name.to_owned())),
            "prefix" => Some(Self::Prefix(name.to_owned())),
            _ => None,
        });
        start.ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
    }

    /// The token for what follows `entry`.
    fn token_after(entry: &Entry) -> String {
        hex::encode(match entry {
            Entry::Object(key, _) => format!("key:{key}"),
            Entry::CommonPrefix(prefix) => format!("prefix:{prefix}"),
        })
    }

    fn is_before(&self, key: &str) -> bool {
        match self {
            Self::Key(last) => key > last.as_str(),
            Self::Prefix(last) => key > last.as_str() && !key.starts_with(last.as_str()),
        }
    }

    fn text(&self) -> &str {
        let (Self::Key(text) | Self::Prefix(text)) = self;
        text
    }
}

/// The entries after `start`, in the order of the keys' bytes, at most `most`; and whether there are more.
fn page(
    objects: &BTreeMap<String, Arc<Object>>,
    (prefix, delimiter): (&str, Option<&str>),
    start: &Start,
    most: usize,
) -> (Vec<Entry>, bool) {
    let mut entries = Vec::new();
    let first = prefix.max(start.text());
    let keys = objects.range::<str, _>((Bound::Included(first), Bound::Unbounded));
    let keys = keys.filter(|(key, _)| start.is_before(key));
    for (key, object) in keys.take_while(|(key, _)| key.starts_with(prefix)) {
        if matches!(entries.last(), Some(Entry::CommonPrefix(last)) if key.starts_with(last.as_str())) {
            continue;
        }
        if entries.len() == most {
            return (entries, most > 0);
        }
        let rest = &key[prefix.len()..];
        let cut =
            delimiter.filter(|text| !text.is_empty()).and_then(|text| Some(rest.find(text)? + text.len()));
        entries.push(match cut {
            Some(length) => Entry::CommonPrefix(key[..prefix.len() + length].to_owned()),
            None => Entry::Object(key.clone(), object.clone()),
        });
    }
    (entries, false)
}

/// The number of entries that a request may have in one page.
fn entries_of_page(asked: Option<i32>) -> S3Result<i32> {
    match asked.unwrap_or(PAGE_ENTRIES) {
        asked @ 0.. => Ok(asked.min(PAGE_ENTRIES)),
        _ => Err(s3_error!(InvalidArgument, "Argument must be an integer between 0 and 2147483647")),
    }
}

fn escape(name: String, encoding: Option<&EncodingType>) -> String {
    match encoding {
        Some(_) => utf8_percent_encode(&name, ESCAPED).to_string(),
        None => name,
    }
}

impl Backend {
    pub(crate) fn list_objects(
        &self,
        input: ListObjectsV2Input,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let max_keys = entries_of_page(input.max_keys)?;
        let start = match (&input.continuation_token, &input.start_after) {
            (Some(token), _) => Start::of_token(token)?,
            (None, start_after) => Start::Key(start_after.clone().unwrap_or_default()),
        };
        let names = (input.prefix.as_deref().unwrap_or_default(), input.delimiter.as_deref());
        let most = usize::try_from(max_keys).unwrap_or_default();
        let (entries, is_truncated) =
            self.store.bucket(&input.bucket, |bucket| Ok(page(&bucket.objects, names, &start, most)))?;
        let next = entries.last().filter(|_| is_truncated).map(Start::token_after);
        let key_count = i32::try_from(entries.len()).unwrap_or_default();
        let (contents, common_prefixes) = elements(entries, input.encoding_type.as_ref());
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(input.prefix.unwrap_or_default()),
            max_keys: Some(max_keys),
            key_count: Some(key_count),
            continuation_token: input.continuation_token,
            is_truncated: Some(is_truncated),
            next_continuation_token: next,
            contents: Some(contents),
            common_prefixes: Some(common_prefixes),
            delimiter: input.delimiter,
            encoding_type: input.encoding_type,
            start_after: input.start_after,
            ..Default::default()
        }))
    }

    pub(crate) fn list_upload_parts(&self, input: ListPartsInput) -> S3Result<S3Response<ListPartsOutput>> {
        let key = (input.key.clone(), input.upload_id.clone());
        let upload = self.store.bucket(&input.bucket, |bucket| bucket.upload(&key).cloned())?;
        let max_parts = entries_of_page(input.max_parts)?;
        let most = usize::try_from(max_parts).unwrap_or_default();
        let marker = input.part_number_marker.unwrap_or_default();
        let mut after = upload.parts.range((Bound::Excluded(marker), Bound::Unbounded));
        let parts = after.by_ref().take(most).map(|(number, part)| {
            let mut element = Part {
                part_number: Some(*number),
                e_tag: Some(ETag::Strong(part.etag.clone())),
                size: Some(size(part.content.size_bytes())),
                last_modified: Some(part.last_modified.into()),
                ..Default::default()
            };
            if upload.algorithm.is_some() {
                put_checksum!(element, part.checksum);
            }
            element
        });
        let parts: Vec<_> = parts.collect();
        let is_truncated = after.next().is_some();
        Ok(S3Response::new(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            checksum_algorithm: upload
                .algorithm
                .map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
            checksum_type: upload.algorithm.map(|_| ChecksumType::from_static(upload.kind.name())),
            max_parts: Some(max_parts),
            is_truncated: Some(is_truncated),
            part_number_marker: Some(marker),
            next_part_number_marker: parts.last().filter(|_| is_truncated).and_then(|part| part.part_number),
            parts: Some(parts),
            ..Default::default()
        }))
    }

    pub(crate) fn list_uploads(
        &self,
        input: ListMultipartUploadsInput,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        if input.delimiter.is_some() {
            return Err(s3_error!(NotImplemented, "Uploads by delimiter are not part of this stand-in"));
        }
        let max_uploads = entries_of_page(input.max_uploads)?;
        let most = usize::try_from(max_uploads).unwrap_or_default();
        let prefix = input.prefix.clone().unwrap_or_default();
        let key_marker = input.key_marker.clone().unwrap_or_default();
        // Without an upload id, the listing goes on after all uploads of the marker's key.
        let is_after = |key: &str, upload_id: &str| match &input.upload_id_marker {
            Some(marker) => (key, upload_id) > (key_marker.as_str(), marker.as_str()),
            None => key > key_marker.as_str(),
        };
        let (uploads, is_truncated) = self.store.bucket(&input.bucket, |bucket| {
            let uploads =
                bucket.uploads.iter().filter(|((key, id), _)| key.starts_with(&prefix) && is_after(key, id));
            let mut uploads = uploads.map(|((key, upload_id), upload)| MultipartUpload {
                key: Some(key.clone()),
                upload_id: Some(upload_id.clone()),
                initiated: Some(upload.initiated.into()),
                ..Default::default()
            });
            Ok((uploads.by_ref().take(most).collect::<Vec<_>>(), uploads.next().is_some()))
        })?;
        let last = uploads.last().filter(|_| is_truncated);
        Ok(S3Response::new(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            is_truncated: Some(is_truncated),
            key_marker: input.key_marker,
            max_uploads: Some(max_uploads),
            next_key_marker: last.and_then(|upload| upload.key.clone()),
            next_upload_id_marker: last.and_then(|upload| upload.upload_id.clone()),
            prefix: input.prefix,
            upload_id_marker: input.upload_id_marker,
            uploads: Some(uploads),
            ..Default::default()
        }))
    }

    pub(crate) fn attributes(
        &self,
        input: &GetObjectAttributesInput,
    ) -> S3Result<S3Response<GetObjectAttributesOutput>> {
        let object = self.store.object(&input.bucket, &input.key)?;
        let names = input.object_attributes.iter().flat_map(|names| names.as_str().split(','));
        let names: Vec<_> = names.map(str::trim).collect();
        let asked = |name| names.contains(&name);
        Ok(S3Response::new(GetObjectAttributesOutput {
            checksum: checksum_element(&object).filter(|_| asked(ObjectAttributes::CHECKSUM)),
            e_tag: asked(ObjectAttributes::ETAG).then(|| object.etag()),
            last_modified: Some(object.last_modified.into()),
            object_parts: parts_element(&object).filter(|_| asked(ObjectAttributes::OBJECT_PARTS)),
            object_size: asked(ObjectAttributes::OBJECT_SIZE).then(|| size(object.content.size_bytes())),
            storage_class: asked(ObjectAttributes::STORAGE_CLASS)
                .then(|| StorageClass::from_static(StorageClass::STANDARD)),
            ..Default::default()
        }))
    }
}

/// The XML elements of a page's entries.
fn elements(
    entries: Vec<Entry>,
    encoding: Option<&EncodingType>,
) -> (Vec<s3s::dto::Object>, Vec<CommonPrefix>) {
    let (mut contents, mut common_prefixes) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Entry::Object(key, object) => contents.push(s3s::dto::Object {
                key: Some(escape(key, encoding)),
                e_tag: Some(object.etag()),
                last_modified: Some(object.last_modified.into()),
                size: Some(size(object.content.size_bytes())),
                storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
                ..Default::default()
            }),
            Entry::CommonPrefix(prefix) => {
                common_prefixes.push(CommonPrefix { prefix: Some(escape(prefix, encoding)) });
            }
        }
    }
    (contents, common_prefixes)
}

/// The checksum as `GetObjectAttributes` has it: without the `-<parts>` that HEAD shows.
fn checksum_element(object: &Object) -> Option<Checksum> {
    let mut checksum = object.checksum.clone()?;
    checksum.value = checksum.value.split('-').next().unwrap_or_default().to_owned();
    let checksum_type = Some(ChecksumType::from_static(checksum.kind.name()));
    let mut element = Checksum { checksum_type, ..Default::default() };
    put_checksum!(element, checksum);
    Some(element)
}

/// The parts of an object that was uploaded in parts; S3 names each only where the checksum is composite.
fn parts_element(object: &Object) -> Option<GetObjectAttributesParts> {
    let total = i32::try_from(object.parts.len()).ok().filter(|total| *total > 0)?;
    let is_composite = object.checksum.as_ref().is_some_and(|sum| sum.kind == ChecksumKind::Composite);
    let parts = object.parts.iter().map(|(number, size_bytes, checksum)| {
        let mut part =
            ObjectPart { part_number: Some(*number), size: Some(size(*size_bytes)), ..Default::default() };
        put_checksum!(part, checksum);
        part
    });
    Some(GetObjectAttributesParts {
        total_parts_count: Some(total),
        parts: is_composite.then(|| parts.collect()),
        ..Default::default()
    })
}
