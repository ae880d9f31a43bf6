//! Tags: listing them.
//!
//! - `delete`: one alone. `writes`: what is written when one comes, moves or goes.
//! - `history`: where they pointed before.

mod delete;
mod history;
mod writes;

use oci::{RepositoryName, Tag};

use crate::ports::Query;
use crate::records::keys;
use crate::{Error, Page, Registry};

pub use history::TagMove;

impl Registry {
    /// Lists up to `limit` tags beyond `last`, in the order of their bytes.
    pub(crate) async fn tag_list(
        &self,
        repository: &RepositoryName,
        limit: usize,
        last: Option<&str>,
    ) -> Result<Page<Tag>, Error> {
        let query = Query {
            pk: keys::tag_partition(repository),
            after: last.map(str::to_owned),
            limit: limit + 1,
            ..Query::default()
        };
        let items = self.stores.items.query(query).await?;
        if items.is_empty() && self.get(keys::repository(repository)).await?.is_none() {
            return Err(Error::RepositoryUnknown(repository.clone()));
        }
        Page::of(items, limit, |item| item.key.sk.parse().ok())
    }
}
