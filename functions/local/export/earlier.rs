//! What the export before had, and this one could not have.

use std::collections::{BTreeMap, HashSet};

use oci::Digest;
use serde_json::Value;

use super::{Export, Node};
use crate::distribution::Served;
use crate::layout::REF_NAME;

impl Export<'_> {
    /// Keeps of the index before what still has to be there and could not be had, as long as the layout has it whole:
    /// tags that are listed, and what no tag leads to if it may have been overlooked.
    pub(super) async fn keep_earlier(&mut self, listed: &[String], tags: &mut BTreeMap<String, Digest>) {
        let listed: HashSet<&str> = listed.iter().map(String::as_str).collect();
        // A first export has no index before it, and in one that cannot be read is nothing to keep.
        for entry in self.layout.index().unwrap_or_default() {
            let Some(digest) = entry["digest"].as_str().and_then(|digest| digest.parse().ok()) else {
                continue;
            };
            let tag = entry["annotations"][REF_NAME].as_str();
            let is_wanted = match tag {
                Some(tag) => listed.contains(tag) && !self.has(tags.get(tag)),
                None => self.is_uncertain,
            };
            let is_kept = is_wanted && self.recall(&digest, &entry).await;
            if let Some(tag) = tag.filter(|_| is_kept) {
                self.tally.remark(self.name, &format!("{tag} is kept from the export before"));
                tags.insert(tag.to_owned(), digest);
            }
        }
    }

    fn has(&self, digest: Option<&Digest>) -> bool {
        digest.is_some_and(|digest| self.is_whole(digest))
    }

    /// Reads a manifest of the layout, and those that it leads to; returns whether all that they need is there.
    async fn recall(&mut self, root: &Digest, entry: &Value) -> bool {
        let mut media_type = entry["mediaType"].as_str().unwrap_or_default().to_owned();
        let mut manifests = vec![root.clone()];
        while let Some(digest) = manifests.pop() {
            if self.nodes.contains_key(&digest) {
                continue;
            }
            let Some(node) = self.recalled(&digest, std::mem::take(&mut media_type)).await else {
                return false;
            };
            for (blob, _) in &node.blobs {
                self.look_for(blob).await;
            }
            manifests.extend(node.children.iter().cloned());
            self.nodes.insert(digest, node);
        }
        self.is_whole(root)
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
