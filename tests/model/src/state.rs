//! What is stored, who is at which step, and what was promised.

use crate::actor::Actor;
use crate::keys::{BLOBS, COPIES, Key, MANIFESTS, NONE, OBJECTS, REPOSITORIES, Suspect, TAGS, UPLOADS};

/// Actors at a time.
pub const ACTORS: usize = 5;

/// Where a blob is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the registry's state of that name")]
pub enum BlobState {
    #[default]
    Absent,
    Live,
    Dying,
    Dead,
}

/// Where a link is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the registry's state of that name")]
pub enum LinkState {
    #[default]
    Absent,
    Pending,
    Live,
    Dying,
}

/// Where a manifest is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the registry's state of that name")]
pub enum ManifestState {
    #[default]
    Absent,
    Pending,
    Live,
    Dying,
    Doomed,
    Deleting,
}

impl ManifestState {
    /// Returns whether readers see the manifest.
    pub fn is_visible(self) -> bool {
        matches!(self, Self::Live | Self::Dying | Self::Doomed)
    }

    /// Returns whether it is decided that the manifest goes.
    pub fn is_decided(self) -> bool {
        matches!(self, Self::Doomed | Self::Deleting)
    }
}

/// Where an upload session is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the registry's state of that name")]
pub enum UploadState {
    #[default]
    Absent,
    Open,
    Committed,
    Dead,
}

/// A blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Blob {
    /// Where it is in its life.
    pub state: BlobState,
    /// Where the bytes are.
    pub object: u8,
}

/// A repository has a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// Where it is in its life.
    pub state: LinkState,
    /// Where the bytes are.
    pub object: u8,
    /// Whether its lease runs.
    pub is_held: bool,
}

impl Link {
    /// Returns whether the repository has the blob.
    pub fn is_readable(self) -> bool {
        matches!(self.state, LinkState::Live | LinkState::Dying)
    }
}

/// An upload session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Upload {
    /// Where it is in its life.
    pub state: UploadState,
    /// The only repository it may be used in.
    pub repository: u8,
    /// What it became.
    pub blob: u8,
    /// Where its bytes are.
    pub object: u8,
}

/// One state of the whole: small, and copied at every step.
///
/// There are no version numbers. What matters of a version is only whether the item is still as somebody saw it, and
/// that is a bit of the one who saw it ([`Actor::knows`]), which every write of the item clears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The blobs.
    pub blobs: [Blob; BLOBS],
    /// The links of each repository.
    pub links: [[Link; BLOBS]; REPOSITORIES],
    /// The edges from links to each blob: a bit for each repository.
    pub blob_edges: [u8; BLOBS],
    /// The manifests.
    pub manifests: [ManifestState; MANIFESTS],
    /// The edges from each manifest: a bit for each transaction that writes some.
    pub edges: [u8; MANIFESTS],
    /// What each tag points to. Its edge is written and removed with it, so it is not kept beside.
    pub tags: [u8; TAGS],
    /// The upload sessions.
    pub uploads: [Upload; UPLOADS],
    /// Sessions with bytes that are no object yet: a bit each.
    pub parts: u8,
    /// What was sent to the object store directly: which blob's bytes, for each session.
    pub arrived: [u8; UPLOADS],
    /// Which blob's bytes each object has.
    pub objects: [u8; OBJECTS],
    /// For which session each copy was made.
    pub copies: [u8; COPIES],
    /// The review queue: a bit for each suspect.
    pub queue: u32,
    /// Manifests that were acknowledged and that nobody deleted: a bit each.
    pub acknowledged: u8,
    /// Blobs that were uploaded to or mounted into each repository, and are still its own: a bit each.
    pub granted: [u8; REPOSITORIES],
    /// How many more crashes and lost replies there may be.
    pub faults_left: u8,
    /// Whether a link went while its lease ran, without a client asking.
    pub is_lease_broken: bool,
    /// Whether a deletion was refused that had taken a tag away.
    pub is_refusal_broken: bool,
    /// Whether a manifest was brought back of which it was decided that it goes.
    pub is_decision_broken: bool,
    /// Who does something.
    pub actors: [Actor; ACTORS],
}

impl State {
    /// Returns an empty registry.
    pub(crate) fn empty(faults: u8) -> Self {
        let nothing = Upload { state: UploadState::Absent, repository: NONE, blob: NONE, object: NONE };
        let link = Link { state: LinkState::Absent, object: NONE, is_held: false };
        Self {
            blobs: [Blob { state: BlobState::Absent, object: NONE }; BLOBS],
            links: [[link; BLOBS]; REPOSITORIES],
            blob_edges: [0; BLOBS],
            manifests: [ManifestState::Absent; MANIFESTS],
            edges: [0; MANIFESTS],
            tags: [NONE; TAGS],
            uploads: [nothing; UPLOADS],
            parts: 0,
            arrived: [NONE; UPLOADS],
            objects: [NONE; OBJECTS],
            copies: [NONE; COPIES],
            queue: 0,
            acknowledged: 0,
            granted: [0; REPOSITORIES],
            faults_left: faults,
            is_lease_broken: false,
            is_refusal_broken: false,
            is_decision_broken: false,
            actors: [Actor::gone(); ACTORS],
        }
    }

    /// Gives the item a version that nobody knows.
    pub(crate) fn wrote(&mut self, key: Key) {
        for actor in &mut self.actors {
            actor.knows &= !key.bit();
        }
    }

    /// Returns whether the suspect is in the review queue.
    pub fn is_suspect(&self, suspect: Suspect) -> bool {
        self.queue & suspect.bit() != 0
    }

    /// Returns whether nothing, and nobody, has heard of the object.
    pub(crate) fn is_fresh(&self, object: usize) -> bool {
        let object = crate::keys::small(object);
        self.objects[usize::from(object)] == NONE
            && self.blobs.iter().all(|blob| blob.object != object)
            && self.links.iter().flatten().all(|link| link.object != object)
            && self.uploads.iter().all(|upload| upload.object != object)
            && self.actors.iter().all(|actor| actor.object != object)
            && !self.is_suspect(Suspect::Object(usize::from(object)))
    }

    /// Returns whether a request of the session may be under way.
    pub(crate) fn is_in_use(&self, upload: usize) -> bool {
        self.actors.iter().any(|actor| actor.upload == crate::keys::small(upload))
    }

    /// Returns whether the session is over and a request of it may be under way.
    pub(crate) fn is_ended_in_use(&self, upload: usize) -> bool {
        self.uploads[upload].state == UploadState::Dead && self.is_in_use(upload)
    }

    /// Returns a session that nothing, and nobody, has heard of.
    pub(crate) fn fresh_upload(&self) -> Option<usize> {
        (0..UPLOADS).find(|&upload| {
            let number = crate::keys::small(upload);
            self.uploads[upload].state == UploadState::Absent
                && self.arrived[upload] == NONE
                && self.parts & (1 << upload) == 0
                && self.is_fresh(upload)
                && !self.is_suspect(Suspect::Upload(upload))
                && self.copies.iter().all(|&copied| copied != number)
                && self.actors.iter().all(|actor| actor.upload != number)
        })
    }

    /// Returns whether somebody may be making the copy.
    pub(crate) fn is_copied(&self, copy: usize) -> bool {
        let makes = |actor: &Actor| actor.next == crate::Step::CopyUpload;
        let object = crate::keys::small(UPLOADS + copy);
        self.actors.iter().any(|actor| makes(actor) && actor.object == object)
    }

    /// Returns a copy that nothing, and nobody, has heard of.
    pub(crate) fn fresh_copy(&self) -> Option<usize> {
        (0..COPIES).find(|&copy| self.is_fresh(UPLOADS + copy) && !self.is_suspect(Suspect::Copy(copy)))
    }
}
