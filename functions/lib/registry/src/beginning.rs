//! The beginning of a repository: its first manifest, pushed by somebody who may begin it at that moment.
//!
//! The right to push may be known from seconds ago, from grants of a repository that is gone by now. So nobody begins
//! one by that: who decides is asked anew, when the push has found that there is none.

use async_trait::async_trait;
use oci::RepositoryName;

use crate::ports::{Condition, Item, Write};
use crate::records::{Record, RepositoryRecord, Visibility, keys};
use crate::{Error, Registry};

/// What becomes of a push to a repository that was not there.
pub(crate) enum Beginning {
    /// The repository begins with it and is this, while the checks hold.
    As(Visibility, Vec<Write>),
    /// Somebody else has begun it.
    IsThere,
    /// Whoever pushes may not begin it.
    Refused,
}

/// Decides whether a repository may begin.
#[async_trait]
pub(crate) trait Beginner: Send + Sync {
    /// Returns what is true right now.
    async fn beginning(&self) -> Result<Beginning, Error>;
}

/// Begins no repository.
pub(crate) struct Nobody;

#[async_trait]
impl Beginner for Nobody {
    async fn beginning(&self) -> Result<Beginning, Error> {
        Ok(Beginning::Refused)
    }
}

impl Registry {
    /// The writes by which the repository is there with the push; `None` if somebody else has begun it meanwhile. One that
    /// somebody is deleting gets nothing more.
    pub(crate) async fn repository_writes(
        &self,
        repository: &RepositoryName,
        found: Option<&Item>,
        beginner: &dyn Beginner,
    ) -> Result<Option<Vec<Write>>, Error> {
        if found.is_some() {
            return refuse_ending(repository, found).map(|()| Some(Vec::new()));
        }
        match beginner.beginning().await? {
            Beginning::As(visibility, checks) => {
                let begun = self.repository_begin(repository, visibility);
                Ok(Some(begun.into_iter().chain(checks).collect()))
            }
            Beginning::IsThere => Ok(None),
            Beginning::Refused => Err(Error::RepositoryUnknown(repository.clone())),
        }
    }

    fn repository_begin(&self, repository: &RepositoryName, visibility: Visibility) -> [Write; 2] {
        let version = self.fresh_version();
        let record = Record::Repository(RepositoryRecord::new(self.now(), visibility));
        [
            self.put(keys::repository(repository), version.clone(), record, Condition::Absent),
            self.put(keys::catalog(repository), version, Record::Catalog, Condition::Always),
        ]
    }
}

/// Refuses what would begin something in a repository that somebody is deleting.
pub(crate) fn refuse_ending(name: &RepositoryName, found: Option<&Item>) -> Result<(), Error> {
    let record = found.and_then(|item| item.record.as_repository());
    match record.is_some_and(|record| record.is_ending) {
        true => Err(Error::RepositoryEnding(name.clone())),
        false => Ok(()),
    }
}
