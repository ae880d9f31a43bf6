//! The content of each kind of item.

use bytes::Bytes;
use oci::{Algorithm, Descriptor, Digest, MediaType, RepositoryName, Tag};
use serde::{Deserialize, Serialize};

use super::{Grants, ImmutableTags, Visibility};
use crate::ports::{AppendState, ObjectKey, Timestamp};

/// A repository; it begins with its first manifest, or when somebody makes it beforehand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RepositoryRecord {
    /// When it began.
    pub created: Timestamp,
    /// Whether anybody may pull.
    pub is_public: bool,
    /// What it is, in a line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Who was given which role, beside those who have one by its namespace.
    #[serde(default, skip_serializing_if = "Grants::is_empty")]
    pub grants: Grants,
    /// Which tags stay where they are.
    #[serde(default, skip_serializing_if = "ImmutableTags::is_empty")]
    pub immutable_tags: ImmutableTags,
    /// Whether somebody is deleting it: a flag (rule R3), which nothing takes off. From then on nothing is pushed to it, it
    /// is not public, so that nobody begins to pull from what is half gone, and its tags may go.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_ending: bool,
}

impl RepositoryRecord {
    /// Returns a repository that nobody has set anything of.
    pub fn new(created: Timestamp, visibility: Visibility) -> Self {
        Self {
            created,
            is_public: visibility == Visibility::Public,
            description: String::new(),
            grants: Grants::new(),
            immutable_tags: ImmutableTags::default(),
            is_ending: false,
        }
    }

    /// Returns whether anybody may pull now.
    pub fn is_open(&self) -> bool {
        self.is_public && !self.is_ending
    }
}

/// A tag points to a manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TagRecord {
    /// The manifest.
    pub digest: Digest,
    /// The manifest's media type.
    pub media_type: MediaType,
    /// The manifest's length.
    pub size_bytes: u64,
    /// When it was pushed.
    pub pushed: Timestamp,
    /// Who pushed it.
    pub pushed_by: String,
}

/// A tag was moved or deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryRecord {
    /// What the tag pointed to until then.
    pub before: TagRecord,
    /// What it pointed to from then on; nothing if it was deleted.
    pub after: Option<Digest>,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// Where a manifest is in its life. A reader sees `Live`, `Dying` and `Doomed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManifestState {
    /// Its edges are being written and its references checked.
    Pending,
    /// It can be pulled.
    Live,
    /// A deletion looks whether an index needs it. It can still be pulled, and a push revives it.
    Dying,
    /// Its tags are being removed, and until they are gone it can be pulled. Never revived: who needs it ends that first.
    Doomed,
    /// Its edges are being removed. Never revived, only replaced.
    Deleting,
}

impl ManifestState {
    /// Returns whether readers see the manifest.
    pub fn is_visible(self) -> bool {
        matches!(self, Self::Live | Self::Dying | Self::Doomed)
    }

    /// Returns whether a push may rely on the manifest: it can be pulled, and nobody has decided that it goes.
    pub fn may_stay(self) -> bool {
        matches!(self, Self::Live | Self::Dying)
    }

    /// Returns whether it is decided that the manifest goes.
    pub fn is_decided(self) -> bool {
        matches!(self, Self::Doomed | Self::Deleting)
    }
}

/// A manifest's bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManifestBody {
    /// In the item itself.
    Inline(Bytes),
    /// In an object, because an item has no room for them.
    Object(ObjectKey),
}

/// A manifest; the version of its item is the push that wrote it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManifestRecord {
    /// Where it is in its life.
    pub state: ManifestState,
    /// Its media type, as pushed.
    pub media_type: MediaType,
    /// Its length.
    pub size_bytes: u64,
    /// Its bytes, as pushed.
    pub body: ManifestBody,
    /// The manifest it is about.
    pub subject: Option<Digest>,
    /// Its type as a referrer.
    pub artifact_type: Option<String>,
    /// When it was pushed.
    pub pushed: Timestamp,
    /// Who pushed it.
    pub pushed_by: String,
    /// Who has decided that it goes: whoever carries that out does it for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_by: Option<String>,
}

/// Why an edge is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EdgeRecord {
    /// When the referring manifest or tag was pushed.
    pub since: Timestamp,
    /// Who pushed it.
    pub by: String,
    /// When the tag went elsewhere, if it did: the edge then stays as long as the tag's history may be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Timestamp>,
}

/// Where a link is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// A mount that has not looked at its blob yet. Never revived, never readable.
    Pending,
    /// The repository has the blob.
    Live,
    /// Somebody looks whether the repository still needs the blob. A push revives it.
    Dying,
}

/// How a repository came to have a blob.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkOrigin {
    /// It was uploaded there.
    Uploaded,
    /// It was mounted from another repository.
    Mounted(RepositoryName),
}

/// A repository has a blob: the only right to read it. The version of its item is the epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkRecord {
    /// Where it is in its life.
    pub state: LinkState,
    /// Where the bytes are.
    pub object: ObjectKey,
    /// How many bytes.
    pub size_bytes: u64,
    /// Until when the blob is kept, referenced or not.
    pub lease_until: Timestamp,
    /// How the repository came to have it.
    pub origin: LinkOrigin,
}

/// Where a blob is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlobState {
    /// Links may refer to it.
    Live,
    /// A collector looks whether links refer to it. An upload or the collector revives it.
    Dying,
    /// Its object may be gone any moment. Never revived, only replaced.
    Dead,
}

/// A blob, whichever repositories have it. The version of its item is the epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlobRecord {
    /// Where it is in its life.
    pub state: BlobState,
    /// Where the bytes are.
    pub object: ObjectKey,
    /// How many bytes.
    pub size_bytes: u64,
}

/// A manifest that names another as its subject, ready to be listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferrerRecord {
    /// The descriptor to list, annotations included.
    pub descriptor: Descriptor,
}

/// Where an upload session is in its life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UploadState {
    /// It takes bytes.
    Open,
    /// It became this blob.
    Committed(Digest),
    /// It was cancelled or its bytes were wrong beyond repair.
    Dead,
}

/// How a client was told to send the bytes of an upload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// To the registry, in one stream or in chunks.
    #[default]
    Stream,
    /// To the object store, by one PUT through the edge; to the registry all the same, if the client prefers.
    Direct,
}

impl Lane {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_stream(&self) -> bool {
        *self == Self::Stream
    }
}

/// An upload session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UploadRecord {
    /// Where it is in its life.
    pub state: UploadState,
    /// The only repository it may be used in.
    pub repository: RepositoryName,
    /// Who began it.
    pub principal: String,
    /// Where its bytes go.
    pub object: ObjectKey,
    /// How far it has come.
    pub append: AppendState,
    /// What it is hashed with on the way.
    pub algorithm: Algorithm,
    /// The hash so far; empty before the first byte.
    #[serde(default, with = "serde_bytes")]
    pub hash_state: Vec<u8>,
    /// How the client was told to send its bytes.
    #[serde(default, skip_serializing_if = "Lane::is_stream")]
    pub lane: Lane,
    /// When it began.
    pub started: Timestamp,
    /// From when on it is unknown.
    pub expires: Timestamp,
}

/// Something that a collector has to look at once it is due; its key says when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuspectRecord {
    /// A link that no manifest may need.
    Link {
        /// The repository.
        repository: RepositoryName,
        /// The blob.
        digest: Digest,
    },
    /// A blob that no repository may have.
    Blob {
        /// The blob.
        digest: Digest,
    },
    /// A manifest that was never finished, or lost a tag.
    Manifest {
        /// The repository.
        repository: RepositoryName,
        /// The manifest.
        digest: Digest,
    },
    /// An object whose manifest may not exist, or no longer.
    ManifestObject {
        /// The manifest's repository.
        repository: RepositoryName,
        /// The manifest.
        digest: Digest,
        /// Where the object is.
        object: ObjectKey,
    },
    /// An upload that may never be finished, and the object that its bytes went to.
    Upload {
        /// Its id.
        id: String,
        /// Where its bytes went.
        object: ObjectKey,
    },
    /// The copy that an attempt to adopt an upload made. The commit that gives it a digest takes this away.
    Adoption {
        /// The upload's id.
        id: String,
        /// The copy.
        object: ObjectKey,
    },
    /// A repository whose deletion may never have ended.
    Repository {
        /// Which.
        repository: RepositoryName,
    },
    /// The object of a dead blob.
    DeadObject {
        /// The blob.
        digest: Digest,
        /// Its object.
        object: ObjectKey,
    },
}

/// Something that happened, for those who want to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRecord {
    /// What.
    pub action: EventAction,
    /// Where.
    pub repository: RepositoryName,
    /// To which manifest.
    pub digest: Digest,
    /// Under which tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventAction {
    /// A manifest was pushed, or an existing one tagged.
    ManifestPushed,
    /// A manifest was deleted.
    ManifestDeleted,
    /// A tag was deleted.
    TagDeleted,
}
