//! What comes before an operation, and what comes after it.

use http::Method;
use oci::Digest;
use registry::jobs::fsck::fsck;
use registry::ports::{
    Clock, Condition, Item, ItemStore, ObjectInfo, ObjectKey, ObjectScan, ObjectStore, SystemClock, Version,
    Write,
};
use registry::records::{LinkRecord, Record, SuspectRecord, keys};

use crate::client::Client;
use crate::content::{Content, Things};
use crate::jobs::{COLLECTED_AFTER, HOUR, collect};
use crate::operations::{Operation, upload_id};
use crate::world::World;

use Operation as Op;

impl Operation {
    /// Makes everything that has to be there before; returns the path of the upload, if there is one.
    pub(crate) async fn prepare(self, world: &World, things: &Things) -> String {
        let client = Client(world.settled());
        if self.needs_image() {
            client.post_blob("app", &things.config).await.expect(201);
            client.put_manifest("app", "v1", &things.old).await.expect(201);
        }
        let second = match self {
            Op::ManifestGetLarge => Some(&things.large),
            Op::ManifestPutAgain => Some(&things.new),
            Op::ManifestDeleteOfChild => Some(&things.index),
            Op::Referrers | Op::ReferrerDelete => Some(&things.referrer),
            _ => None,
        };
        if let Some(manifest) = second {
            client.put_manifest("app", "v2", manifest).await.expect(201);
        }
        match self {
            Op::BlobDelete => drop(client.post_blob("app", &things.loose).await.expect(201)),
            Op::BlobHeadRenewingLease => end_lease(world, &things.config).await,
            Op::ManifestPutAdoptingLayer | Op::AdoptionByEvent | Op::AdoptionBySchedule => {
                return send_direct(world, &client, &things.loose).await;
            }
            Op::AdoptionByEventOfKnown | Op::AdoptionByScheduleOfKnown => {
                return send_direct(world, &client, &things.config).await;
            }
            Op::CollectionBySchedule => leave_garbage(world, &client, things).await,
            _ => {}
        }
        self.prepare_upload(&client, things).await
    }

    /// Returns whether an image has to be there.
    fn needs_image(self) -> bool {
        let is_of_image = self.is_named(&["OfKnown", "OfLayer"]);
        is_of_image || !self.is_named(&["Upload", "BlobPost", "BlobDelete"])
    }

    async fn prepare_upload(self, client: &Client, things: &Things) -> String {
        let (loose, big) = (&things.loose, &things.big);
        let chunks = match self {
            Op::UploadChunk => vec![],
            Op::UploadStatus | Op::UploadSecondChunk | Op::UploadFinishWithLastChunk | Op::UploadCancel => {
                vec![loose.halves().0]
            }
            Op::UploadFinish | Op::UploadFinishByOtherAlgorithm => vec![loose.bytes.clone()],
            Op::UploadFinishOfKnown => vec![things.config.bytes.clone()],
            Op::UploadChunkOfPart => vec![big.beside_part().0],
            Op::UploadFinishOfParts
            | Op::UploadCancelOfParts
            | Op::FsckBySchedule
            | Op::CollectionBySchedule => {
                vec![big.bytes.clone(), Content::TAIL.into()]
            }
            _ => return String::new(),
        };
        let upload = client.begin().await;
        for chunk in chunks {
            client.patch(&upload, chunk).await.expect(202);
        }
        upload
    }

    /// Repeats what failed; `busy_for` repetitions come while the first is still under way.
    pub(crate) async fn repeat(self, world: &World, things: &Things, upload: &str, busy_for: usize) {
        if self.method() == Method::PATCH {
            return resume(&Client(world.functions()), &self.chunked(things), upload).await;
        }
        let mut reply = self.run(world, things, upload).await;
        for _ in 0..busy_for {
            reply.assert_is_refusal(self.is_head());
            reply = self.run(world, things, upload).await;
        }
        let is_gone = self.method() == Method::DELETE && self.status() < 300 && reply.status == 404;
        assert!(reply.status == self.status() || is_gone, "the repetition was answered {reply:?}");
    }

    /// Returns what is there when all its chunks are.
    fn chunked(self, things: &Things) -> Content {
        match self {
            Op::UploadChunk => Content::blob(things.loose.halves().0),
            Op::UploadChunkOfPart => things.big.clone(),
            _ => things.loose.clone(),
        }
    }

    /// Completes what the operation was a part of, so that its effect can be seen.
    pub(crate) async fn complete(self, world: &World, things: &Things, upload: &str) {
        let client = Client(world.settled());
        if self.method() == Method::PATCH {
            let target = format!("{upload}?digest={}", self.chunked(things).digest);
            client.ask(Method::PUT, &target).await.expect(201);
        }
        if self.is_named(&["Cancel"]) {
            client.ask(Method::GET, upload).await.expect(404);
        }
        if self == Op::CollectionBySchedule {
            assert_collected(world, &client, things).await;
        }
    }
}

/// Asks where the upload stands and goes on from there.
async fn resume(client: &Client, whole: &Content, upload: &str) {
    let standing = client.ask(Method::GET, upload).await.expect(204);
    let offset = match standing.header("range").split_once('-').unwrap() {
        (_, last) if last.parse::<usize>().unwrap() > 0 => last.parse::<usize>().unwrap() + 1,
        _ => 0,
    };
    if offset < whole.bytes.len() {
        client.patch(upload, whole.bytes.slice(offset..)).await.expect(202);
    }
}

/// Leaves one of everything that can become garbage beside what is needed.
async fn leave_garbage(world: &World, client: &Client, things: &Things) {
    client.post_blob("app", &things.loose).await.expect(201);
    for (tag, manifest) in [("v2", &things.foreign), ("v3", &things.large)] {
        client.put_manifest("app", tag, manifest).await.expect(201);
        client.ask(Method::DELETE, &format!("/v2/app/manifests/{}", manifest.digest)).await.expect(202);
    }
    client.put_manifest("app", "v4", &things.new).await.expect(201);
    client.ask(Method::DELETE, "/v2/app/manifests/v4").await.expect(202);
    // The copy of an attempt to adopt an upload, which died.
    let object = ObjectKey::stored("data/00/copy");
    world.direct.objects.put(&object, "a copy".into()).await.unwrap();
    let suspect = SuspectRecord::Adoption { id: "an-upload".to_owned(), object };
    let key = keys::suspect(SystemClock.now(), &suspect);
    let item = Item { key, version: Version::new("1"), record: Record::Suspect(suspect) };
    world.direct.items.transact(vec![Write::Put(item, Condition::Always)]).await.unwrap();
}

/// Collects as often as it takes; nothing is left that nobody needs, and everything else can be pulled.
async fn assert_collected(world: &World, client: &Client, things: &Things) {
    for hours in [4, 6, 30] {
        assert!(collect(&world.direct, COLLECTED_AFTER + hours * HOUR).await);
    }
    let report = fsck(&world.items(), &world.direct.objects, true).await.unwrap();
    // What is too short for a part is beside the object, and the bucket's to remove.
    let scanned = world.direct.objects.scan().await.unwrap();
    let is_tail = |info: &ObjectInfo| info.is_unfinished && info.size_bytes < aws::PART_BYTES_MIN;
    let tails: Vec<_> =
        scanned.into_iter().filter(is_tail).map(|info| format!("object {}", info.key)).collect();
    let left: Vec<_> = report.findings.iter().filter(|finding| !tails.contains(&finding.what)).collect();
    assert!(left.is_empty(), "{left:#?}");
    assert_eq!(report.counts.get("upload"), None, "{:?}", report.counts);
    client.ask(Method::GET, "/v2/app/manifests/v1").await.expect(200);
    client.ask(Method::GET, &format!("/v2/app/blobs/{}", things.config.digest)).await.expect(307);
    for gone in [&things.foreign, &things.large, &things.new] {
        client.ask(Method::GET, &format!("/v2/app/manifests/{}", gone.digest)).await.expect(404);
    }
    client.ask(Method::GET, &format!("/v2/app/blobs/{}", things.loose.digest)).await.expect(404);
}

/// Uploads a blob past the functions; nobody tells them.
pub(crate) async fn send_direct(world: &World, client: &Client, blob: &Content) -> String {
    let upload = client.begin().await;
    let key = ObjectKey::stored(format!("uploads/{}", upload_id(&upload)));
    world.direct.objects.put(&key, blob.bytes.clone()).await.unwrap();
    upload
}

/// Lets the lease of a blob end now.
async fn end_lease(world: &World, blob: &Content) {
    let digest: Digest = blob.digest.parse().unwrap();
    let key = keys::link(&"app".parse().unwrap(), &digest);
    let item = world.direct.items.get(&[key]).await.unwrap().remove(0).unwrap();
    let link = LinkRecord { lease_until: SystemClock.now(), ..item.record.as_link().unwrap().clone() };
    let ended = Item { record: Record::Link(link), ..item };
    world.direct.items.transact(vec![Write::Put(ended, Condition::Always)]).await.unwrap();
}
