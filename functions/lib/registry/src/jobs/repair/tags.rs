//! Tags, and the edges that keep what they lead to.

use oci::{RepositoryName, Tag};

use super::manifests::PUSH_AGAIN;
use super::plan::Plan;
use crate::records::keys::{self, EdgeSource};
use crate::records::{EdgeRecord, Record, TagRecord};

/// Makes edges of tags and what they say of their manifests right.
pub(super) fn plan(plan: &mut Plan<'_>) {
    let shelf = plan.shelf();
    for ((repository, tag), record) in &shelf.tags {
        let name = format!("tag {repository}:{tag}");
        let place = (repository.clone(), record.digest.clone());
        let edge = keys::edge_from_tag(repository, &record.digest, tag);
        let mut writes = Vec::new();
        if !shelf.edges.contains(&(repository.clone(), edge.sk.clone())) {
            plan.mended(&name, "its edge was missing", "the edge is written again");
            let record = EdgeRecord { since: record.pushed, by: record.pushed_by.clone(), left: None };
            writes.push(plan.put(edge, Record::Edge(record)));
        }
        match shelf.manifests.get(&place).filter(|(_, manifest)| manifest.state.is_visible()) {
            Some((_, manifest)) if manifest.size_bytes != record.size_bytes => {
                plan.mended(&name, "it said another length", "its length is written again");
                let right = TagRecord { size_bytes: manifest.size_bytes, ..record.clone() };
                writes.push(plan.put(keys::tag(repository, tag), Record::Tag(right)));
            }
            Some(_) => {}
            None if plan.lost.contains(&place) => {}
            None => {
                let problem = format!("its manifest {} is missing or damaged", record.digest);
                plan.lost(name, problem, format!("{PUSH_AGAIN}, or `slipway tag rm {repository} {tag}`"));
            }
        }
        if !writes.is_empty() {
            plan.write(writes);
        }
    }
}

/// Returns the tag that an edge speaks of.
pub(super) fn tag_from_edge(plan: &Plan<'_>, repository: &RepositoryName, tag: &Tag) -> Option<TagRecord> {
    let partition = keys::edge_partition(repository);
    plan.items.iter().filter(|(key, _)| key.pk == partition).find_map(|(key, (_, record))| {
        let edge = record.as_edge().filter(|edge| edge.left.is_none())?;
        let (digest, source) = keys::parse_edge(&key.sk)?;
        let (_, manifest) = plan.items.get(&keys::manifest(repository, &digest))?;
        let manifest = manifest.as_manifest().filter(|_| source == EdgeSource::Tag(tag.clone()))?;
        Some(TagRecord {
            digest,
            media_type: manifest.media_type.clone(),
            size_bytes: manifest.size_bytes,
            pushed: edge.since,
            pushed_by: edge.by.clone(),
        })
    })
}
