//! Repositories: listing them, and ending one.

use oci::RepositoryName;

use crate::ports::{Condition, Conflict, Item, Query, Version, Write};
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

    /// Deletes everything in the repository that was flagged as ending, and then the repository.
    ///
    /// Flag, look, decide (rule R3): a push that has not seen the flag is found here, finished or not, and ends; one
    /// that has seen it takes it off, and survives with the repository.
    pub(crate) async fn repository_empty(
        &self,
        name: &RepositoryName,
        principal: &Principal,
        flagged: Version,
    ) -> Result<(), Error> {
        self.manifests_delete_all(name, principal).await?;
        self.blobs_delete_all(name).await?;
        self.tag_history_delete_all(name).await?;
        let writes = vec![
            Write::Delete(keys::repository(name), Condition::Version(flagged)),
            Write::Delete(keys::catalog(name), Condition::Always),
        ];
        match self.transact(writes).await? {
            None | Some(Conflict { found: None, .. }) => Ok(()),
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
                for item in &page {
                    match self.manifest_delete_any(name, principal, item).await? {
                        true => has_deleted = true,
                        false => is_left = true,
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

    /// Deletes a manifest, or ends the push of one; returns whether that is done.
    async fn manifest_delete_any(
        &self,
        name: &RepositoryName,
        principal: &Principal,
        item: &Item,
    ) -> Result<bool, Error> {
        let Ok(digest) = item.key.sk.parse() else { return Ok(true) };
        let Some(record) = item.record.as_manifest() else { return Ok(true) };
        if record.state == ManifestState::Pending {
            return self.manifest_pending_collect(name, principal, &digest, item, record).await;
        }
        match self.manifest_delete(name, principal, &digest).await {
            // It is gone, or pushed anew by somebody who has seen the flag.
            Ok(()) | Err(Error::ManifestUnknown { .. }) => Ok(true),
            Err(Error::ManifestReferenced { .. }) => Ok(false),
            // A push has taken the flag off, under which no tag is immutable.
            Err(Error::TagImmutable { .. }) => Err(Error::Contended),
            Err(error) => Err(error),
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
