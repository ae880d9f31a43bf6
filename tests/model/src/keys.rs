//! What there is in a model, and the numbers that everything has.

/// Repositories.
pub const REPOSITORIES: usize = 2;
/// Blobs: digests, whichever repositories have them.
pub const BLOBS: usize = 2;
/// Manifests; the plan says in which repository each is.
pub const MANIFESTS: usize = 3;
/// Tags; the plan says in which repository each is.
pub const TAGS: usize = 2;
/// Upload sessions at a time.
pub const UPLOADS: usize = 4;
/// Copies that adoptions make, at a time.
pub const COPIES: usize = 3;
/// Object keys: one for each session, one for each copy.
pub const OBJECTS: usize = UPLOADS + COPIES;
/// The edges of a manifest are written in so many transactions at most.
pub const EDGE_GROUPS: usize = 2;
/// No object, session, blob or manifest.
pub const NONE: u8 = u8::MAX;

/// An item of the review queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Suspect {
    /// A link that no manifest may need: repository and blob.
    Link(usize, usize),
    /// A blob that no repository may have.
    Blob(usize),
    /// A manifest that lost a tag or a parent.
    Manifest(usize),
    /// A manifest whose push may never end.
    Pending(usize),
    /// An upload session that may never end, and its object.
    Upload(usize),
    /// The object that an adoption copied to.
    Copy(usize),
    /// The object of a blob that was dead.
    Object(usize),
}

/// How many suspects there can be.
pub const SUSPECTS: usize = REPOSITORIES * BLOBS + BLOBS + 2 * MANIFESTS + UPLOADS + COPIES + OBJECTS;

impl Suspect {
    /// Returns its place among all suspects.
    pub fn index(self) -> usize {
        const BLOBS_AT: usize = REPOSITORIES * BLOBS;
        const MANIFESTS_AT: usize = BLOBS_AT + BLOBS;
        const PENDING_AT: usize = MANIFESTS_AT + MANIFESTS;
        const UPLOADS_AT: usize = PENDING_AT + MANIFESTS;
        const COPIES_AT: usize = UPLOADS_AT + UPLOADS;
        const OBJECTS_AT: usize = COPIES_AT + COPIES;
        match self {
            Self::Link(repository, blob) => repository * BLOBS + blob,
            Self::Blob(blob) => BLOBS_AT + blob,
            Self::Manifest(manifest) => MANIFESTS_AT + manifest,
            Self::Pending(manifest) => PENDING_AT + manifest,
            Self::Upload(upload) => UPLOADS_AT + upload,
            Self::Copy(copy) => COPIES_AT + copy,
            Self::Object(object) => OBJECTS_AT + object,
        }
    }

    /// Returns all of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let links = (0..REPOSITORIES).flat_map(|repository| (0..BLOBS).map(move |blob| (repository, blob)));
        links
            .map(|(repository, blob)| Self::Link(repository, blob))
            .chain((0..BLOBS).map(Self::Blob))
            .chain((0..MANIFESTS).map(Self::Manifest))
            .chain((0..MANIFESTS).map(Self::Pending))
            .chain((0..UPLOADS).map(Self::Upload))
            .chain((0..COPIES).map(Self::Copy))
            .chain((0..OBJECTS).map(Self::Object))
    }

    /// Returns whether it is about an upload session.
    pub(crate) fn is_of_session(self) -> bool {
        matches!(self, Self::Upload(_) | Self::Copy(_))
    }

    /// Returns its bit in the review queue.
    pub(crate) fn bit(self) -> u32 {
        1 << self.index()
    }
}

/// An item with a version that somebody may remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Blob(usize),
    Link(usize, usize),
    Manifest(usize),
    /// The edges of a manifest that one transaction writes.
    Edges(usize, usize),
    Upload(usize),
    Suspect(Suspect),
}

impl Key {
    /// Returns its bit among all keys.
    pub(crate) fn bit(self) -> u64 {
        const LINKS_AT: usize = BLOBS;
        const MANIFESTS_AT: usize = LINKS_AT + REPOSITORIES * BLOBS;
        const EDGES_AT: usize = MANIFESTS_AT + MANIFESTS;
        const UPLOADS_AT: usize = EDGES_AT + MANIFESTS * EDGE_GROUPS;
        const SUSPECTS_AT: usize = UPLOADS_AT + UPLOADS;
        let place = match self {
            Self::Blob(blob) => blob,
            Self::Link(repository, blob) => LINKS_AT + repository * BLOBS + blob,
            Self::Manifest(manifest) => MANIFESTS_AT + manifest,
            Self::Edges(manifest, group) => EDGES_AT + manifest * EDGE_GROUPS + group,
            Self::Upload(upload) => UPLOADS_AT + upload,
            Self::Suspect(suspect) => SUSPECTS_AT + suspect.index(),
        };
        1 << place
    }
}

/// Returns a number as the state keeps it.
pub(crate) fn small(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suspect_has_a_place_of_its_own() {
        let places: Vec<usize> = Suspect::all().map(Suspect::index).collect();
        assert_eq!(places, (0..SUSPECTS).collect::<Vec<_>>());
    }
}
