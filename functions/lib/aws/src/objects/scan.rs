//! Everything that is stored, for checks.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use registry::ports::{ObjectInfo, ObjectKey, ObjectScan, StoreError};

use super::S3;
use super::state::{TAIL_PREFIX, object_of_tail};
use crate::error::store_error;

#[async_trait]
impl ObjectScan for S3 {
    async fn scan(&self) -> Result<Vec<ObjectInfo>, StoreError> {
        let objects = list(self, "data/").await?;
        let tails = list(self, TAIL_PREFIX).await?;
        let mut unfinished = BTreeMap::new();
        for (key, size_bytes) in tails {
            if let Some(object) = object_of_tail(&key) {
                unfinished.insert(object, size_bytes);
            }
        }
        for key in list_multipart_uploads(self).await? {
            unfinished.entry(ObjectKey::stored(key)).or_default();
        }
        let finished: BTreeSet<&str> = objects.iter().map(|(key, _)| key.as_str()).collect();
        let unfinished = unfinished
            .into_iter()
            .filter(|(key, _)| !finished.contains(key.as_str()))
            .map(|(key, size_bytes)| ObjectInfo { key, size_bytes, is_unfinished: true });
        let objects = objects.iter().map(|(key, size_bytes)| ObjectInfo {
            key: ObjectKey::stored(key),
            size_bytes: *size_bytes,
            is_unfinished: false,
        });
        Ok(objects.chain(unfinished).collect())
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

async fn list_multipart_uploads(store: &S3) -> Result<Vec<String>, StoreError> {
    let (mut found, mut key_marker, mut id_marker) = (Vec::new(), None, None);
    loop {
        let list = store.client.list_multipart_uploads().bucket(&store.bucket);
        let list = list.set_key_marker(key_marker).set_upload_id_marker(id_marker);
        let page = list.send().await.map_err(|error| store_error("list of uploads", error))?;
        found.extend(page.uploads.unwrap_or_default().into_iter().filter_map(|upload| upload.key));
        if page.is_truncated != Some(true) {
            return Ok(found);
        }
        (key_marker, id_marker) = (page.next_key_marker, page.next_upload_id_marker);
    }
}
