//! Versions of objects, for buckets that keep them: a deletion hides, and only the deletion of a version removes.

use std::sync::Arc;
use std::time::SystemTime;

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use crate::objects::size;
use crate::service::Backend;
use crate::store::{Bucket, Object, now};

/// What was under a key from one moment on.
#[derive(Clone)]
pub(crate) struct Version {
    id: String,
    /// None where it was deleted.
    object: Option<Arc<Object>>,
    since: SystemTime,
}

impl Bucket {
    /// Makes `object`, or nothing, what is under the key; a bucket with versions keeps what was there before.
    pub(crate) fn set(&mut self, key: &str, object: Option<Arc<Object>>, number: u64) {
        if let Some(history) = &mut self.history {
            let version = Version { id: format!("{number:032x}"), object: object.clone(), since: now() };
            history.entry(key.to_owned()).or_default().push(version);
        }
        self.show(key, object);
    }

    fn show(&mut self, key: &str, object: Option<Arc<Object>>) {
        match object {
            Some(object) => drop(self.objects.insert(key.to_owned(), object)),
            None => drop(self.objects.remove(key)),
        }
    }

    /// Returns the object, or the version of it that is asked for.
    pub(crate) fn object_or_version(&self, key: &str, id: Option<&str>) -> S3Result<Arc<Object>> {
        let Some(id) = id else { return self.object(key) };
        let versions = self.history.as_ref().and_then(|history| history.get(key));
        let version = versions.into_iter().flatten().find(|version| version.id == id);
        match version {
            None => Err(s3_error!(NoSuchVersion, "The specified version does not exist.")),
            Some(Version { object: None, .. }) => {
                Err(s3_error!(MethodNotAllowed, "The specified method is not allowed against this resource."))
            }
            Some(Version { object: Some(object), .. }) => Ok(object.clone()),
        }
    }

    /// Removes a version for good; what was there before it is there again.
    fn delete_version(&mut self, key: &str, id: &str) {
        let Some(versions) = self.history.as_mut().and_then(|history| history.get_mut(key)) else { return };
        versions.retain(|version| version.id != id);
        let last = versions.last().and_then(|version| version.object.clone());
        self.show(key, last);
    }
}

impl Backend {
    /// Deletes an object, or a version of it.
    pub(crate) fn delete_or_hide(&self, bucket: &mut Bucket, key: &str, id: Option<&str>) {
        match id {
            Some(id) => bucket.delete_version(key, id),
            None => bucket.set(key, None, self.store.next_number()),
        }
    }

    pub(crate) fn list_versions(
        &self,
        request: S3Request<ListObjectVersionsInput>,
    ) -> S3Result<S3Response<ListObjectVersionsOutput>> {
        let ListObjectVersionsInput { bucket, prefix, delimiter, key_marker, .. } = request.input;
        if delimiter.is_some() || key_marker.is_some() {
            return Err(s3_error!(NotImplemented, "Versions are listed whole in this stand-in"));
        }
        let (mut versions, mut delete_markers) = (Vec::new(), Vec::new());
        self.store.bucket(&bucket, |bucket| {
            let prefix = prefix.as_deref().unwrap_or_default();
            let of_prefix = bucket.history.iter().flatten().filter(|(key, _)| key.starts_with(prefix));
            for (key, history) in of_prefix {
                for (age, version) in history.iter().rev().enumerate() {
                    match &version.object {
                        Some(object) => versions.push(listed(key, version, object, age == 0)),
                        None => delete_markers.push(marker(key, version, age == 0)),
                    }
                }
            }
            Ok(())
        })?;
        Ok(S3Response::new(ListObjectVersionsOutput {
            name: Some(bucket),
            prefix,
            is_truncated: Some(false),
            versions: Some(versions),
            delete_markers: Some(delete_markers),
            ..Default::default()
        }))
    }
}

fn listed(key: &str, version: &Version, object: &Object, is_latest: bool) -> ObjectVersion {
    ObjectVersion {
        key: Some(key.to_owned()),
        version_id: Some(version.id.clone()),
        is_latest: Some(is_latest),
        last_modified: Some(version.since.into()),
        e_tag: Some(object.etag()),
        size: Some(size(object.content.size_bytes())),
        ..Default::default()
    }
}

fn marker(key: &str, version: &Version, is_latest: bool) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        key: Some(key.to_owned()),
        version_id: Some(version.id.clone()),
        is_latest: Some(is_latest),
        last_modified: Some(version.since.into()),
        ..Default::default()
    }
}
