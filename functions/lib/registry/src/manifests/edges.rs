//! What leads to a manifest: tags and indexes, and tags that went elsewhere; and what leads from one.

use oci::{Digest, RepositoryName};

use crate::manifests::suspects::manifest_suspect;
use crate::ports::{Item, Query};
use crate::records::SuspectRecord;
use crate::records::keys::{self, EdgeSource};
use crate::{Error, Registry};

/// How many edges are read at once.
const PAGE: usize = 1000;

/// What a manifest leads to.
pub(crate) struct Led {
    /// The blob or manifest.
    pub(crate) digest: Digest,
    /// What a collector has to look at when the edge goes.
    pub(crate) suspects: Vec<SuspectRecord>,
}

impl Led {
    /// An edge does not say whether its target is a blob or a manifest: what is not there is no work for the collector.
    fn by_edge(repository: &RepositoryName, digest: Digest) -> Self {
        let link = SuspectRecord::Link { repository: repository.clone(), digest: digest.clone() };
        Self { suspects: vec![link, manifest_suspect(repository, &digest)], digest }
    }
}

impl Registry {
    /// Reads a page of edges to the manifest; those from manifests sort before those from tags.
    pub(crate) async fn edges_to(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        after: Option<String>,
    ) -> Result<Vec<Item>, Error> {
        let query = Query {
            pk: keys::edge_partition(repository),
            prefix: keys::edges_to(digest),
            after,
            limit: PAGE,
            ..Query::default()
        };
        Ok(self.stores.items.query(query).await?)
    }

    /// Returns what the manifest leads to. Edges are sorted by their targets, so all of the repository are read.
    pub(crate) async fn edges_from(
        &self,
        repository: &RepositoryName,
        manifest: &Digest,
    ) -> Result<Vec<Led>, Error> {
        let target = |edge: &Item| match keys::parse_edge(&edge.key.sk)? {
            (target, EdgeSource::Manifest(source)) if source == *manifest => Some(target),
            _ => None,
        };
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let pk = keys::edge_partition(repository);
            let edges = self.stores.items.query(Query { pk, after, limit: PAGE, ..Query::default() }).await?;
            found.extend(edges.iter().filter_map(target).map(|target| Led::by_edge(repository, target)));
            after = end_of_page(&edges);
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    /// Asks each edge to the manifest beyond `after`, until one has an answer.
    pub(crate) async fn edges_find<T>(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        mut after: Option<String>,
        mut find: impl FnMut(&Item) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        loop {
            let edges = self.edges_to(repository, digest, after).await?;
            if let Some(found) = edges.iter().find_map(&mut find) {
                return Ok(Some(found));
            }
            after = end_of_page(&edges);
            if after.is_none() {
                return Ok(None);
            }
        }
    }
}

/// Returns where the next page begins; `None` if this one is the last.
pub(crate) fn end_of_page(edges: &[Item]) -> Option<String> {
    edges.last().filter(|_| edges.len() == PAGE).map(|edge| edge.key.sk.clone())
}

/// Returns whether the edge is from a tag that went elsewhere.
pub(crate) fn has_left(edge: &Item) -> bool {
    edge.record.as_edge().is_some_and(|edge| edge.left.is_some())
}
