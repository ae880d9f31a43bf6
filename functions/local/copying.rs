//! What `export` and `import` count and tell.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use indicatif::HumanBytes;
use oci::RepositoryName;

use crate::output::{print_line, printable};
use crate::progress::Progress;

/// How many blobs are on their way at once.
pub(crate) const AT_ONCE: usize = 4;

/// What was copied, what was there, and what failed.
pub(crate) struct Tally {
    verb: &'static str,
    progress: Progress,
    copied: AtomicU64,
    moved_bytes: AtomicU64,
    kept: AtomicU64,
    failures: AtomicU64,
}

impl Tally {
    /// Begins to count what is, say, exported.
    pub(crate) fn new(verb: &'static str) -> Self {
        let progress = Progress::bytes(verb);
        let (copied, moved_bytes) = (AtomicU64::default(), AtomicU64::default());
        Self {
            verb,
            progress,
            copied,
            moved_bytes,
            kept: AtomicU64::default(),
            failures: AtomicU64::default(),
        }
    }

    /// There is so much more to do.
    pub(crate) fn expect(&self, size_bytes: u64) {
        self.progress.expect(size_bytes);
    }

    /// So many bytes more came or went.
    pub(crate) fn moved(&self, size_bytes: u64) {
        self.moved_bytes.fetch_add(size_bytes, Ordering::Relaxed);
        self.progress.advance(size_bytes);
    }

    /// Something was copied.
    pub(crate) fn copied(&self) {
        self.copied.fetch_add(1, Ordering::Relaxed);
    }

    /// Something of this length came without its bytes.
    pub(crate) fn mounted(&self, size_bytes: u64) {
        self.progress.advance(size_bytes);
    }

    /// Something of this length was there already.
    pub(crate) fn kept(&self, size_bytes: u64) {
        self.kept.fetch_add(1, Ordering::Relaxed);
        self.progress.advance(size_bytes);
    }

    /// Something could not be copied; the others go on.
    pub(crate) fn failed(&self, name: &RepositoryName, what: &str, error: &anyhow::Error) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let line = format!("FAILED  {name} {what}: {error:#}");
        self.progress.say(&printable(&line));
    }

    /// A repository is through.
    pub(crate) fn done(&self, name: &RepositoryName, tags: usize, manifests: usize) {
        self.progress.say(&format!("{} {name}: {tags} tags, {manifests} manifests", self.verb));
    }

    /// Something is to be known of a repository.
    pub(crate) fn remark(&self, name: &RepositoryName, what: &str) {
        self.progress.say(&format!("{name}: {what}"));
    }

    /// Says the sum; fails if anything did.
    pub(crate) fn finish(&self) -> Result<ExitCode> {
        self.progress.clear();
        let [copied, kept, failures, bytes] = [&self.copied, &self.kept, &self.failures, &self.moved_bytes]
            .map(|count| count.load(Ordering::Relaxed));
        let bytes = HumanBytes(bytes);
        let verb = self.verb;
        print_line(&format!("{verb} {copied} blobs, {bytes}; {kept} were there already; {failures} failed"))?;
        Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
