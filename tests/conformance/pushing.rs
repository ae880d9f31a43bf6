//! Pushes that a case needs before its own question; each fails the case if the registry refuses it.

use reqwest::Method;
use serde_json::Value;
use test_support::content::sha256;

use crate::client::Repository;
use crate::content::{CONFIG, Draft, EMPTY, LAYER, Manifest, descriptor, fresh_bytes, image_of};
use crate::reply::Reply;

impl Repository<'_> {
    /// Pushes a blob by POST then PUT and returns its digest.
    #[track_caller]
    pub(crate) fn push_blob(&self, bytes: &[u8]) -> String {
        let digest = sha256(bytes);
        self.start_upload().closing_request(&digest).body(bytes).expect(201);
        digest
    }

    /// Pushes a blob and returns its descriptor.
    #[track_caller]
    pub(crate) fn push_described(&self, media_type: &str, bytes: &[u8]) -> Value {
        self.push_blob(bytes);
        descriptor(media_type, bytes)
    }

    /// Pushes a config and a layer, and drafts the image of them.
    #[track_caller]
    pub(crate) fn draft_image(&self) -> Draft {
        let config = self.push_described(CONFIG, &fresh_bytes(64));
        let layer = self.push_described(LAYER, &fresh_bytes(256));
        image_of(&config, &[layer])
    }

    /// Pushes an empty config and a layer, and drafts the artifact of them.
    #[track_caller]
    pub(crate) fn draft_artifact(&self, artifact_type: &str) -> Draft {
        let config = self.push_described(EMPTY, b"{}");
        let layer = self.push_described("text/plain", &fresh_bytes(64));
        image_of(&config, &[layer]).with("artifactType", artifact_type)
    }

    /// Sends a manifest; the reply is the case's to judge.
    #[track_caller]
    pub(crate) fn put_manifest(&self, reference: &str, manifest: &Manifest) -> Reply {
        let request = self.request(Method::PUT, &format!("manifests/{reference}"));
        request.header("Content-Type", &manifest.media_type).body(&manifest.bytes).send()
    }

    /// Sends a manifest to its own digest; the reply is the case's to judge.
    #[track_caller]
    pub(crate) fn put_by_digest(&self, manifest: &Manifest) -> Reply {
        self.put_manifest(&manifest.digest, manifest)
    }

    /// Pushes a manifest to its own digest.
    #[track_caller]
    pub(crate) fn push(&self, manifest: Manifest) -> Manifest {
        self.put_by_digest(&manifest).expect(201);
        manifest
    }

    /// Pushes an image of a config and a layer under a tag.
    #[track_caller]
    pub(crate) fn push_image(&self, tag: &str) -> Manifest {
        let image = self.draft_image().build();
        self.put_manifest(tag, &image).expect(201);
        image
    }

    /// Pushes one image under all of the tags.
    #[track_caller]
    pub(crate) fn push_tags(&self, tags: &[&str]) -> Manifest {
        let image = self.draft_image().build();
        for tag in tags {
            self.put_manifest(tag, &image).expect(201);
        }
        image
    }

    /// Starts a GET of a manifest.
    #[track_caller]
    pub(crate) fn pull_manifest(&self, reference: &str) -> Reply {
        self.get(&format!("manifests/{reference}")).send()
    }

    /// Starts a GET of a blob.
    #[track_caller]
    pub(crate) fn pull_blob(&self, digest: &str) -> Reply {
        self.get(&format!("blobs/{digest}")).send()
    }
}
