//! What the export before had, and this one could not have.

use std::collections::{BTreeMap, HashSet};

use oci::Digest;
use serde_json::Value;

use super::{Export, Node, whole};
use crate::distribution::Served;
use crate::layout::REF_NAME;

impl Export<'_> {
    /// Keeps of the index before what still has to be there and could not be had, as long as the layout has it whole:
    /// tags that are listed, and what no tag leads to if it may have been overlooked.
    pub(super) async fn keep_earlier(&mut self, listed: &[String], tags: &mut BTreeMap<String, Digest>) {
        let wanted = self.wanted(listed, tags);
        for (digest, entry) in &wanted {
            self.recall(digest, entry).await;
        }
        let whole = whole(&self.nodes, &self.missing);
        for (digest, entry) in wanted {
            let Some(tag) = entry["annotations"][REF_NAME].as_str() else { continue };
            let is_had = tags.get(tag).is_some_and(|digest| whole.contains(digest));
            if !is_had && whole.contains(&digest) {
                self.tally.remark(self.name, &format!("{tag} is kept from the export before"));
                tags.insert(tag.to_owned(), digest);
            }
        }
    }

    /// Returns the entries of the index before that are missed now.
    fn wanted(&self, listed: &[String], tags: &BTreeMap<String, Digest>) -> Vec<(Digest, Value)> {
        let listed: HashSet<&str> = listed.iter().map(String::as_str).collect();
        let whole = whole(&self.nodes, &self.missing);
        let has = |tag: &str| tags.get(tag).is_some_and(|digest| whole.contains(digest));
        // A first export has no index before it, and in one that cannot be read is nothing to keep.
        let entries = self.layout.index().unwrap_or_default().into_iter();
        let wanted = entries.filter(|entry| match entry["annotations"][REF_NAME].as_str() {
            Some(tag) => listed.contains(tag) && !has(tag),
            None => self.is_uncertain,
        });
        wanted.filter_map(|entry| Some((entry["digest"].as_str()?.parse().ok()?, entry))).collect()
    }

    /// Reads a manifest of the layout, and those that it leads to, as far as they are there.
    async fn recall(&mut self, root: &Digest, entry: &Value) {
        let mut media_type = entry["mediaType"].as_str().unwrap_or_default().to_owned();
        let mut manifests = vec![root.clone()];
        while let Some(digest) = manifests.pop() {
            if self.nodes.contains_key(&digest) {
                continue;
            }
            let Some(node) = self.recalled(&digest, std::mem::take(&mut media_type)).await else { return };
            for (blob, _) in &node.blobs {
                self.look_for(blob).await;
            }
            manifests.extend(node.children.iter().cloned());
            self.nodes.insert(digest, node);
        }
    }

    async fn recalled(&self, digest: &Digest, media_type: String) -> Option<Node> {
        self.layout.verified(digest).await.ok()??;
        let bytes = self.layout.read(digest).ok()?;
        Node::read(digest, &Served { media_type, bytes }).ok()
    }

    async fn look_for(&mut self, blob: &Digest) {
        if self.sought.insert(blob.clone()) && !matches!(self.layout.verified(blob).await, Ok(Some(_))) {
            self.missing.insert(blob.clone());
        }
    }
}
