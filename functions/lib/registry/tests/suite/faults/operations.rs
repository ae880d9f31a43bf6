//! Every operation: what has to be there before, the request, and how a client repeats it.

use std::time::Duration;

use crate::client::{Client, Reply, blob, committing, manifest, mounting, uploads};
use crate::content::{Content, Image};
use crate::world::World;

/// Every operation; those that a store answers in several ways are here several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    UploadBegin,
    UploadAppend,
    UploadAppendInOrder,
    UploadFinish,
    UploadFinishWithLastChunk,
    UploadFinishByOtherAlgorithm,
    UploadFinishOfKnownBlob,
    UploadCancel,
    BlobPost,
    Mount,
    MountFromAnywhere,
    ManifestPut,
    ManifestPutMovesTag,
    ManifestPutManyTags,
    ManifestPutLarge,
    ManifestPutWithoutBlobs,
    IndexPut,
    ReferrerPut,
    ManifestDelete,
    ManifestDeleteManyTags,
    ReferrerDelete,
    ReferrerDeleteWide,
    ManifestDeleteOfChild,
    TagDelete,
    BlobDelete,
    BlobDeleteOfLayer,
    HeadWithRenewal,
    Ping,
    CatalogList,
    TagList,
    ReferrerList,
    ManifestGet,
    ManifestGetLarge,
    BlobGet,
    UploadStatus,
}

/// More tags than one transaction can take away.
const MANY_TAGS: usize = 80;

/// More layers than one transaction can take away.
const MANY_LAYERS: usize = 60;

/// Everything that the operations work with.
pub(super) struct Things {
    old: Image,
    new: Image,
    loose: Content,
    large: Content,
    index: Content,
    referrer: Content,
    wide: Content,
}

impl Things {
    pub(super) fn new() -> Self {
        let (old, new) = (Image::named("old"), Image::named("new"));
        let fields = serde_json::json!({ "annotations": { "long": "x".repeat(400 * 1024) } });
        let (layers, subject) = (Content::foreign_layers(MANY_LAYERS), old.manifest.descriptor());
        let layers: Vec<&Content> = layers.iter().collect();
        Self {
            loose: Content::blob("a blob that no manifest needs"),
            large: Content::image_with(&old.config, &[&old.layer], &fields),
            index: Content::index(&[&old.manifest]),
            referrer: Content::referrer(&old.config, &old.manifest, "application/vnd.example"),
            wide: Content::image_with(&old.config, &layers, &serde_json::json!({ "subject": subject })),
            old,
            new,
        }
    }

    /// Returns everything that can be seen of both repositories, uploads aside.
    pub(super) async fn look(&self, client: &Client) -> Vec<(String, Reply)> {
        let mut paths = vec!["/v2/_catalog".to_owned()];
        for repository in ["app", "other"] {
            paths.push(format!("/v2/{repository}/tags/list"));
            paths.push(format!("/v2/{repository}/referrers/{}", self.old.manifest.digest));
            let blobs = [&self.old.config, &self.old.layer, &self.new.config, &self.new.layer, &self.loose];
            paths.extend(blobs.map(|content| blob(repository, &content.digest)));
            paths.push(blob(repository, &crate::content::sha512(&self.loose.bytes)));
            let images = [&self.old.manifest, &self.new.manifest, &self.large, &self.wide];
            let manifests = images.into_iter().chain([&self.index, &self.referrer]);
            paths.extend(manifests.map(|content| manifest(repository, &content.digest)));
            paths.extend(["v1", "v2", "t0", "t59"].map(|tag| manifest(repository, tag)));
        }
        let mut seen = Vec::new();
        for path in paths {
            seen.push((path.clone(), client.get(&path).await));
        }
        seen
    }
}

impl Operation {
    /// Makes everything that has to be there before; returns the location of the upload, if there is one.
    pub(super) async fn prepare(self, world: &World, things: &Things) -> String {
        let client = world.client();
        client.push_image("app", "v1", &things.old).await.expect(201);
        let (half, _) = halves(&things.loose);
        let mut location = String::new();
        match self {
            Self::UploadAppend
            | Self::UploadAppendInOrder
            | Self::UploadFinishWithLastChunk
            | Self::UploadStatus
            | Self::UploadCancel => {
                location = client.begin("app").await;
                client.patch(&location, half).await.expect(202);
            }
            Self::UploadFinish | Self::UploadFinishByOtherAlgorithm => {
                location = client.begin("app").await;
                client.patch(&location, things.loose.bytes.clone()).await.expect(202);
            }
            Self::UploadFinishOfKnownBlob => {
                client.push_blob("other", &things.loose).await.expect(201);
                location = client.begin("app").await;
                client.patch(&location, things.loose.bytes.clone()).await.expect(202);
            }
            Self::ManifestPut | Self::ManifestPutMovesTag | Self::ManifestPutManyTags => {
                client.push_blob("app", &things.new.config).await.expect(201);
                client.push_blob("app", &things.new.layer).await.expect(201);
            }
            Self::ManifestDeleteManyTags => {
                for number in 0..MANY_TAGS {
                    let tag = format!("t{number}");
                    client.put_manifest("app", &tag, &things.old.manifest).await.expect(201);
                }
            }
            Self::ManifestDeleteOfChild => {
                client.put_manifest("app", "v2", &things.index).await.expect(201);
            }
            Self::ReferrerDelete | Self::ReferrerList => {
                client.put_manifest("app", "v2", &things.referrer).await.expect(201);
            }
            Self::ReferrerDeleteWide => {
                for number in 0..MANY_TAGS {
                    client.put_manifest("app", &format!("t{number}"), &things.wide).await.expect(201);
                }
            }
            Self::ManifestGetLarge => {
                client.put_manifest("app", "v2", &things.large).await.expect(201);
            }
            Self::BlobDelete => drop(client.push_blob("app", &things.loose).await.expect(201)),
            Self::HeadWithRenewal => world.clock.advance(Duration::from_secs(20 * 60 * 60)),
            _ => {}
        }
        location
    }

    /// Sends the request.
    pub(super) async fn run(self, client: &Client, things: &Things, location: &str) -> Reply {
        let Things { old, new, loose, large, index, referrer, wide } = things;
        let (_, rest) = halves(loose);
        match self {
            Self::UploadBegin => client.post(&uploads("app"), "").await,
            Self::UploadAppend => client.patch(location, rest).await,
            Self::UploadAppendInOrder => {
                let start = loose.bytes.len() - rest.len();
                let range = format!("{start}-{}", loose.bytes.len() - 1);
                client.patch_at(location, &range, rest).await
            }
            Self::UploadFinish | Self::UploadFinishOfKnownBlob => {
                client.put(&committing(location, &loose.digest), "").await
            }
            Self::UploadFinishByOtherAlgorithm => {
                let digest = crate::content::sha512(&loose.bytes);
                client.put(&committing(location, &digest), "").await
            }
            Self::UploadFinishWithLastChunk => client.put(&committing(location, &loose.digest), rest).await,
            Self::UploadCancel => client.delete(location).await,
            Self::BlobPost => {
                client.post(&committing(&uploads("app"), &loose.digest), loose.bytes.clone()).await
            }
            Self::Mount => client.post(&mounting("other", &old.layer.digest, "app"), "").await,
            Self::MountFromAnywhere => {
                client.post(&format!("{}?mount={}", uploads("other"), old.layer.digest), "").await
            }
            Self::ManifestPut => client.put_manifest("app", "v2", &new.manifest).await,
            Self::ManifestPutMovesTag => client.put_manifest("app", "v1", &new.manifest).await,
            Self::ManifestPutManyTags => {
                let reference = format!("{}?tag=v1&tag=v2&tag=t0", new.manifest.digest);
                client.put_manifest("app", &reference, &new.manifest).await
            }
            Self::ManifestPutLarge => client.put_manifest("app", "v2", large).await,
            Self::ManifestPutWithoutBlobs => client.put_manifest("other", "v2", &new.manifest).await,
            Self::IndexPut => client.put_manifest("app", "v2", index).await,
            Self::ReferrerPut => client.put_manifest("app", "v2", referrer).await,
            Self::ManifestDelete | Self::ManifestDeleteManyTags | Self::ManifestDeleteOfChild => {
                client.delete(&manifest("app", &old.manifest.digest)).await
            }
            Self::ReferrerDelete => client.delete(&manifest("app", &referrer.digest)).await,
            Self::ReferrerDeleteWide => client.delete(&manifest("app", &wide.digest)).await,
            Self::TagDelete => client.delete(&manifest("app", "v1")).await,
            Self::BlobDelete => client.delete(&blob("app", &loose.digest)).await,
            Self::BlobDeleteOfLayer => client.delete(&blob("app", &old.layer.digest)).await,
            Self::HeadWithRenewal => client.head(&blob("app", &old.layer.digest)).await,
            Self::Ping => client.get("/v2/").await,
            Self::CatalogList => client.get("/v2/_catalog").await,
            Self::TagList => client.get("/v2/app/tags/list").await,
            Self::ReferrerList => client.get(&format!("/v2/app/referrers/{}", old.manifest.digest)).await,
            Self::ManifestGet => client.get(&manifest("app", "v1")).await,
            Self::ManifestGetLarge => client.get(&manifest("app", "v2")).await,
            Self::BlobGet => client.get(&blob("app", &old.layer.digest)).await,
            Self::UploadStatus => client.get(location).await,
        }
    }

    /// Returns the status without faults.
    pub(super) fn status(self) -> u16 {
        match self {
            Self::UploadBegin | Self::UploadAppend | Self::UploadAppendInOrder => 202,
            Self::UploadCancel | Self::UploadStatus => 204,
            Self::ManifestPutWithoutBlobs => 400,
            Self::ManifestDeleteOfChild | Self::BlobDeleteOfLayer => 405,
            Self::HeadWithRenewal | Self::Ping | Self::CatalogList | Self::TagList | Self::ReferrerList => {
                200
            }
            Self::ManifestGet | Self::ManifestGetLarge | Self::BlobGet => 200,
            _ if self.deletes() => 202,
            _ => 201,
        }
    }

    /// Returns whether a repetition may find the thing gone.
    fn deletes(self) -> bool {
        matches!(
            self,
            Self::ManifestDelete
                | Self::ManifestDeleteManyTags
                | Self::ReferrerDelete
                | Self::ReferrerDeleteWide
                | Self::TagDelete
                | Self::BlobDelete
                | Self::UploadCancel
        )
    }

    fn puts_a_manifest(self) -> bool {
        matches!(
            self,
            Self::ManifestPut
                | Self::ManifestPutMovesTag
                | Self::ManifestPutManyTags
                | Self::ManifestPutLarge
                | Self::IndexPut
                | Self::ReferrerPut
        )
    }

    /// Repeats the request as a client does that was told of a failure.
    pub(super) async fn repeat(self, client: &Client, things: &Things, location: &str) {
        if matches!(self, Self::UploadAppend | Self::UploadAppendInOrder) {
            return resume(client, &things.loose, location).await;
        }
        let status = self.run(client, things, location).await.status.as_u16();
        let is_gone = self.deletes() && status == 404;
        assert!(status == self.status() || is_gone, "the repeated request was answered {status}");
    }

    /// Pushes again what the operation needs, as a client does that was told it is not there.
    pub(super) async fn provide(self, client: &Client, things: &Things) {
        let Things { old, new, .. } = things;
        let needed = [&old.config, &old.layer, &new.config, &new.layer];
        for content in needed.into_iter().filter(|_| self.puts_a_manifest()) {
            client.push_blob("app", content).await.expect(201);
        }
    }

    /// Completes what the operation was a part of, so that its effect can be seen.
    pub(super) async fn complete(self, client: &Client, things: &Things, location: &str) {
        match self {
            Self::UploadAppend | Self::UploadAppendInOrder => {
                client.put(&committing(location, &things.loose.digest), "").await.expect(201);
            }
            Self::UploadCancel => drop(client.get(location).await.expect(404)),
            _ => {}
        }
    }
}

/// Asks where the upload stands and goes on from there.
async fn resume(client: &Client, content: &Content, location: &str) {
    let standing = client.get(location).await.expect(204);
    let last: usize = standing.header("range").trim_start_matches("0-").parse().unwrap();
    let rest = content.bytes.slice(last + 1..);
    if !rest.is_empty() {
        client.patch(location, rest).await.expect(202);
    }
}

fn halves(content: &Content) -> (bytes::Bytes, bytes::Bytes) {
    let middle = content.bytes.len() / 2;
    (content.bytes.slice(..middle), content.bytes.slice(middle..))
}
