//! What leads to a manifest: tags and indexes, and tags that went elsewhere.

use oci::{Digest, RepositoryName};

use crate::ports::{Item, Query};
use crate::records::keys;
use crate::{Error, Registry};

/// How many edges are read at once.
const PAGE: usize = 1000;

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
