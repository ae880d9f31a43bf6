//! Everything that is stored, for checks.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use registry::ports::{ObjectInfo, ObjectKey, ObjectScan, StoreError};

use super::S3;
use super::state::{TAIL_PREFIX, object_of_tail};
use crate::error::{has_code, store_error};

#[async_trait]
impl ObjectScan for S3 {
    async fn scan(&self) -> Result<Vec<ObjectInfo>, StoreError> {
        let objects = list(self, OBJECT_PREFIX).await?;
        let finished: BTreeSet<&str> = objects.iter().map(|(key, _)| key.as_str()).collect();
        let mut unfinished: BTreeMap<ObjectKey, Unfinished> = BTreeMap::new();
        for (key, size_bytes) in list(self, TAIL_PREFIX).await? {
            if let Some(object) = object_of_tail(&key) {
                unfinished.entry(object).or_default().tail(size_bytes);
            }
        }
        for (key, multipart_id) in list_multipart_uploads(self).await? {
            if !finished.contains(key.as_str()) {
                let size_bytes = parts_size(self, &key, &multipart_id).await?;
                unfinished.entry(ObjectKey::stored(key)).or_default().parts(size_bytes);
            }
        }
        let unfinished = unfinished
            .into_iter()
            .filter(|(key, _)| !finished.contains(key.as_str()))
            .map(|(key, sizes)| ObjectInfo { key, size_bytes: sizes.sum(), is_unfinished: true });
        let objects = objects.iter().map(|(key, size_bytes)| ObjectInfo {
            key: ObjectKey::stored(key),
            size_bytes: *size_bytes,
            is_unfinished: false,
        });
        Ok(objects.chain(unfinished).collect())
    }
}

/// The beginning of the keys of objects.
const OBJECT_PREFIX: &str = "data/";

/// How many bytes there are of an upload: at least those that were acknowledged.
///
/// A call whose answer was lost leaves a second tail, or a second multipart upload; which one counts stands in the
/// upload's item, and the longest is no shorter.
#[derive(Default)]
struct Unfinished {
    parts_bytes: u64,
    tail_bytes: u64,
}

impl Unfinished {
    fn tail(&mut self, size_bytes: u64) {
        self.tail_bytes = self.tail_bytes.max(size_bytes);
    }

    fn parts(&mut self, size_bytes: u64) {
        self.parts_bytes = self.parts_bytes.max(size_bytes);
    }

    fn sum(&self) -> u64 {
        self.parts_bytes + self.tail_bytes
    }
}

async fn list(store: &S3, prefix: &str) -> Result<Vec<(String, u64)>, StoreError> {
    let mut pages =
        store.client.list_objects_v2().bucket(&store.bucket).prefix(prefix).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| store_error(format!("list of {prefix}"), error))?;
        found.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| {
            Some((object.key?, object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default()))
        }));
    }
    Ok(found)
}

/// Returns key and id of each multipart upload of an object.
async fn list_multipart_uploads(store: &S3) -> Result<Vec<(String, String)>, StoreError> {
    let (mut found, mut key_marker, mut id_marker) = (Vec::new(), None, None);
    loop {
        let list = store.client.list_multipart_uploads().bucket(&store.bucket).prefix(OBJECT_PREFIX);
        let list = list.set_key_marker(key_marker).set_upload_id_marker(id_marker);
        let page = list.send().await.map_err(|error| store_error("list of uploads", error))?;
        let uploads = page.uploads.unwrap_or_default().into_iter();
        found.extend(uploads.filter_map(|upload| Some((upload.key?, upload.upload_id?))));
        if page.is_truncated != Some(true) {
            return Ok(found);
        }
        (key_marker, id_marker) = (page.next_key_marker, page.next_upload_id_marker);
    }
}

/// Returns how many bytes the parts of a multipart upload have; none if it ended meanwhile.
async fn parts_size(store: &S3, key: &str, multipart_id: &str) -> Result<u64, StoreError> {
    let list = store.client.list_parts().bucket(&store.bucket).key(key).upload_id(multipart_id);
    let (mut pages, mut size_bytes) = (list.into_paginator().send(), 0);
    while let Some(page) = pages.next().await {
        let page = match page {
            Ok(page) => page,
            Err(error) if has_code(&error, &["NoSuchUpload"]) => return Ok(0),
            Err(error) => return Err(store_error(format!("parts of {key}"), error)),
        };
        let sizes = page.parts.unwrap_or_default().into_iter().filter_map(|part| part.size);
        size_bytes += sizes.filter_map(|size| u64::try_from(size).ok()).sum::<u64>();
    }
    Ok(size_bytes)
}
