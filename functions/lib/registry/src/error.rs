//! What can be said against a request, one variant for each fact.

use oci::{Algorithm, Digest, ManifestInvalid, Reference, RepositoryName, Tag, UploadId};

use crate::ports::StoreError;

/// Why an operation was not done. Nothing was changed, unless the variant says so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The repository has no such blob.
    #[error("blob {digest} is unknown to repository {repository}")]
    BlobUnknown {
        /// The repository.
        repository: RepositoryName,
        /// The blob.
        digest: Digest,
    },
    /// A manifest of the repository needs the blob.
    #[error("blob {digest} is referenced by manifest {manifest}; delete that manifest first")]
    BlobReferenced {
        /// The blob.
        digest: Digest,
        /// The manifest.
        manifest: Digest,
    },
    /// There is no such upload session in the repository, or no longer.
    #[error("upload {id} is unknown to repository {repository}: it may have ended, or expired")]
    UploadUnknown {
        /// The repository.
        repository: RepositoryName,
        /// The session.
        id: UploadId,
    },
    /// The chunk does not begin where the upload stands.
    #[error("upload {id} stands at byte {offset}, but the chunk begins at {start}")]
    ChunkOutOfOrder {
        /// The session.
        id: UploadId,
        /// Where the upload stands.
        offset: u64,
        /// Where the chunk begins.
        start: u64,
    },
    /// The chunk is not as long as it says. What arrived was not kept.
    #[error("the chunk has {actual} bytes, but its Content-Range names {expected}")]
    ChunkLength {
        /// As it says.
        expected: u64,
        /// As it is.
        actual: u64,
    },
    /// The bytes stopped before their end. What arrived is kept, and the upload can go on from there.
    #[error("the body of upload {id} broke off; {offset} bytes are stored")]
    UploadInterrupted {
        /// The session.
        id: UploadId,
        /// Where the upload stands.
        offset: u64,
    },
    /// Another request sends to the upload.
    #[error("another request is sending to upload {0}; ask where it stands when that has ended")]
    UploadInUse(UploadId),
    /// The bytes do not have the digest.
    #[error("the content has digest {actual}, not {expected}")]
    DigestMismatch {
        /// As the client says.
        expected: Digest,
        /// As it is.
        actual: Digest,
    },
    /// The repository has no such manifest.
    #[error("manifest {reference} is unknown to repository {repository}")]
    ManifestUnknown {
        /// The repository.
        repository: RepositoryName,
        /// The manifest.
        reference: Reference,
    },
    /// The tag never pointed there, as far as its history goes; without a digest, it has no history at all.
    #[error("tag {tag} of repository {repository} {}", no_move(digest.as_ref()))]
    TagMoveUnknown {
        /// The repository.
        repository: RepositoryName,
        /// The tag.
        tag: Tag,
        /// Where it shall have pointed.
        digest: Option<Digest>,
    },
    /// An index of the repository needs the manifest.
    #[error("manifest {digest} is referenced by index {index}; delete that index first")]
    ManifestReferenced {
        /// The manifest.
        digest: Digest,
        /// The index.
        index: Digest,
    },
    /// The manifest is not one.
    #[error(transparent)]
    ManifestInvalid(#[from] ManifestInvalid),
    /// What the manifest says for the list of referrers does not fit there.
    #[error("a manifest with a subject may have {limit} bytes of annotations, but this one has {size_bytes}")]
    AnnotationsTooLarge {
        /// As it is.
        size_bytes: usize,
        /// What fits.
        limit: usize,
    },
    /// The manifest needs what the repository does not have.
    #[error("manifest references {} unknown to repository {repository}", missing.len())]
    ManifestBlobUnknown {
        /// The repository.
        repository: RepositoryName,
        /// Each missing blob or manifest.
        missing: Vec<Digest>,
    },
    /// The manifest says of a content that the repository has something else than what it is.
    #[error("manifest references {digest} as {stated}, but it is {known}")]
    DescriptorContradicts {
        /// The content.
        digest: Digest,
        /// Size or media type, as the manifest has it.
        stated: String,
        /// The same, as it is.
        known: String,
    },
    /// More tags than one push may set.
    #[error("{count} tags in one push; at most {limit} are accepted")]
    TooManyTags {
        /// As many as were sent.
        count: usize,
        /// As many as are accepted.
        limit: usize,
    },
    /// The tag is there and has to stay where it is.
    #[error("tag {tag} of repository {repository} is immutable")]
    TagImmutable {
        /// The repository.
        repository: RepositoryName,
        /// The tag.
        tag: Tag,
    },
    /// There is no such repository.
    #[error("repository {0} is unknown")]
    RepositoryUnknown(RepositoryName),
    /// Somebody is deleting the repository, so that nothing begins in it.
    #[error(
        "repository {0} is being deleted; push again when that has ended. If it broke off, delete it again"
    )]
    RepositoryEnding(RepositoryName),
    /// Blobs that the manifest may need are still being taken over from where the client uploaded them.
    #[error("the layers are still being taken over; push the manifest again in a moment")]
    AdoptionUnderWay,
    /// Others changed the same thing again and again.
    #[error("too many others are changing the same content; try again")]
    Contended,
    /// A stored hash state cannot be taken up.
    #[error("the state of the {0} hash cannot be resumed")]
    HashState(&'static str),
    /// A stored record is not what its key says.
    #[error("stored item is damaged: {0}")]
    Damaged(String),
    /// A task of the registry panicked, or was ended. Whatever it had done is done.
    #[error("a task of the registry ended early: {0}")]
    TaskFailed(String),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    pub(crate) fn tag_immutable(repository: &RepositoryName, tag: &Tag) -> Self {
        Self::TagImmutable { repository: repository.clone(), tag: tag.clone() }
    }

    pub(crate) fn hash_state(algorithm: Algorithm) -> Self {
        Self::HashState(algorithm.as_str())
    }
}

fn no_move(digest: Option<&Digest>) -> String {
    match digest {
        Some(digest) => format!("never pointed to {digest}, as far as its history goes"),
        None => "has no history: it was never moved or deleted".to_owned(),
    }
}
