//! Lists of manifests, those without a tag included.

use oci::{Digest, RepositoryName};

use crate::ports::Query;
use crate::records::{ManifestRecord, keys};
use crate::{Error, Registry};

/// How many manifests are read at once: each may bring its bytes.
const PAGE: usize = 100;

/// A part of the manifests of a repository.
#[derive(Clone, Debug, Default)]
pub struct ManifestsPage {
    /// Those that can be pulled.
    pub manifests: Vec<(Digest, ManifestRecord)>,
    /// Beyond which one the next page begins, if there is one.
    pub next: Option<String>,
}

impl Registry {
    /// Lists manifests beyond `last`, in the order of their digests: up to `limit`, and a hundred at most.
    pub(crate) async fn manifest_list(
        &self,
        repository: &RepositoryName,
        limit: usize,
        last: Option<&str>,
    ) -> Result<ManifestsPage, Error> {
        let limit = limit.min(PAGE);
        let query = Query {
            pk: keys::manifest_partition(repository),
            after: last.map(str::to_owned),
            limit,
            ..Query::default()
        };
        let items = self.stores.items.query(query).await?;
        let next = items.last().filter(|_| items.len() == limit).map(|item| item.key.sk.clone());
        let visible = items.into_iter().filter_map(|item| {
            let record = item.record.as_manifest().filter(|record| record.state.is_visible())?;
            Some((item.key.sk.parse().ok()?, record.clone()))
        });
        Ok(ManifestsPage { manifests: visible.collect(), next })
    }
}
