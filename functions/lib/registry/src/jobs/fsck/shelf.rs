//! Everything that is stored, by kind.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures_util::StreamExt;
use oci::{Algorithm, Digest, Hasher, RepositoryName, Tag};

use super::Report;
use crate::Error;
use crate::ports::{ItemScan, Key, ObjectInfo, ObjectKey, ObjectScan, ObjectStore, Version};
use crate::records::keys;
use crate::records::{
    BlobRecord, LinkRecord, ManifestRecord, Record, ReferrerRecord, TagRecord, UploadRecord,
};

/// How many items are read at once.
const PAGE: usize = 1000;

/// A digest in a repository.
pub(in crate::jobs) type Place = (RepositoryName, Digest);

/// Everything that is stored.
#[derive(Default)]
pub(in crate::jobs) struct Shelf {
    pub(in crate::jobs) blobs: BTreeMap<Digest, BlobRecord>,
    pub(in crate::jobs) links: BTreeMap<Place, LinkRecord>,
    pub(in crate::jobs) blob_edges: BTreeSet<(Digest, RepositoryName)>,
    pub(in crate::jobs) manifests: BTreeMap<Place, (Version, ManifestRecord)>,
    pub(in crate::jobs) tags: BTreeMap<(RepositoryName, Tag), TagRecord>,
    /// (repository, sort key): the sort key names target and source.
    pub(in crate::jobs) edges: BTreeSet<(RepositoryName, String)>,
    pub(in crate::jobs) referrers: BTreeMap<(RepositoryName, Digest, Digest), ReferrerRecord>,
    pub(in crate::jobs) uploads: BTreeMap<String, UploadRecord>,
    pub(in crate::jobs) open_uploads: HashSet<(RepositoryName, String)>,
    pub(in crate::jobs) repositories: HashSet<RepositoryName>,
    pub(in crate::jobs) catalog: HashSet<RepositoryName>,
    pub(in crate::jobs) objects: HashMap<ObjectKey, ObjectInfo>,
}

impl Shelf {
    /// Reads everything; an item that cannot be placed is a finding.
    pub(super) async fn read(
        items: &impl ItemScan,
        objects: &impl ObjectScan,
        report: &mut Report,
    ) -> Result<Self, Error> {
        let mut shelf = Self::default();
        let mut last: Option<Key> = None;
        loop {
            let page = items.scan(last.as_ref(), PAGE).await?;
            let Some(end) = page.last() else { break };
            last = Some(end.key.clone());
            for item in page {
                let name = format!("{}/{}", item.key.pk, item.key.sk);
                *report.counts.entry(kind(&item.record)).or_default() += 1;
                if shelf.place(item.key, item.version, item.record).is_none() {
                    report.broken(format!("item {name}"), "its key does not fit its record");
                }
            }
        }
        for row in items.unreadable().await? {
            report.broken(format!("item {}/{}", row.key.pk, row.key.sk), row.problem);
        }
        for info in objects.scan().await? {
            report.objects += 1;
            report.object_bytes += info.size_bytes;
            shelf.objects.insert(info.key.clone(), info);
        }
        Ok(shelf)
    }

    /// Places what was read already.
    pub(in crate::jobs) fn of(items: &BTreeMap<Key, (Version, Record)>, objects: &[ObjectInfo]) -> Self {
        let mut shelf = Self::default();
        for (key, (version, record)) in items {
            // What has no place is a finding of the check.
            let _ = shelf.place(key.clone(), version.clone(), record.clone());
        }
        shelf.objects = objects.iter().map(|info| (info.key.clone(), info.clone())).collect();
        shelf
    }

    /// Returns whether the record is one that belongs where it is.
    pub(in crate::jobs) fn has_place(key: &Key, version: &Version, record: &Record) -> bool {
        let is_edge = matches!(record, Record::Edge(_));
        let is_placed = Self::default().place(key.clone(), version.clone(), record.clone()).is_some();
        is_placed && (!is_edge || keys::parse_edge(&key.sk).is_some())
    }

    fn place(&mut self, key: Key, version: Version, record: Record) -> Option<()> {
        let Key { pk, sk } = key;
        match record {
            Record::Repository(_) => drop(self.repositories.insert(repository(&pk, "")?)),
            Record::Catalog => drop(self.catalog.insert(sk.parse().ok()?)),
            Record::Tag(tag) => drop(self.tags.insert((repository(&pk, "#T")?, sk.parse().ok()?), tag)),
            Record::Manifest(manifest) => {
                let place = (repository(&pk, "#M")?, sk.parse().ok()?);
                self.manifests.insert(place, (version, manifest));
            }
            // What a tag left behind is history, and holds nothing that a reader sees.
            Record::Edge(edge) if edge.left.is_some() => {}
            Record::Edge(_) => drop(self.edges.insert((repository(&pk, "#E")?, sk))),
            Record::Link(link) => drop(self.links.insert((repository(&pk, "#B")?, sk.parse().ok()?), link)),
            Record::Blob(blob) => drop(self.blobs.insert(pk.strip_prefix("B#")?.parse().ok()?, blob)),
            Record::BlobEdge => {
                let digest = pk.strip_prefix("B#")?.parse().ok()?;
                self.blob_edges.insert((digest, sk.strip_prefix("L#")?.parse().ok()?));
            }
            Record::Referrer(referrer) => {
                let (repository, subject) = pk.strip_prefix("R#")?.split_once("#S#")?;
                let place =
                    (repository.parse().ok()?, subject.parse().ok()?, referrer.descriptor.digest.clone());
                self.referrers.insert(place, referrer);
            }
            Record::Upload(upload) => drop(self.uploads.insert(pk.strip_prefix("U#")?.to_owned(), upload)),
            Record::OpenUpload => drop(self.open_uploads.insert((repository(&pk, "#U")?, sk))),
            Record::History(_)
            | Record::Suspect(_)
            | Record::Event(_)
            | Record::User(_)
            | Record::Organisation(_)
            | Record::Listed
            | Record::ListedUntil(_)
            | Record::Member(_)
            | Record::Token(_)
            | Record::Trust(_)
            | Record::Bucket(_)
            | Record::Used(_)
            | Record::Audit(_) => {}
        }
        Some(())
    }
}

fn repository(pk: &str, suffix: &str) -> Option<RepositoryName> {
    pk.strip_prefix("R#")?.strip_suffix(suffix)?.parse().ok()
}

fn kind(record: &Record) -> &'static str {
    match record {
        Record::Repository(_) => "repository",
        Record::Catalog => "catalog",
        Record::Tag(_) => "tag",
        Record::History(_) => "history",
        Record::Manifest(_) => "manifest",
        Record::Edge(_) => "edge",
        Record::Link(_) => "link",
        Record::Blob(_) => "blob",
        Record::BlobEdge => "blob_edge",
        Record::Referrer(_) => "referrer",
        Record::Upload(_) => "upload",
        Record::OpenUpload => "open_upload",
        Record::Suspect(_) => "suspect",
        Record::Event(_) => "event",
        Record::User(_) => "user",
        Record::Organisation(_) => "organisation",
        Record::Listed | Record::ListedUntil(_) => "listed",
        Record::Member(_) => "member",
        Record::Token(_) => "token",
        Record::Trust(_) => "trust",
        Record::Bucket(_) => "bucket",
        Record::Used(_) => "used",
        Record::Audit(_) => "audit",
    }
}

/// Returns the digest of an object's bytes.
pub(in crate::jobs) async fn read_digest(
    objects: &impl ObjectStore,
    key: &ObjectKey,
    size_bytes: u64,
    algorithm: Algorithm,
) -> Result<Digest, Error> {
    let missing = || Error::Damaged(format!("object {key} is missing"));
    let mut stream = objects.get(key, 0..size_bytes).await?.ok_or_else(missing)?;
    let mut hasher = Hasher::new(algorithm);
    while let Some(piece) = stream.next().await {
        hasher.update(&piece.map_err(|error| Error::Damaged(format!("object {key}: {error}")))?);
    }
    Ok(hasher.finish())
}
