//! What a client knows to be in a repository of its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::pool::{Content, Image};

/// What a tag points to.
#[derive(Clone, Debug)]
pub(crate) struct Tagged {
    pub(crate) manifest: Content,
    /// The images of an index, or the image itself.
    pub(crate) images: Vec<Image>,
}

impl Tagged {
    fn lists(&self, digest: &str) -> bool {
        self.manifest.digest != digest && self.images.iter().any(|image| image.manifest.digest == digest)
    }
}

/// One repository.
pub(crate) struct Shelf {
    pub(crate) repository: String,
    pub(crate) tags: BTreeMap<String, Tagged>,
    /// Every manifest that was ever put here and not deleted by its digest since, indexes first.
    pub(crate) manifests: BTreeSet<(bool, String)>,
    /// Indexes that are here, with a tag or without: what they list cannot be deleted.
    pub(crate) indexes: Vec<Tagged>,
}

impl Shelf {
    pub(crate) fn new(repository: String) -> Self {
        Self { repository, tags: BTreeMap::new(), manifests: BTreeSet::new(), indexes: Vec::new() }
    }

    pub(crate) fn put(&mut self, tag: &str, tagged: Tagged) {
        let is_index = tagged.images.iter().all(|image| image.manifest.digest != tagged.manifest.digest);
        for image in &tagged.images {
            self.manifests.insert((true, image.manifest.digest.clone()));
        }
        if is_index {
            self.manifests.insert((false, tagged.manifest.digest.clone()));
            self.indexes.push(tagged.clone());
        }
        self.tags.insert(tag.to_owned(), tagged);
    }

    /// Returns whether an index lists it.
    pub(crate) fn is_listed(&self, digest: &str) -> bool {
        self.indexes.iter().any(|index| index.lists(digest))
    }

    /// It was deleted, with all tags that pointed to it.
    pub(crate) fn deleted(&mut self, digest: &str) {
        self.tags.retain(|_, tagged| tagged.manifest.digest != digest);
        self.indexes.retain(|index| index.manifest.digest != digest);
        self.manifests.retain(|(_, manifest)| manifest != digest);
    }
}
