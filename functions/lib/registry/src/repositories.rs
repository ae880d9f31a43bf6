//! Repositories: listing them, and ending one.

use oci::RepositoryName;

use crate::ports::{Condition, Item, Query, Write};
use crate::records::{ManifestState, keys};
use crate::{Error, Principal, Registry};

/// How many manifests or blobs of a repository are read at once when it ends.
const ENTRIES_PER_PAGE: usize = 100;

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is listed.
    pub entries: Vec<T>,
    /// Whether there is more.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// Makes a page of `limit` entries out of one item more than that, if there are as many.
    pub(crate) fn of(
        mut items: Vec<Item>,
        limit: usize,
        entry: impl Fn(&Item) -> Option<T>,
    ) -> Result<Self, Error> {
        let has_more = items.len() > limit && limit > 0;
        items.truncate(limit);
        let damaged = |item: &Item| Error::Damaged(format!("{}/{}", item.key.pk, item.key.sk));
        let entries =
            items.iter().map(|item| entry(item).ok_or_else(|| damaged(item))).collect::<Result<_, _>>()?;
        Ok(Self { entries, has_more })
    }
}

impl Registry {
    /// Lists up to `limit` repositories beyond `last`, in the order of their bytes.
    pub(crate) async fn repository_list(
        &self,
        limit: usize,
        last: Option<&str>,
    ) -> Result<Page<RepositoryName>, Error> {
        let query = Query {
            pk: keys::catalog_partition(),
            after: last.map(str::to_owned),
            limit: limit + 1,
            ..Query::default()
        };
        let items = self.stores.items.query(query).await?;
        Page::of(items, limit, |item| item.key.sk.parse().ok())
    }

    /// Deletes everything in the repository, and then the repository.
    ///
    /// What is pushed to it meanwhile may survive; the repository does then too.
    pub(crate) async fn repository_empty(
        &self,
        name: &RepositoryName,
        principal: &Principal,
    ) -> Result<(), Error> {
        self.manifests_delete_all(name, principal).await?;
        self.blobs_delete_all(name).await?;
        self.tag_history_delete_all(name).await?;
        let Some(item) = self.get(keys::repository(name)).await? else { return Ok(()) };
        let query = Query { pk: keys::manifest_partition(name), limit: 1, ..Query::default() };
        if self.stores.items.query(query).await?.iter().any(is_visible) {
            return Err(Error::Contended);
        }
        let writes = vec![
            Write::Delete(item.key, Condition::Version(item.version)),
            Write::Delete(keys::catalog(name), Condition::Always),
        ];
        match self.transact(writes).await? {
            None => Ok(()),
            Some(_) => Err(Error::Contended),
        }
    }

    /// Indexes go before what they list: each pass deletes what nothing refers to any more.
    async fn manifests_delete_all(&self, name: &RepositoryName, principal: &Principal) -> Result<(), Error> {
        loop {
            let mut has_deleted = false;
            let mut is_left = false;
            let mut after = None;
            loop {
                let pk = keys::manifest_partition(name);
                let query = Query { pk, after: after.take(), limit: ENTRIES_PER_PAGE, ..Query::default() };
                let page = self.stores.items.query(query).await?;
                for digest in
                    page.iter().filter(|item| is_visible(item)).filter_map(|item| item.key.sk.parse().ok())
                {
                    match self.manifest_delete(name, principal, &digest).await {
                        Ok(()) | Err(Error::ManifestUnknown { .. }) => has_deleted = true,
                        Err(Error::ManifestReferenced { .. }) => is_left = true,
                        Err(error) => return Err(error),
                    }
                }
                match page.last().filter(|_| page.len() == ENTRIES_PER_PAGE) {
                    Some(last) => after = Some(last.key.sk.clone()),
                    None => break,
                }
            }
            if !is_left {
                return Ok(());
            }
            if !has_deleted {
                return Err(Error::Contended);
            }
        }
    }

    /// What an unfinished push holds still is left to the collector.
    async fn blobs_delete_all(&self, name: &RepositoryName) -> Result<(), Error> {
        let mut after = None;
        loop {
            let query =
                Query { pk: keys::link_partition(name), after, limit: ENTRIES_PER_PAGE, ..Query::default() };
            let page = self.stores.items.query(query).await?;
            for digest in page.iter().filter_map(|item| item.key.sk.parse().ok()) {
                match self.blob_delete(name, &digest).await {
                    Ok(()) | Err(Error::BlobUnknown { .. } | Error::BlobReferenced { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            match page.last().filter(|_| page.len() == ENTRIES_PER_PAGE) {
                Some(last) => after = Some(last.key.sk.clone()),
                None => return Ok(()),
            }
        }
    }
}

fn is_visible(item: &Item) -> bool {
    item.record.as_manifest().is_some_and(|manifest| manifest.state != ManifestState::Pending)
}
