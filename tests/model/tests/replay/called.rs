//! How the registry calls what has a number in the model: objects, sessions and copies have other names in every run.

use std::collections::{BTreeMap, BTreeSet};

use model::keys::{COPIES, NONE, Suspect, UPLOADS};
use model::{Plan, State, UploadState};
use oci::UploadId;
use registry::ports::{Item, ItemScan};
use registry::records::{Record, SuspectRecord, keys};
use registry::testing::MemoryItems;

use crate::content;

/// The names behind the numbers.
#[derive(Default)]
pub(crate) struct Called {
    objects: BTreeMap<usize, String>,
    uploads: BTreeMap<usize, String>,
    copies: BTreeMap<usize, String>,
}

impl Called {
    /// Remembers which names are new, and which numbers they stand for: each step of the model makes one at most.
    ///
    /// What was there `before` the model begins has no number.
    pub(crate) async fn note(&mut self, items: &MemoryItems, before: &BTreeSet<String>, state: &State) {
        let mut stored = items.scan(None, usize::MAX).await.unwrap();
        stored.retain(|item| !before.contains(&item.key.pk));
        for (blob, object) in
            state.blobs.iter().map(|blob| blob.object).enumerate().filter(|(_, at)| *at != NONE)
        {
            let key = keys::blob(&content::blob(blob).digest);
            let record = stored.iter().find(|item| item.key == key).and_then(|item| item.record.as_blob());
            self.objects.extend(record.map(|record| (usize::from(object), record.object.to_string())));
        }
        let is_begun = |upload: &usize| state.uploads[*upload].state != UploadState::Absent;
        name(&mut self.uploads, (0..UPLOADS).filter(is_begun), &names(&stored, upload_of));
        let is_noted = |copy: &usize| state.is_suspect(Suspect::Copy(*copy));
        name(&mut self.copies, (0..COPIES).filter(is_noted), &names(&stored, copy_of));
    }

    /// Returns the id of the model's upload.
    pub(crate) fn upload(&self, upload: usize) -> UploadId {
        self.uploads[&upload].parse().unwrap()
    }

    /// Returns what the key of the suspect's item contains.
    pub(crate) fn suspected(&self, plan: &Plan, suspect: Suspect) -> String {
        match suspect {
            Suspect::Link(repository, blob) => {
                format!("link#{}#{}", content::repository(repository), content::blob(blob).digest)
            }
            Suspect::Blob(blob) => format!("blob#{}", content::blob(blob).digest),
            Suspect::Manifest(manifest) | Suspect::Pending(manifest) => {
                let home = content::repository(plan.manifests[manifest].repository);
                format!("manifest#{home}#{}", content::manifest(plan, manifest).digest)
            }
            Suspect::Upload(upload) => format!("upload#{}", self.uploads[&upload]),
            Suspect::Copy(copy) => self.copies[&copy].clone(),
            Suspect::Object(object) => format!("dead#{}", self.objects[&object]),
        }
    }
}

/// Gives the new name to the number that has none, or one whose bearer is gone.
fn name(
    called: &mut BTreeMap<usize, String>,
    mut numbers: impl Iterator<Item = usize>,
    names: &BTreeSet<String>,
) {
    let new = names.iter().find(|name| !called.values().any(|known| known == *name));
    let number = numbers.find(|number| called.get(number).is_none_or(|name| !names.contains(name)));
    called.extend(number.zip(new.cloned()));
}

fn names(stored: &[Item], name: impl Fn(&Item) -> Option<String>) -> BTreeSet<String> {
    stored.iter().filter_map(name).collect()
}

fn upload_of(item: &Item) -> Option<String> {
    item.record.as_upload()?;
    item.key.pk.strip_prefix("U#").map(str::to_owned)
}

fn copy_of(item: &Item) -> Option<String> {
    match &item.record {
        Record::Suspect(SuspectRecord::Adoption { id, object }) => Some(format!("adoption#{id}#{object}")),
        _ => None,
    }
}

/// Returns where the sessions are that there are.
pub(crate) async fn uploads(items: &MemoryItems) -> BTreeSet<String> {
    let stored = items.scan(None, usize::MAX).await.unwrap();
    stored.into_iter().filter(|item| item.record.as_upload().is_some()).map(|item| item.key.pk).collect()
}
