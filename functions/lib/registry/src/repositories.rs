//! Repositories: listing them.

use oci::RepositoryName;

use crate::ports::{Item, Query};
use crate::records::keys;
use crate::{Error, Registry};

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
}
