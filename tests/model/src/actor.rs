//! Who takes part, and at which step they are.

use crate::keys::NONE;

/// What somebody sets out to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    /// A client pushes a manifest and what it references, as far as the registry does not have it.
    Push(Push),
    /// A client deletes a manifest.
    DeleteManifest(usize),
    /// A client deletes a tag.
    DeleteTag(usize),
    /// A client takes a blob from a repository: repository and blob.
    DeleteBlob(usize, usize),
    /// A client asks for a blob, to rely on it: repository and blob.
    Hold(usize, usize),
    /// A collector looks at one suspect after the other, for ever.
    Collect,
    /// The object store's events are answered, each perhaps several times.
    Adopt,
}

/// A push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Push {
    /// What.
    pub manifest: usize,
    /// Under which tag.
    pub tag: Option<usize>,
    /// Where the client believes the blobs to be already.
    pub mount_from: Option<usize>,
    /// Whether the bytes go to the object store without the registry in between.
    pub is_direct: bool,
}

impl Push {
    /// Returns a push without a tag that uploads what is missing.
    pub fn of(manifest: usize) -> Self {
        Self { manifest, tag: None, mount_from: None, is_direct: false }
    }

    /// Returns the same push, under a tag.
    pub fn tagged(self, tag: usize) -> Self {
        Self { tag: Some(tag), ..self }
    }

    /// Returns the same push, mounting what is missing from this repository if it can.
    pub fn mounting(self, from: usize) -> Self {
        Self { mount_from: Some(from), ..self }
    }

    /// Returns the same push, past the registry.
    pub fn direct(self) -> Self {
        Self { is_direct: true, ..self }
    }
}

/// A step: one call of a store, or a read and the conditional write that rests on it alone.
///
/// The names are those of the registry's functions; what ends in `Rest` is what such a function does in its further
/// transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "docs/model.md has the table")]
pub enum Step {
    Gone,
    // Clients: blobs.
    BlobHead,
    BlobMountFrom,
    LinkAtOnce,
    LinkByHandshake,
    BlobKeeps,
    LinkConfirm,
    UploadBegin,
    UploadSeen,
    UploadAppend,
    DirectPut,
    FinishOnce,
    UploadCommit,
    DiscardDuplicate,
    // The store's events.
    UploadAdopt,
    CopyUpload,
    // Clients: manifests.
    WritePending,
    WritePendingRest,
    ManifestLook,
    ReferenceHold,
    ManifestWithdraw,
    ManifestWithdrawRest,
    ManifestCommit,
    TagDelete,
    ManifestFlag,
    EdgesTo,
    ManifestResume,
    ManifestRevival,
    TagsRemove,
    ManifestEnd,
    ManifestHide,
    ManifestRemoval,
    ManifestRemovalRest,
    // Collectors; clients that delete a blob do the steps of links, too.
    Due,
    SuspectsDrop,
    LinksFlag,
    LinksLook,
    LinksRevive,
    LinksDecide,
    BlobsFlag,
    BlobsLook,
    BlobsRevive,
    BlobsDecide,
    ObjectDiscard,
    DeadObjectsForget,
    UploadsLook,
    UploadsForget,
    AdoptionLook,
    AdoptionLookAgain,
    // What only mutants do.
    EdgesAfterCommit,
}

impl Step {
    /// Returns whether it takes its own write for done when it is sent again; then that changes nothing.
    pub(crate) fn recognises_itself(self) -> bool {
        matches!(
            self,
            Self::LinksFlag
                | Self::LinksRevive
                | Self::BlobsFlag
                | Self::BlobsRevive
                | Self::BlobsDecide
                | Self::TagsRemove
                | Self::ManifestHide
        )
    }
}

/// Somebody at work. Everything but `next` is what they remember between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Actor {
    /// What they do next.
    pub next: Step,
    /// Which reference or suspect they are at.
    pub at: u8,
    /// Which session they use.
    pub upload: u8,
    /// Which object they have in mind.
    pub object: u8,
    /// Which blob it is about.
    pub blob: u8,
    /// How often they will begin anew.
    pub tries_left: u8,
    /// Whether their bytes are an object already.
    pub is_finished: bool,
    /// Whether they have tried what can be tried once: a mount, an adoption.
    pub has_tried: bool,
    /// Whether there was nothing in the place that they are to write to.
    pub has_room: bool,
    /// Whether a request is sent anew because its reply was lost.
    pub is_resent: bool,
    /// Whether they saw what decides later: a source that has the blob, its bytes, an edge, a manifest that may stay.
    pub saw: bool,
    /// Whether a tag has gone by their hand.
    pub has_taken: bool,
    /// Which manifest's deletion they carry out because their own manifest lists it.
    pub ends: u8,
    /// References that they saw flagged, and have not held yet: a bit each.
    pub flagged: u8,
    /// Whether a reference of their manifest is not there.
    pub misses: bool,
    /// Items that are as they saw or wrote them: a bit each.
    pub knows: u64,
}

impl Actor {
    /// Returns somebody who is not there.
    pub(crate) fn gone() -> Self {
        Self::at_step(Step::Gone, 0)
    }

    /// Returns somebody who begins, and remembers nothing.
    pub(crate) fn at_step(next: Step, tries_left: u8) -> Self {
        Self {
            next,
            at: 0,
            upload: NONE,
            object: NONE,
            blob: NONE,
            tries_left,
            is_finished: false,
            has_tried: false,
            has_room: false,
            is_resent: false,
            saw: false,
            has_taken: false,
            ends: NONE,
            flagged: 0,
            misses: false,
            knows: 0,
        }
    }

    /// Returns the same, at the first step of the program.
    pub(crate) fn beginning(program: Program, tries_left: u8) -> Self {
        Self::at_step(program.first_step(), tries_left)
    }
}

impl Program {
    /// Returns the step that it begins with.
    pub fn first_step(self) -> Step {
        match self {
            Self::Push(_) | Self::Hold(..) => Step::BlobHead,
            Self::DeleteManifest(_) => Step::ManifestFlag,
            Self::DeleteTag(_) => Step::TagDelete,
            Self::DeleteBlob(..) => Step::LinksFlag,
            Self::Collect => Step::Due,
            Self::Adopt => Step::UploadAdopt,
        }
    }

    /// Returns whether it goes on for ever.
    pub fn is_endless(self) -> bool {
        matches!(self, Self::Collect | Self::Adopt)
    }
}
