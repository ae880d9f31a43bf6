//! What can be asked for: every action of the registry, with every kind of reference.

/// Something that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Deed {
    Ping,
    Catalog,
    ManifestGetByTag,
    ManifestGetByDigest,
    ManifestHeadByTag,
    ManifestHeadByDigest,
    BlobGet,
    BlobHead,
    BlobRange,
    TagList,
    ReferrerList,
    ManifestPutByNewTag,
    ManifestPutByOldTag,
    ManifestPutByDigest,
    UploadBegin,
    PostWhole,
    Mount(Source),
    Upload(UploadDeed, Session),
    TagDelete,
    ManifestDelete,
    BlobDelete,
}

/// What is asked of an upload session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum UploadDeed {
    Status,
    Append,
    Finish,
    Cancel,
}

/// Which upload session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Session {
    /// One that the same one began here.
    Own,
    /// One that somebody else began here.
    Others,
    /// One that the same one began in another repository.
    OfElsewhere,
}

/// Where a mount is to come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The public repository.
    Opened,
    /// The private one.
    Hidden,
    /// The private one of the other organisation.
    Board,
    /// No repository is named; the private one has the blob.
    Anywhere,
    /// One that does not exist.
    Nowhere,
}

impl Deed {
    /// Returns every deed.
    pub fn all() -> Vec<Self> {
        let mut deeds = vec![
            Self::Ping,
            Self::Catalog,
            Self::ManifestGetByTag,
            Self::ManifestGetByDigest,
            Self::ManifestHeadByTag,
            Self::ManifestHeadByDigest,
            Self::BlobGet,
            Self::BlobHead,
            Self::BlobRange,
            Self::TagList,
            Self::ReferrerList,
            Self::ManifestPutByNewTag,
            Self::ManifestPutByOldTag,
            Self::ManifestPutByDigest,
            Self::UploadBegin,
            Self::PostWhole,
            Self::TagDelete,
            Self::ManifestDelete,
            Self::BlobDelete,
        ];
        let sources = [Source::Opened, Source::Hidden, Source::Board, Source::Anywhere, Source::Nowhere];
        deeds.extend(sources.map(Self::Mount));
        for session in [Session::Own, Session::Others, Session::OfElsewhere] {
            let asked = [UploadDeed::Status, UploadDeed::Append, UploadDeed::Finish, UploadDeed::Cancel];
            deeds.extend(asked.map(|deed| Self::Upload(deed, session)));
        }
        deeds
    }

    /// Returns the permission that it takes; none for what is about no repository.
    pub fn permission(self) -> Option<&'static str> {
        match self {
            Self::Ping | Self::Catalog => None,
            Self::ManifestGetByTag
            | Self::ManifestGetByDigest
            | Self::ManifestHeadByTag
            | Self::ManifestHeadByDigest
            | Self::BlobGet
            | Self::BlobHead
            | Self::BlobRange
            | Self::TagList
            | Self::ReferrerList => Some("pull"),
            Self::ManifestPutByNewTag
            | Self::ManifestPutByOldTag
            | Self::ManifestPutByDigest
            | Self::UploadBegin
            | Self::PostWhole
            | Self::Mount(_)
            | Self::Upload(..) => Some("push"),
            Self::TagDelete | Self::ManifestDelete | Self::BlobDelete => Some("delete"),
        }
    }

    /// Returns whether it goes on with an upload, which outlives the access token that began it.
    pub fn goes_on(self) -> bool {
        matches!(self, Self::Upload(..))
    }
}
