//! The review queue: what is due, and how it leaves.

use std::collections::BTreeMap;

use oci::{Digest, RepositoryName};

use super::{Collector, Report};
use crate::Error;
use crate::ports::{Condition, Item, Key, ObjectKey, Query, Timestamp, Unreadable, Version, Write};
use crate::records::{Record, SuspectRecord, keys};

/// How many suspects are read at once.
const PAGE: usize = 100;

/// How many suspects that say the same go together: each is a write of one transaction.
const SAME: usize = 50;

/// A digest in a repository.
pub(super) type Place = (RepositoryName, Digest);

/// Something to look at, and the suspect that says so.
#[derive(Clone, Debug)]
pub(super) struct Visit<T> {
    pub(super) what: T,
    pub(super) suspect: SuspectRecord,
    queued: Queued,
    /// Suspects that say the same. They leave the queue with this one and not before it: somebody may take back the one
    /// and have no reason against the others.
    same: Vec<Queued>,
}

/// Where a suspect is in the queue.
#[derive(Clone, Debug)]
struct Queued {
    key: Key,
    version: Version,
}

/// What one page of the queue says, by kind.
#[derive(Default)]
pub(super) struct Page {
    pub(super) links: Vec<Visit<Place>>,
    pub(super) blobs: Vec<Visit<Digest>>,
    pub(super) manifests: Vec<Visit<Place>>,
    pub(super) manifest_objects: Vec<Visit<(Place, ObjectKey)>>,
    pub(super) uploads: Vec<Visit<(String, ObjectKey)>>,
    pub(super) adoptions: Vec<Visit<(String, ObjectKey)>>,
    pub(super) dead_objects: Vec<Visit<(Digest, ObjectKey)>>,
    pub(super) repositories: Vec<Visit<RepositoryName>>,
    /// What cannot be understood.
    pub(super) unreadable: Vec<Unreadable>,
    pub(super) suspects: u64,
    /// The last one, if there may be more.
    pub(super) last: Option<String>,
}

impl Page {
    fn of(rows: Vec<Result<Item, Unreadable>>) -> Self {
        let last = rows.last().filter(|_| rows.len() == PAGE).map(|row| sk(row).to_owned());
        let mut page = Self { last, ..Self::default() };
        // The same suspect sorts to the same place, whenever it is due.
        let mut by_what: BTreeMap<String, Vec<Item>> = BTreeMap::new();
        for row in rows {
            let item = match row {
                Ok(item) => item,
                Err(unreadable) => {
                    page.unreadable.push(unreadable);
                    continue;
                }
            };
            page.suspects += 1;
            let what = item.key.sk.split_once('#').map_or_else(String::new, |(_, what)| what.to_owned());
            by_what.entry(what).or_default().push(item);
        }
        for mut items in by_what.into_values() {
            let last = items.pop();
            let same = items.into_iter().take(SAME).map(|Item { key, version, .. }| Queued { key, version });
            page.place(last, same.collect());
        }
        page
    }

    fn place(&mut self, item: Option<Item>, same: Vec<Queued>) {
        let Some(Item { key, version, record: Record::Suspect(suspect) }) = item else { return };
        let queued = Queued { key, version };
        match suspect.clone() {
            SuspectRecord::Link { repository, digest } => {
                self.links.push(Visit { what: (repository, digest), suspect, queued, same });
            }
            SuspectRecord::Blob { digest } => {
                self.blobs.push(Visit { what: digest, suspect, queued, same });
            }
            SuspectRecord::Manifest { repository, digest } => {
                self.manifests.push(Visit { what: (repository, digest), suspect, queued, same });
            }
            SuspectRecord::ManifestObject { repository, digest, object } => {
                let what = ((repository, digest), object);
                self.manifest_objects.push(Visit { what, suspect, queued, same });
            }
            SuspectRecord::Upload { id, object } => {
                self.uploads.push(Visit { what: (id, object), suspect, queued, same });
            }
            SuspectRecord::Adoption { id, object } => {
                self.adoptions.push(Visit { what: (id, object), suspect, queued, same });
            }
            SuspectRecord::Repository { repository } => {
                self.repositories.push(Visit { what: repository, suspect, queued, same });
            }
            SuspectRecord::DeadObject { digest, object } => {
                self.dead_objects.push(Visit { what: (digest, object), suspect, queued, same });
            }
        }
    }
}

/// How a digest in a repository is called in reports.
pub(super) fn name((repository, digest): &Place) -> String {
    format!("{repository}@{digest}")
}

pub(super) fn sk(row: &Result<Item, Unreadable>) -> &str {
    match row {
        Ok(item) => &item.key.sk,
        Err(unreadable) => &unreadable.key.sk,
    }
}

impl<T> Visit<T> {
    /// It is no suspect any more; unless somebody has put the same one into the queue meanwhile.
    pub(super) fn drop(&self) -> Vec<Write> {
        self.leave(|queued| Condition::Version(queued.version.clone()))
    }

    /// What it is about ends in the same transaction, so whoever suspects it meanwhile has no reason left.
    pub(super) fn end(&self) -> Vec<Write> {
        self.leave(|_| Condition::Always)
    }

    fn leave(&self, condition: impl Fn(&Queued) -> Condition) -> Vec<Write> {
        let all = [&self.queued].into_iter().chain(&self.same);
        all.map(|queued| Write::Delete(queued.key.clone(), condition(queued))).collect()
    }
}

impl Collector {
    /// Reads a page of what is due in the shard.
    pub(super) async fn due(&self, shard: u64, after: Option<String>) -> Result<Page, Error> {
        let query = Query { pk: keys::suspect_partition(shard), after, limit: PAGE, ..Query::default() };
        let mut rows = self.registry.stores.items.query_each(query).await?;
        let now = self.registry.now();
        rows.retain(|row| keys::parse_due(sk(row)).is_none_or(|due| due <= now));
        Ok(Page::of(rows))
    }

    /// Returns how many suspects are due, so that whoever waits for a run can be told how far it is.
    pub async fn waiting(&self) -> Result<u64, Error> {
        let mut waiting = 0;
        for shard in 0..keys::SHARDS {
            let mut after = None;
            loop {
                let page = self.due(shard, after.take()).await?;
                waiting += page.suspects;
                match page.last {
                    Some(last) => after = Some(last),
                    None => break,
                }
            }
        }
        Ok(waiting)
    }

    /// Returns whether the suspect is still where it was read, and nobody has put it there anew.
    pub(super) async fn is_suspected<T>(&self, visit: &Visit<T>) -> Result<bool, Error> {
        let item = self.registry.get(visit.queued.key.clone()).await?;
        Ok(item.is_some_and(|item| item.version == visit.queued.version))
    }

    /// Puts the suspect where it is due later, too; what it is there, and the write that does so.
    pub(super) fn postponed<T: Clone>(&self, visit: &Visit<T>, until: Timestamp) -> (Visit<T>, Write) {
        let (key, version) = (keys::suspect(until, &visit.suspect), self.registry.fresh_version());
        let record = Record::Suspect(visit.suspect.clone());
        let put = self.registry.put(key.clone(), version.clone(), record, Condition::Always);
        (Visit { queued: Queued { key, version }, same: Vec::new(), ..visit.clone() }, put)
    }

    /// The writes that move the suspect to where it is due later; what it is there.
    pub(super) fn moved<T: Clone>(&self, visit: &Visit<T>, until: Timestamp) -> (Visit<T>, Vec<Write>) {
        let (later, put) = self.postponed(visit, until);
        (later, [visit.drop(), vec![put]].concat())
    }

    /// Takes suspects out of the queue that turned out to be none.
    pub(super) async fn suspects_drop<T>(
        &self,
        visits: impl IntoIterator<Item = Visit<T>>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let groups: Vec<_> = visits.into_iter().map(|visit| visit.drop()).collect();
        report.dropped += groups.len() as u64;
        self.batch(groups).await.map(drop)
    }

    /// Has suspects looked at again later.
    pub(super) async fn suspects_postpone<T: Clone>(
        &self,
        visits: impl IntoIterator<Item = (Visit<T>, Timestamp)>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let groups: Vec<_> = visits.into_iter().map(|(visit, until)| self.moved(&visit, until).1).collect();
        report.postponed += groups.len() as u64;
        self.batch(groups).await.map(drop)
    }
}
