//! Protocols that are wrong in one way each: the checker must find out.

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mutant {
    /// A push looks at its references first and writes its edges when it becomes visible.
    NoHandshake,
    /// A push becomes visible, then writes its edges.
    EdgesAfterCommit,
    /// The object of a blob has always the same key.
    ReusedKey,
    /// A collector deletes the object of a blob that can still be revived.
    NoDead,
    /// A deletion of edges is not bound to the push that wrote them.
    UnboundDelete,
    /// A mount that was not confirmed counts as a link that somebody flagged.
    PendingRevivable,
    /// A collector does not flag what has no lease any more.
    LeaseAsSafety,
    /// A collector looks for edges with an eventually consistent read.
    EventualLook,
    /// A link is revived as it was seen, whatever has become of it since.
    UnconditionalRevival,
    /// An upload of bytes whose blob is being flagged gives the blob its own object.
    DyingReplaced,
    /// An adoption copies to the key that the session was begun with.
    AdoptionToSessionKey,
    /// A mount does not ask whether the source has the blob.
    UncheckedMount,
    /// A collector deletes what an old session stored, and does not end the session first.
    UnboundExpiry,
    /// A deletion does not look whether an index needs the manifest.
    DeleteWithoutLook,
    /// A link goes and nobody is told to look at its blob.
    ForgottenSuspect,
    /// A suspect is removed from the queue although it was suspected again meanwhile.
    DroppedSuspect,
    /// A blob dies and nobody notes its object, which an upload may replace before it is deleted.
    ForgottenObject,
    /// A push that fails takes its edges back, and nobody is told to look at what they led to.
    SilentWithdraw,
    /// A push writes the edges that had no room in its first transaction, whoever has the manifest by then.
    UnguardedRest,
    /// A collector does not look again whether a copy is suspected, after it has found its session over.
    SingleLook,
    /// What a session stored is deleted at once when it ends, while requests may be under way that store more.
    HastyExpiry,
    /// A deletion that flags a manifest tells nobody, so nobody goes on with it when it stops.
    UnwatchedDelete,
    /// A collector goes on with a deletion that did not end, also when the manifest was pushed anew meanwhile.
    BlindResume,
    /// Tags go before it is decided that their manifest does.
    TagsFirst,
    /// A push takes the place of a manifest that has lost some of its tags, as if no other tag led to it.
    DoomedReplaced,
    /// A push that needs a manifest takes the flag off, also when it is decided that it goes.
    DoomedRevived,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 26] = [
        Self::NoHandshake,
        Self::EdgesAfterCommit,
        Self::ReusedKey,
        Self::NoDead,
        Self::UnboundDelete,
        Self::PendingRevivable,
        Self::LeaseAsSafety,
        Self::EventualLook,
        Self::UnconditionalRevival,
        Self::DyingReplaced,
        Self::AdoptionToSessionKey,
        Self::UncheckedMount,
        Self::UnboundExpiry,
        Self::DeleteWithoutLook,
        Self::ForgottenSuspect,
        Self::DroppedSuspect,
        Self::ForgottenObject,
        Self::SilentWithdraw,
        Self::UnguardedRest,
        Self::SingleLook,
        Self::HastyExpiry,
        Self::UnwatchedDelete,
        Self::BlindResume,
        Self::TagsFirst,
        Self::DoomedReplaced,
        Self::DoomedRevived,
    ];
}
