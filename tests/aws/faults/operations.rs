//! Every operation: the request or event, and its answer without faults.

use http::Method;
use oci::UploadId;

use crate::client::{Client, Reply};
use crate::content::{Content, Things};
use crate::jobs::Job;
use crate::world::World;

macro_rules! operations {
    ($($name:ident),* $(,)?) => {
        /// What a client or AWS asks of the functions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Operation { $($name),* }

        impl Operation {
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

operations! {
    Ping, Catalog, TagList, Referrers,
    ManifestGetByTag, ManifestHeadByTag, ManifestGetByDigest, ManifestHeadByDigest, ManifestGetLarge,
    BlobHead, BlobHeadRenewingLease, BlobGet, UploadStatus,
    ManifestPut, ManifestPutWithTag, ManifestPutMovingTag, ManifestPutAgain, ManifestPutLarge,
    ManifestPutWithoutBlobs, ManifestPutAdoptingLayer, IndexPut, ReferrerPut,
    ManifestDelete, ManifestDeleteOfChild, ReferrerDelete, TagDelete, BlobDelete, BlobDeleteOfLayer,
    UploadBegin, BlobPost, BlobPostOfKnown, UploadChunk, UploadSecondChunk, UploadChunkOfPart,
    UploadFinish, UploadFinishOfKnown, UploadFinishWithLastChunk, UploadFinishOfParts, UploadFinishByOtherAlgorithm,
    UploadCancel, UploadCancelOfParts, Mount, MountFromAnywhere, MountOfUnknown,
    AdoptionByEvent, AdoptionByEventOfKnown, AdoptionBySchedule, AdoptionByScheduleOfKnown, CollectionBySchedule, OutboxEvent, FsckBySchedule,
}

use Operation as Op;

impl Operation {
    /// Sends the request or event.
    pub(crate) async fn run(self, world: &World, things: &Things, upload: &str) -> Reply {
        let client = Client(world.functions());
        match self {
            Op::AdoptionByEvent | Op::AdoptionByEventOfKnown => {
                Job::AdoptionByEvent(upload_id(upload)).run(world).await
            }
            Op::AdoptionBySchedule | Op::AdoptionByScheduleOfKnown => {
                Job::AdoptionBySchedule.run(world).await
            }
            Op::CollectionBySchedule => Job::CollectionBySchedule.run(world).await,
            Op::OutboxEvent => Job::OutboxEvent.run(world).await,
            Op::FsckBySchedule => Job::FsckBySchedule.run(world).await,
            _ => match self.body(things) {
                Some(body) => client.send(&self.method(), &self.target(things, upload), &body).await,
                None => client.ask(self.method(), &self.target(things, upload)).await,
            },
        }
    }

    /// Returns whether an answer goes to a client, and not to AWS.
    pub(crate) fn is_request(self) -> bool {
        !self.is_named(&["ByEvent", "BySchedule", "OutboxEvent"])
    }

    /// Returns the roles that do it on AWS. The relay appends, too.
    pub(crate) fn roles(self) -> &'static [&'static str] {
        match self.method() {
            _ if self.is_named(&["BySchedule"]) => &["ScheduledRole"],
            _ if self.is_named(&["ByEvent", "OutboxEvent"]) => &["EventsRole"],
            Method::GET | Method::HEAD => &["ApiReadRole"],
            Method::PATCH => &["ApiWriteRole", "RelayPolicy"],
            _ => &["ApiWriteRole"],
        }
    }

    pub(crate) fn is_head(self) -> bool {
        self.method() == Method::HEAD
    }

    pub(crate) fn method(self) -> Method {
        match self {
            _ if self.is_named(&["Head"]) => Method::HEAD,
            Op::UploadBegin => Method::POST,
            _ if self.is_named(&["BlobPost", "Mount"]) => Method::POST,
            _ if self.is_named(&["UploadChunk", "UploadSecondChunk"]) => Method::PATCH,
            _ if self.is_named(&["Put", "Finish"]) => Method::PUT,
            _ if self.is_named(&["Delete", "Cancel"]) => Method::DELETE,
            _ => Method::GET,
        }
    }

    fn target(self, things: &Things, upload: &str) -> String {
        let Things { config, old, new, loose, big, referrer, .. } = things;
        let manifest = |reference: &str| format!("/v2/app/manifests/{reference}");
        let blob = |digest: &str| format!("/v2/app/blobs/{digest}");
        let finish = |digest: &str| format!("{upload}?digest={digest}");
        let begin = |name: &str, query: &str| format!("/v2/{name}/blobs/uploads/{query}");
        match self {
            Op::Ping => "/v2/".to_owned(),
            Op::Catalog => "/v2/_catalog".to_owned(),
            Op::TagList => "/v2/app/tags/list".to_owned(),
            Op::Referrers => format!("/v2/app/referrers/{}", old.digest),
            Op::ManifestGetByTag | Op::ManifestHeadByTag | Op::ManifestPutMovingTag | Op::TagDelete => {
                manifest("v1")
            }
            Op::ManifestGetByDigest | Op::ManifestHeadByDigest => manifest(&old.digest),
            Op::ManifestDelete | Op::ManifestDeleteOfChild => manifest(&old.digest),
            Op::ReferrerDelete => manifest(&referrer.digest),
            Op::ManifestPut => manifest(&new.digest),
            Op::ManifestGetLarge => manifest("v2"),
            _ if self.is_named(&["Put"]) => manifest("v2"),
            Op::BlobHead | Op::BlobHeadRenewingLease | Op::BlobGet => blob(&config.digest),
            Op::BlobDelete => blob(&loose.digest),
            Op::BlobDeleteOfLayer => blob(&config.digest),
            Op::UploadBegin => begin("app", ""),
            Op::BlobPost => begin("app", &format!("?digest={}", loose.digest)),
            Op::BlobPostOfKnown => begin("app", &format!("?digest={}", config.digest)),
            Op::Mount => begin("other", &format!("?mount={}&from=app", config.digest)),
            Op::MountFromAnywhere => begin("other", &format!("?mount={}", config.digest)),
            Op::MountOfUnknown => begin("other", &format!("?mount={}&from=app", loose.digest)),
            Op::UploadFinish | Op::UploadFinishWithLastChunk => finish(&loose.digest),
            Op::UploadFinishOfKnown => finish(&config.digest),
            Op::UploadFinishOfParts => finish(&big.with_tail().digest),
            Op::UploadFinishByOtherAlgorithm => finish(&loose.sha512()),
            _ => upload.to_owned(),
        }
    }

    fn body(self, things: &Things) -> Option<Content> {
        Some(match self {
            Op::ManifestPut | Op::ManifestPutWithTag | Op::ManifestPutMovingTag | Op::ManifestPutAgain => {
                things.new.clone()
            }
            Op::ManifestPutLarge => things.large.clone(),
            Op::ManifestPutAdoptingLayer | Op::ManifestPutWithoutBlobs => things.foreign.clone(),
            Op::IndexPut => things.index.clone(),
            Op::ReferrerPut => things.referrer.clone(),
            Op::BlobPost => things.loose.clone(),
            Op::BlobPostOfKnown => things.config.clone(),
            Op::UploadChunk => Content::blob(things.loose.halves().0),
            Op::UploadSecondChunk | Op::UploadFinishWithLastChunk => Content::blob(things.loose.halves().1),
            Op::UploadChunkOfPart => Content::blob(things.big.beside_part().1),
            _ => return None,
        })
    }

    /// Returns the status without faults.
    pub(crate) fn status(self) -> u16 {
        match self {
            Op::BlobGet => 307,
            Op::ManifestPutWithoutBlobs => 400,
            Op::ManifestDeleteOfChild | Op::BlobDeleteOfLayer => 405,
            Op::UploadStatus | Op::UploadCancel | Op::UploadCancelOfParts => 204,
            Op::UploadBegin | Op::MountOfUnknown => 202,
            _ => match self.method() {
                Method::PATCH | Method::DELETE => 202,
                Method::PUT | Method::POST => 201,
                _ => 200,
            },
        }
    }

    /// Returns whether bytes come to be stored, or to be read.
    pub(crate) fn stores_bytes(self) -> bool {
        self.is_named(&["Upload", "BlobPost", "Adopt", "Large", "Collection"])
    }

    /// Returns whether the name has one of these parts.
    pub(crate) fn is_named(self, parts: &[&str]) -> bool {
        let name = format!("{self:?}");
        parts.iter().any(|part| name.contains(part))
    }
}

/// Returns the upload that has this path.
pub(crate) fn upload_id(upload: &str) -> UploadId {
    upload.rsplit('/').next().unwrap().parse().unwrap()
}
