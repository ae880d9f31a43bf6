//! What the registry remembers: one type for each kind of item, and where each kind is kept.
//!
//! Persisted: keep stable. A new field needs `#[serde(default)]`; a changed meaning needs a new [`FORMAT`].

mod access;
mod codec;
pub mod keys;
mod kinds;

pub use access::{
    AccountState, AuditOutcome, AuditRecord, BucketRecord, Grantee, Grants, ImmutableTags, MemberRecord,
    OrganisationRecord, OrganisationRole, TeamRecord, TokenKind, TokenRecord, TrustRecord, UsedRecord,
    UserRecord, Visibility,
};
pub use codec::{CodecError, FORMAT, decode, encode};
pub use kinds::{
    BlobRecord, BlobState, EdgeRecord, EventAction, EventRecord, HistoryRecord, Lane, LinkOrigin, LinkRecord,
    LinkState, ManifestBody, ManifestRecord, ManifestState, ReferrerRecord, RepositoryRecord, SuspectRecord,
    TagRecord, UploadRecord, UploadState,
};

use serde::{Deserialize, Serialize};

use crate::ports::Timestamp;

/// Any item's content. The name of each variant is persisted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// A repository.
    Repository(RepositoryRecord),
    /// A line of the catalog; its key says all.
    Catalog,
    /// A tag.
    Tag(TagRecord),
    /// What a tag pointed to before.
    History(HistoryRecord),
    /// A manifest.
    Manifest(ManifestRecord),
    /// A manifest or tag refers to a manifest or blob; its key says which.
    Edge(EdgeRecord),
    /// A repository has a blob.
    Link(LinkRecord),
    /// A blob.
    Blob(BlobRecord),
    /// A link refers to a blob; its key says which.
    BlobEdge,
    /// A manifest refers to a subject.
    Referrer(ReferrerRecord),
    /// An upload session.
    Upload(UploadRecord),
    /// An upload session of a repository; its key says which.
    OpenUpload,
    /// Something that may have become garbage.
    Suspect(SuspectRecord),
    /// Something that happened.
    Event(EventRecord),
    /// A user.
    User(UserRecord),
    /// An organisation.
    Organisation(OrganisationRecord),
    /// A line of a list; its key says all.
    Listed,
    /// A line of a list that ends then, by itself; its key says the rest.
    ListedUntil(Timestamp),
    /// A member of an organisation.
    Member(MemberRecord),
    /// A credential.
    Token(Box<TokenRecord>),
    /// What is trusted from an issuer.
    Trust(Box<TrustRecord>),
    /// How many attempts somebody has left.
    Bucket(BucketRecord),
    /// An identity token was used.
    Used(UsedRecord),
    /// Something that somebody did or tried.
    Audit(Box<AuditRecord>),
}

/// Defines how to look at an item as one kind of record.
macro_rules! views {
    ($($view:ident: $variant:ident($kind:ty)),* $(,)?) => {
        impl Record {
            $(
                /// Returns the record if it is of this kind.
                pub fn $view(&self) -> Option<&$kind> {
                    match self {
                        Self::$variant(record) => Some(record),
                        _ => None,
                    }
                }
            )*
        }
    };
}

views! {
    as_repository: Repository(RepositoryRecord),
    as_tag: Tag(TagRecord),
    as_manifest: Manifest(ManifestRecord),
    as_edge: Edge(EdgeRecord),
    as_link: Link(LinkRecord),
    as_blob: Blob(BlobRecord),
    as_referrer: Referrer(ReferrerRecord),
    as_upload: Upload(UploadRecord),
    as_suspect: Suspect(SuspectRecord),
    as_user: User(UserRecord),
    as_organisation: Organisation(OrganisationRecord),
    as_member: Member(MemberRecord),
    as_bucket: Bucket(BucketRecord),
    as_used: Used(UsedRecord),
}

impl Record {
    /// Returns the record if it is of this kind.
    pub fn as_token(&self) -> Option<&TokenRecord> {
        if let Self::Token(record) = self { Some(record) } else { None }
    }

    /// Returns the record if it is of this kind.
    pub fn as_trust(&self) -> Option<&TrustRecord> {
        if let Self::Trust(record) = self { Some(record) } else { None }
    }

    /// Returns the record if it is of this kind.
    pub fn as_audit(&self) -> Option<&AuditRecord> {
        if let Self::Audit(record) = self { Some(record) } else { None }
    }
}
