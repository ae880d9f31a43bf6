//! What happened.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use serde_json::{Value, json};

/// What clients did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Push,
    IndexPush,
    Pull,
    ForeignPull,
    TagDelete,
    ManifestDelete,
    Abandon,
}

const EVENTS: [(Event, &str); 7] = [
    (Event::Push, "pushes of images"),
    (Event::IndexPush, "of indexes"),
    (Event::Pull, "pulls"),
    (Event::ForeignPull, "of what others may delete meanwhile"),
    (Event::TagDelete, "tags deleted"),
    (Event::ManifestDelete, "manifests deleted"),
    (Event::Abandon, "uploads abandoned"),
];

/// How many of the wanted events there may be for each collection's share. Who deletes faster than is collected makes a queue
/// that only grows, and collections that do not end.
const EVENTS_AHEAD: u64 = 4;

/// Counts, and what went wrong.
#[derive(Default)]
pub(crate) struct Tally {
    events: [AtomicU64; EVENTS.len()],
    /// Events and collections.
    work_wanted: Option<(u64, u64)>,
    kills_wanted: Option<u64>,
    pub(crate) kills: AtomicU64,
    pub(crate) collections: AtomicU64,
    /// Those that a kill cut off.
    pub(crate) collections_cut: AtomicU64,
    pub(crate) blobs_gone: AtomicU64,
    pub(crate) uploads: AtomicU64,
    pub(crate) mounts: AtomicU64,
    /// Blobs that were there already.
    pub(crate) reuses: AtomicU64,
    /// Answers that blobs are missing, to pushes that took longer than a lease; they were begun anew.
    pub(crate) late: AtomicU64,
    /// Requests that the end of the server cut off.
    pub(crate) cut: AtomicU64,
    complaints: Mutex<Vec<String>>,
}

impl Tally {
    pub(crate) fn until_events(events: u64, collections: u64) -> Self {
        Self { work_wanted: Some((events, collections)), ..Self::default() }
    }

    pub(crate) fn until_kills(count: u64) -> Self {
        Self { kills_wanted: Some(count), ..Self::default() }
    }

    pub(crate) fn add(&self, event: Event) {
        self.events[event as usize].fetch_add(1, Relaxed);
    }

    /// Counts what a collection reports.
    pub(crate) fn add_report(&self, report: &Value) {
        let Some(gone) = report["gone"].as_array() else { return self.complain(format!("gc: {report}")) };
        let blobs = gone.iter().filter(|gone| gone["kind"] == "blob").count();
        self.blobs_gone.fetch_add(blobs as u64, Relaxed);
        for trouble in ["failures", "error"] {
            if ![Value::Null, json!([])].contains(&report[trouble]) {
                self.complain(format!("gc: {}", report[trouble]));
            }
        }
    }

    /// How many pushes were acknowledged.
    pub(crate) fn pushes(&self) -> u64 {
        [Event::Push, Event::IndexPush].iter().map(|event| self.events[*event as usize].load(Relaxed)).sum()
    }

    /// Something happened that no client should see.
    pub(crate) fn complain(&self, complaint: String) {
        println!("{complaint}");
        self.complaints.lock().unwrap().push(complaint);
    }

    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints.lock().unwrap().clone()
    }

    fn events(&self) -> u64 {
        self.events.iter().map(|count| count.load(Relaxed)).sum()
    }

    /// Returns whether there was enough of it, or something went wrong.
    pub(crate) fn is_over(&self) -> bool {
        let is_enough = self.work_wanted.is_some_and(|(events, collections)| {
            self.events() >= events && self.collections.load(Relaxed) >= collections
        });
        let is_killed = self.kills_wanted.is_some_and(|wanted| self.kills.load(Relaxed) >= wanted);
        is_enough || is_killed || !self.complaints.lock().unwrap().is_empty()
    }

    /// Returns whether the next collection has to end first.
    pub(crate) fn is_ahead(&self) -> bool {
        self.work_wanted.is_some_and(|(events, collections)| {
            let ended = self.collections.load(Relaxed);
            self.events() * collections >= events * EVENTS_AHEAD * (ended + 1)
        })
    }

    /// Says how far it is, so that a long run that is broken off has shown something.
    pub(crate) fn tell_of_every(&self, step: u64, count: &AtomicU64) {
        if count.load(Relaxed).is_multiple_of(step) {
            println!("so far: {self}");
        }
    }

    /// Returns whether the server ends now and then, so that requests are cut off.
    pub(crate) fn has_kills(&self) -> bool {
        self.kills_wanted.is_some()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts =
            EVENTS.map(|(event, word)| format!("{} {word}", self.events[event as usize].load(Relaxed)));
        writeln!(to, "{} events: {}", self.events(), counts.join(", "))?;
        let [uploads, mounts, reuses] =
            [&self.uploads, &self.mounts, &self.reuses].map(|count| count.load(Relaxed));
        writeln!(to, "blobs: {uploads} uploaded, {mounts} mounted, {reuses} there already")?;
        let [collections, gone] = [&self.collections, &self.blobs_gone].map(|count| count.load(Relaxed));
        writeln!(
            to,
            "{collections} collections on demand, beside those of the server; they took away {gone} blobs"
        )?;
        let [kills, cut, collections_cut] =
            [&self.kills, &self.cut, &self.collections_cut].map(|count| count.load(Relaxed));
        writeln!(to, "{kills} kills, {cut} requests and {collections_cut} collections cut off")?;
        writeln!(
            to,
            "{} of {} pushes took longer than a lease and were refused",
            self.late.load(Relaxed),
            self.pushes()
        )?;
        write!(to, "{} failures", self.complaints.lock().unwrap().len())
    }
}
