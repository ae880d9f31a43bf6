//! What both the model and the registry have stored, in the same words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::keys::NONE;
use model::{BlobState, LinkState, ManifestState, Plan, State, UploadState};
use registry::ports::{Item, ItemScan, ObjectKey, ObjectScan};
use registry::records::{self, Record, keys};
use registry::testing::{MemoryItems, MemoryObjects};

use crate::content;

/// What is stored. Maps, so that what differs is easily seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Picture {
    manifests: BTreeMap<usize, String>,
    /// Which manifests have edges.
    edges: Vec<usize>,
    tags: BTreeMap<usize, usize>,
    links: BTreeMap<(usize, usize), String>,
    blob_edges: Vec<(usize, usize)>,
    blobs: BTreeMap<usize, String>,
    /// Blobs whose object is there.
    bytes: Vec<usize>,
    /// How many objects there are.
    objects: usize,
    pub(crate) uploads_open: usize,
    pub(crate) uploads_committed: usize,
}

impl Picture {
    /// Returns what the model has stored.
    pub(crate) fn of_model(state: &State) -> Self {
        let mut picture = Self::default();
        for (number, manifest) in state.manifests.iter().enumerate() {
            if *manifest != ManifestState::Absent {
                picture.manifests.insert(number, format!("{manifest:?}"));
            }
            if state.edges[number] != 0 {
                picture.edges.push(number);
            }
        }
        let tags = state.tags.iter().enumerate().filter(|(_, manifest)| **manifest != NONE);
        picture.tags = tags.map(|(tag, manifest)| (tag, usize::from(*manifest))).collect();
        for (blob, item) in state.blobs.iter().enumerate().filter(|(_, item)| item.state != BlobState::Absent)
        {
            picture.blobs.insert(blob, format!("{:?}", item.state));
            if usize::from(state.objects[usize::from(item.object)]) == blob {
                picture.bytes.push(blob);
            }
        }
        for (repository, links) in state.links.iter().enumerate() {
            for (blob, link) in links.iter().enumerate() {
                if link.state != LinkState::Absent {
                    picture.links.insert((repository, blob), format!("{:?}", link.state));
                }
                if state.blob_edges[blob] & (1 << repository) != 0 {
                    picture.blob_edges.push((repository, blob));
                }
            }
        }
        picture.objects = state.objects.iter().filter(|content| **content != NONE).count();
        let uploads = |wanted| state.uploads.iter().filter(|upload| upload.state == wanted).count();
        (picture.uploads_open, picture.uploads_committed) =
            (uploads(UploadState::Open), uploads(UploadState::Committed));
        picture
    }

    /// Returns the same without flags: who took one off last is no matter.
    pub(crate) fn unflagged(mut self) -> Self {
        let states =
            self.manifests.values_mut().chain(self.links.values_mut()).chain(self.blobs.values_mut());
        states.filter(|state| *state == "Dying").for_each(|state| "Live".clone_into(state));
        self
    }

    /// Returns what the registry has stored, but for these sessions.
    pub(crate) async fn of_registry(
        plan: &Plan,
        items: &MemoryItems,
        objects: &MemoryObjects,
        uploads_before: &BTreeSet<String>,
    ) -> Self {
        let mut picture = Self::default();
        let stored = objects.scan().await.unwrap();
        let finished: Vec<ObjectKey> =
            stored.into_iter().filter(|info| !info.is_unfinished).map(|info| info.key).collect();
        picture.objects = finished.len();
        let names = Names::of(plan);
        let all = items.scan(None, usize::MAX).await.unwrap();
        for item in all.into_iter().filter(|item| !uploads_before.contains(&item.key.pk)) {
            picture.add(plan, &names, &item, &finished);
        }
        picture.edges.sort_unstable();
        picture.edges.dedup();
        picture.blob_edges.sort_unstable();
        picture
    }

    fn add(&mut self, plan: &Plan, names: &Names, item: &Item, finished: &[ObjectKey]) {
        match (&item.record, names.find(&item.key)) {
            (Record::Manifest(manifest), Some(Name::Manifest(number))) => {
                self.manifests.insert(number, format!("{:?}", manifest.state));
            }
            (Record::Tag(tag), Some(Name::Tag(number))) => {
                let manifest = (0..3).find(|to| content::manifest(plan, *to).digest == tag.digest);
                self.tags.extend(manifest.map(|manifest| (number, manifest)));
            }
            (Record::Edge(_), Some(Name::Edge(manifest))) => self.edges.push(manifest),
            (Record::Link(link), Some(Name::Link(repository, blob))) => {
                self.links.insert((repository, blob), format!("{:?}", link.state));
            }
            (Record::BlobEdge, Some(Name::BlobEdge(repository, blob))) => {
                self.blob_edges.push((repository, blob));
            }
            (Record::Blob(record), Some(Name::Blob(blob))) => {
                self.blobs.insert(blob, format!("{:?}", record.state));
                if finished.contains(&record.object) {
                    self.bytes.push(blob);
                }
            }
            (Record::Upload(upload), _) => match upload.state {
                records::UploadState::Open => self.uploads_open += 1,
                records::UploadState::Committed(_) => self.uploads_committed += 1,
                records::UploadState::Dead => {}
            },
            _ => {}
        }
    }
}

#[derive(Clone, Copy)]
enum Name {
    Manifest(usize),
    Tag(usize),
    Edge(usize),
    Link(usize, usize),
    BlobEdge(usize, usize),
    Blob(usize),
}

/// Where the registry keeps what the plan has.
struct Names(BTreeMap<registry::ports::Key, Name>);

impl Names {
    fn of(plan: &Plan) -> Arc<Self> {
        let mut names = BTreeMap::new();
        let repository = |number| content::repository(number).parse().unwrap();
        for (number, manifest) in plan.manifests.iter().enumerate() {
            let digest = content::manifest(plan, number).digest;
            let home = repository(manifest.repository);
            names.insert(keys::manifest(&home, &digest), Name::Manifest(number));
            for target in manifest.references {
                let target = match *target {
                    model::Target::Blob(blob) => content::blob(blob).digest,
                    model::Target::Manifest(child) => content::manifest(plan, child).digest,
                };
                names.insert(keys::edge_from_manifest(&home, &target, &digest), Name::Edge(number));
            }
        }
        for (number, home) in plan.tags.iter().enumerate() {
            names.insert(
                keys::tag(&repository(*home), &content::tag(number).parse().unwrap()),
                Name::Tag(number),
            );
        }
        for blob in 0..model::keys::BLOBS {
            let digest = content::blob(blob).digest;
            names.insert(keys::blob(&digest), Name::Blob(blob));
            for number in 0..model::keys::REPOSITORIES {
                names.insert(keys::link(&repository(number), &digest), Name::Link(number, blob));
                names.insert(keys::blob_edge(&digest, &repository(number)), Name::BlobEdge(number, blob));
            }
        }
        Arc::new(Self(names))
    }

    fn find(&self, key: &registry::ports::Key) -> Option<Name> {
        self.0.get(key).copied()
    }
}
