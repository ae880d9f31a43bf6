//! What is stored, what is wrong with it, and what is to be done.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use oci::Digest;

use super::{Loss, Mend, Quarantine, Report};
use crate::jobs::fsck::shelf::{Place, Shelf};
use crate::packing::split;
use crate::ports::{
    Condition, Item, ItemScan, Key, ObjectInfo, ObjectKey, ObjectScan, Timestamp, Unreadable, Version, Write,
};
use crate::records::{self, Record, SuspectRecord, keys};
use crate::{Error, Registry};

/// One thing to do.
enum Step {
    /// In transactions of as many writes as fit.
    Write(Vec<Write>),
    /// Keep what is left of a row, and write this in its place.
    SetRowAside(Box<(Unreadable, Write)>),
    /// Keep an object, and take it out of the way.
    SetObjectAside(ObjectKey),
}

/// Everything that is stored, as it will be once the steps are done.
pub(super) struct Plan<'a> {
    pub(super) registry: &'a Registry,
    pub(super) items: BTreeMap<Key, (Version, Record)>,
    pub(super) objects: Vec<ObjectInfo>,
    /// Rows that nobody has looked into yet.
    pub(super) unreadable: Vec<Unreadable>,
    /// Where rows stay that nobody can read: nothing is written over them.
    pub(super) untouched: HashSet<Key>,
    /// Objects whose bytes are not those that they should be.
    pub(super) damaged: HashSet<ObjectKey>,
    /// Manifests that a loss names already.
    pub(super) lost: HashSet<Place>,
    suspected: HashSet<String>,
    steps: Vec<Step>,
    /// Damaged objects go before what leads to them: who does not find one does the rest again.
    first: Vec<Step>,
    report: Report,
}

impl<'a> Plan<'a> {
    /// Reads everything that is stored.
    pub(super) async fn read(
        registry: &'a Registry,
        items: &impl ItemScan,
        objects: &impl ObjectScan,
    ) -> Result<Self, Error> {
        const PAGE: usize = 1000;
        let mut plan = Self {
            registry,
            items: BTreeMap::new(),
            objects: objects.scan().await?,
            unreadable: items.unreadable().await?,
            untouched: HashSet::new(),
            damaged: HashSet::new(),
            lost: HashSet::new(),
            suspected: HashSet::new(),
            steps: Vec::new(),
            first: Vec::new(),
            report: Report::default(),
        };
        let mut last = None;
        loop {
            let page = items.scan(last.as_ref(), PAGE).await?;
            let Some(end) = page.last() else { return Ok(plan) };
            last = Some(end.key.clone());
            for Item { key, version, record } in page {
                if Shelf::has_place(&key, &version, &record) {
                    plan.note(&key, &record);
                    plan.items.insert(key, (version, record));
                } else {
                    plan.unreadable.push(misplaced(key, &version, &record)?);
                }
            }
        }
    }

    fn note(&mut self, key: &Key, record: &Record) {
        if let (Record::Suspect(_), Some((_, what))) = (record, key.sk.split_once('#')) {
            self.suspected.insert(what.to_owned());
        }
    }

    /// Returns everything by kind, as it will be.
    pub(super) fn shelf(&self) -> Shelf {
        Shelf::of(&self.items, &self.objects)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.registry.now()
    }

    /// Plans writes of one item each; what is read from now on has them.
    pub(super) fn write(&mut self, mut writes: Vec<Write>) {
        writes.retain(|write| !self.untouched.contains(write.key()));
        for write in &writes {
            self.apply(write);
        }
        self.steps.push(Step::Write(writes));
    }

    fn apply(&mut self, write: &Write) {
        match write {
            Write::Put(Item { key, version, record }, _) => {
                self.note(key, record);
                self.items.insert(key.clone(), (version.clone(), record.clone()));
            }
            Write::Delete(key, _) => drop(self.items.remove(key)),
            Write::Check(..) => {}
        }
    }

    /// The write that puts the record in place of what was read there.
    pub(super) fn put(&self, key: Key, record: Record) -> Write {
        let seen = self.seen(&key);
        Write::Put(Item { key, version: self.registry.fresh_version(), record }, seen)
    }

    /// The write that removes what was read there.
    pub(super) fn delete(&self, key: Key) -> Write {
        let seen = self.seen(&key);
        Write::Delete(key, seen)
    }

    fn seen(&self, key: &Key) -> Condition {
        self.items.get(key).map_or(Condition::Absent, |(version, _)| Condition::Version(version.clone()))
    }

    /// The write that has a collector look at it after so long; nothing if one will look at it anyway.
    pub(super) fn suspect(&self, suspect: SuspectRecord, delay: Duration) -> Option<Write> {
        let (_, what) = keys::suspect(self.now(), &suspect).sk.split_once('#').map(own)?;
        (!self.suspected.contains(&what)).then(|| self.registry.suspect(suspect, delay))
    }

    /// Keeps a row aside; in its place comes what is known of it, all at once, so that nobody misses it in between.
    pub(super) fn set_row_aside(&mut self, row: Unreadable, known: Option<Record>) {
        let key = row.key.clone();
        let version = self.registry.fresh_version();
        let write = match known {
            Some(record) => Write::Put(Item { key, version, record }, Condition::Always),
            None => Write::Delete(key, Condition::Always),
        };
        self.apply(&write);
        self.steps.push(Step::SetRowAside(Box::new((row, write))));
    }

    /// Keeps an object aside.
    pub(super) fn set_object_aside(&mut self, object: ObjectKey) {
        self.objects.retain(|info| info.key != object);
        match self.damaged.contains(&object) {
            true => self.first.push(Step::SetObjectAside(object)),
            false => self.steps.push(Step::SetObjectAside(object)),
        }
    }

    pub(super) fn mended(&mut self, what: impl Into<String>, problem: impl Into<String>, done: &'static str) {
        self.report.mends.push(Mend { what: what.into(), problem: problem.into(), done });
    }

    pub(super) fn lost(
        &mut self,
        what: impl Into<String>,
        problem: impl Into<String>,
        advice: impl Into<String>,
    ) {
        let loss = Loss { what: what.into(), problem: problem.into(), advice: advice.into() };
        self.report.losses.push(loss);
    }

    pub(super) fn hashed(&mut self, size_bytes: u64) {
        self.report.hashed_objects += 1;
        self.report.hashed_bytes += size_bytes;
    }

    pub(super) fn into_report(self) -> Report {
        self.report
    }

    /// Does everything, in its order.
    pub(super) async fn run(self, quarantine: Option<&dyn Quarantine>) -> Result<Report, Error> {
        for step in self.first.into_iter().chain(self.steps) {
            match (step, quarantine) {
                (Step::Write(writes), _) => write_all(self.registry, &writes).await?,
                (Step::SetRowAside(row), Some(quarantine)) => {
                    let (row, write) = *row;
                    quarantine.take_row(&row).await?;
                    write_all(self.registry, &[write]).await?;
                }
                (Step::SetObjectAside(object), Some(quarantine)) => quarantine.take_object(&object).await?,
                (Step::SetRowAside(..) | Step::SetObjectAside(_), None) => {}
            }
        }
        Ok(self.report)
    }
}

/// A record that its key does not fit is as good as unreadable.
fn misplaced(key: Key, version: &Version, record: &Record) -> Result<Unreadable, Error> {
    let bytes = records::encode(version, record).map_err(|error| Error::Damaged(error.to_string()))?;
    Ok(Unreadable { key, bytes: bytes.into(), problem: "its key does not fit its record".to_owned() })
}

fn own((due, what): (&str, &str)) -> (String, String) {
    (due.to_owned(), what.to_owned())
}

async fn write_all(registry: &Registry, writes: &[Write]) -> Result<(), Error> {
    for transaction in split(writes, &[]) {
        if registry.transact(transaction).await?.is_some() {
            return Err(Error::Contended);
        }
    }
    Ok(())
}

/// How a blob is called in reports.
pub(super) fn blob_name(digest: &Digest) -> String {
    format!("blob {digest}")
}

/// How a manifest is called in reports.
pub(super) fn manifest_name((repository, digest): &Place) -> String {
    format!("manifest {repository}@{digest}")
}
