//! What clients asked for and were told: all that the promises are about.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use registry::ports::{Clock, Timestamp};
use registry::testing::SetClock;

/// Something that changes what can be pulled. Everything is a number in the universe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Push { repository: usize, manifest: usize, tag: Option<usize> },
    DeleteManifest { repository: usize, manifest: usize },
    DeleteTag { repository: usize, tag: usize },
    DeleteBlob { repository: usize, blob: usize },
}

/// A deed, from its first moment to its last.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) deed: Deed,
    pub(crate) begin: u64,
    /// When nothing of it could happen any more.
    pub(crate) end: Option<u64>,
    pub(crate) ended_at: Option<Timestamp>,
    /// What the client was told, if anything.
    pub(crate) status: Option<u16>,
}

impl Entry {
    pub(crate) fn is_acknowledged(&self) -> bool {
        matches!(self.status, Some(201 | 202))
    }

    /// Returns whether everything of it was before that moment.
    pub(crate) fn is_before(&self, moment: u64) -> bool {
        self.end.is_some_and(|end| end < moment)
    }
}

/// A blob that was promised (P9), from a moment on until a time.
#[derive(Clone, Copy, Debug)]
struct Promise {
    repository: usize,
    blob: usize,
    /// When it was asked for: a deletion from then on may come after it.
    since: u64,
    /// When it was given.
    given: u64,
    until: Timestamp,
}

#[derive(Default)]
struct Book {
    /// Whether stores' clients send again what was done already.
    is_sent_again: bool,
    moment: u64,
    entries: Vec<Entry>,
    promises: Vec<Promise>,
    /// Blobs that arrived past the registry, and are promised to manifests alone.
    kept: Vec<Promise>,
    violations: Vec<String>,
    acknowledged: u64,
}

impl Book {
    /// Returns whether the deed may have happened.
    ///
    /// What is refused has changed nothing. But a deletion that a store's client sent again finds nothing (404), or what
    /// others have pushed anew meanwhile and an index needs (405).
    fn is_possible(&self, entry: &Entry) -> bool {
        match (entry.status, &entry.deed) {
            (Some(405), Deed::DeleteManifest { repository, manifest }) if self.is_sent_again => {
                self.entries.iter().any(|other| {
                    let is_beside = !other.is_before(entry.begin) && !entry.is_before(other.begin);
                    is_beside && is_push_of(&other.deed, *repository, *manifest)
                })
            }
            (Some(400 | 405), _) => false,
            _ => true,
        }
    }
}

/// What clients asked for and were told.
pub(crate) struct Ledger {
    book: Mutex<Book>,
    clock: Arc<SetClock>,
    /// How long a blob is promised.
    held: Duration,
}

/// A deed under way; dropped, it is over.
pub(crate) struct Attempt {
    ledger: Arc<Ledger>,
    number: usize,
}

impl Attempt {
    pub(crate) fn answered(&self, status: u16) {
        let mut book = self.ledger.book();
        book.entries[self.number].status = Some(status);
        book.acknowledged += u64::from(status < 300);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut book = self.ledger.book();
        book.moment += 1;
        let (end, ended_at) = (Some(book.moment), Some(self.ledger.clock.now()));
        let entry = &mut book.entries[self.number];
        (entry.end, entry.ended_at) = (end, ended_at);
    }
}

impl Ledger {
    pub(crate) fn new(clock: Arc<SetClock>, held: Duration, is_sent_again: bool) -> Self {
        Self { book: Mutex::new(Book { is_sent_again, ..Book::default() }), clock, held }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a moment that is later than all before.
    pub(crate) fn moment(&self) -> u64 {
        let mut book = self.book();
        book.moment += 1;
        book.moment
    }

    pub(crate) fn begin(self: &Arc<Self>, deed: Deed) -> Attempt {
        let begin = self.moment();
        let mut book = self.book();
        book.entries.push(Entry { deed, begin, end: None, ended_at: None, status: None });
        Attempt { ledger: Arc::clone(self), number: book.entries.len() - 1 }
    }

    /// A promise is broken.
    pub(crate) fn accuse(&self, what: String) {
        self.book().violations.push(what);
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.book().violations.clone()
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.book().violations.is_empty()
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.book().acknowledged
    }

    /// The registry said that it has the blob, to a request that was sent at that moment and time.
    pub(crate) fn promised(&self, repository: usize, blob: usize, since: u64, asked: Timestamp) {
        let (given, until) = (self.moment(), asked.after(self.held));
        self.book().promises.push(Promise { repository, blob, since, given, until });
    }

    /// The edge said that it has the blob, which began to arrive at that moment.
    pub(crate) fn kept(&self, repository: usize, blob: usize, since: u64, until: Timestamp) {
        let given = self.moment();
        self.book().kept.push(Promise { repository, blob, since, given, until });
    }

    /// Returns whether the blob has to be there: it was promised before, and nobody has deleted it since.
    pub(crate) fn is_promised(&self, repository: usize, blob: usize, before: u64) -> bool {
        self.holds(repository, blob, before, |book| &book.promises)
    }

    /// Returns whether a manifest has to find the blob: it is there, or the registry has only to take it.
    pub(crate) fn is_kept(&self, repository: usize, blob: usize, before: u64) -> bool {
        self.is_promised(repository, blob, before) || self.holds(repository, blob, before, |book| &book.kept)
    }

    fn holds(
        &self,
        repository: usize,
        blob: usize,
        before: u64,
        promises: impl FnOnce(&Book) -> &Vec<Promise>,
    ) -> bool {
        let now = self.clock.now();
        let book = self.book();
        let wanted = Deed::DeleteBlob { repository, blob };
        let promises = promises(&book).iter().filter(|promise| {
            (promise.repository, promise.blob) == (repository, blob)
                && now < promise.until
                && promise.given < before
        });
        let is_deleted = |since: u64| {
            book.entries
                .iter()
                .any(|entry| entry.deed == wanted && book.is_possible(entry) && !entry.is_before(since))
        };
        promises.into_iter().any(|promise| !is_deleted(promise.since))
    }

    /// Returns whether a push of it was acknowledged before that moment, and no deletion can have undone it.
    pub(crate) fn has_to_be_there(&self, repository: usize, manifest: usize, before: u64) -> bool {
        let deletion = Deed::DeleteManifest { repository, manifest };
        let book = self.book();
        let deletions: Vec<&Entry> =
            book.entries.iter().filter(|entry| entry.deed == deletion && book.is_possible(entry)).collect();
        book.entries.iter().any(|entry| {
            entry.is_acknowledged()
                && entry.is_before(before)
                && is_push_of(&entry.deed, repository, manifest)
                && deletions.iter().all(|deletion| deletion.is_before(entry.begin))
        })
    }

    /// Returns whether a deletion of it was acknowledged that no push can have come after, or there was no push.
    pub(crate) fn has_to_be_gone(&self, repository: usize, manifest: usize) -> bool {
        let deletion = Deed::DeleteManifest { repository, manifest };
        let book = self.book();
        let pushes: Vec<&Entry> = book
            .entries
            .iter()
            .filter(|entry| is_push_of(&entry.deed, repository, manifest) && book.is_possible(entry))
            .collect();
        let mut deletions =
            book.entries.iter().filter(|entry| entry.deed == deletion && entry.is_acknowledged());
        pushes.is_empty()
            || deletions.any(|deletion| pushes.iter().all(|push| push.is_before(deletion.begin)))
    }

    /// Returns whether somebody may have deleted it at that moment or after, or a second before.
    pub(crate) fn may_have_been_deleted(
        &self,
        repository: usize,
        manifest: usize,
        since: u64,
        at: Timestamp,
    ) -> bool {
        const FRESH: Duration = Duration::from_secs(1);
        let deletion = Deed::DeleteManifest { repository, manifest };
        let book = self.book();
        book.entries.iter().any(|entry| {
            let is_over =
                entry.is_before(since) && entry.ended_at.is_some_and(|ended| ended.after(FRESH) < at);
            entry.deed == deletion && book.is_possible(entry) && !is_over
        })
    }

    /// Returns whether the tag may stand there, or be gone, in the end.
    pub(crate) fn may_stand(&self, repository: usize, tag: usize, manifest: Option<usize>) -> bool {
        let book = self.book();
        let moves: Vec<&Entry> =
            book.entries.iter().filter(|entry| touches(&entry.deed, repository, tag)).collect();
        let is_last = |entry: &Entry| {
            let later = moves.iter().filter(|other| !std::ptr::eq(**other, entry) && other.is_acknowledged());
            !later.into_iter().any(|other| entry.is_before(other.begin) && unsets(&other.deed, manifest))
        };
        let made = moves.iter().filter(|entry| book.is_possible(entry) && makes(&entry.deed, manifest));
        let is_untouched = manifest.is_none() && !moves.iter().any(|entry| is_acknowledged_push(entry));
        is_untouched || made.into_iter().any(|entry| is_last(entry))
    }
}

fn is_push_of(deed: &Deed, repository: usize, manifest: usize) -> bool {
    matches!(deed, Deed::Push { repository: to, manifest: pushed, .. } if (*to, *pushed) == (repository, manifest))
}

fn is_acknowledged_push(entry: &Entry) -> bool {
    entry.is_acknowledged() && matches!(entry.deed, Deed::Push { .. })
}

/// Returns whether the deed can change where the tag leads.
fn touches(deed: &Deed, repository: usize, tag: usize) -> bool {
    match deed {
        Deed::Push { repository: to, tag: moved, .. } => *to == repository && *moved == Some(tag),
        Deed::DeleteTag { repository: of, tag: deleted } => (*of, *deleted) == (repository, tag),
        Deed::DeleteManifest { repository: of, .. } => *of == repository,
        Deed::DeleteBlob { .. } => false,
    }
}

/// Returns whether the tag stands like this after the deed.
fn makes(deed: &Deed, manifest: Option<usize>) -> bool {
    match deed {
        Deed::Push { manifest: pushed, .. } => manifest == Some(*pushed),
        _ => manifest.is_none(),
    }
}

/// Returns whether the tag cannot stand like this right after the deed.
fn unsets(deed: &Deed, manifest: Option<usize>) -> bool {
    match deed {
        Deed::Push { manifest: pushed, .. } => manifest != Some(*pushed),
        Deed::DeleteTag { .. } => manifest.is_some(),
        Deed::DeleteManifest { manifest: deleted, .. } => manifest == Some(*deleted),
        Deed::DeleteBlob { .. } => false,
    }
}
