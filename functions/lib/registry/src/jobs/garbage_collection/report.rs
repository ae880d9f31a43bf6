//! What a run has done.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::ports::Unreadable;

/// What kind of thing went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A repository does not have a blob any more.
    Link,
    /// A blob that no repository has; its object goes a while later.
    Blob,
    /// A manifest.
    Manifest,
    /// The object of a manifest that is not there.
    ManifestObject,
    /// An upload session.
    Upload,
    /// A copy that an attempt to adopt an upload made.
    Adoption,
    /// A repository that somebody had begun to delete.
    Repository,
}

/// Something that went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// What kind of thing it is.
    pub kind: Kind,
    /// Which one.
    pub what: String,
    /// Why nobody needs it.
    pub why: Cow<'static, str>,
    /// How many bytes nobody needs any more.
    pub size_bytes: u64,
}

/// Something that could not be looked at; it waits for the next attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What.
    pub what: String,
    /// Why not.
    pub problem: String,
}

/// What a run has done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whether it only found out what a run would do.
    pub is_rehearsal: bool,
    /// How many suspects it looked at.
    pub suspects: u64,
    /// What went.
    pub gone: Vec<Gone>,
    /// How many suspects turned out to be needed, or gone already.
    pub dropped: u64,
    /// How many have to be looked at again later.
    pub postponed: u64,
    /// How many somebody else was changing meanwhile; they stay for the next run.
    pub contended: u64,
    /// How many objects it deleted.
    pub objects_deleted: u64,
    /// How many bytes they had, as far as that is known.
    pub freed_bytes: u64,
    /// What could not be looked at.
    pub failures: Vec<Failure>,
    /// Where the next run goes on, if the budget was used up.
    pub next: Option<u64>,
    /// Why it ended early, if a store failed.
    pub error: Option<String>,
    /// Whether something was put into the queue that is due at once.
    #[serde(skip)]
    pub has_followers: bool,
}

impl Report {
    /// Adds what another run has done.
    pub fn add(&mut self, other: Self) {
        self.suspects += other.suspects;
        self.gone.extend(other.gone);
        self.dropped += other.dropped;
        self.postponed += other.postponed;
        self.contended += other.contended;
        self.objects_deleted += other.objects_deleted;
        self.freed_bytes += other.freed_bytes;
        self.failures.extend(other.failures);
        self.next = other.next;
        self.error = other.error;
    }

    /// Returns how many bytes nobody needs any more.
    pub fn gone_bytes(&self) -> u64 {
        self.gone.iter().map(|gone| gone.size_bytes).sum()
    }

    pub(super) fn gone(&mut self, kind: Kind, what: impl Into<String>, why: &'static str, size_bytes: u64) {
        self.gone.push(Gone { kind, what: what.into(), why: why.into(), size_bytes });
    }

    /// A suspect that cannot be understood stays where it is; a run may come by more than once.
    pub(super) fn unreadable(&mut self, row: Unreadable) {
        let what = format!("suspect {}/{}", row.key.pk, row.key.sk);
        if !self.failures.iter().any(|failure| failure.what == what) {
            self.failed(what, row.problem);
        }
    }

    pub(super) fn failed(&mut self, what: String, problem: String) {
        let failure = Failure { what, problem };
        tracing::warn!(what = %failure.what, problem = %failure.problem, "not collected");
        self.failures.push(failure);
    }
}
